"""How pytest carries out a procedure: from what was typed to the run, and back to the screen."""
