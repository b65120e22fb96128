"""What is seen of a target at one moment: the observers, where they look, and which looks make up a moment."""
