"""The one way from a planned step to the world: held, journalled, carried out, waited for."""
