"""How pytest is made to obey: from what was typed to the run, and back to the screen."""
