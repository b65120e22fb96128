"""The only way from a planned step to the world: locked, journalled, carried out, waited for."""
