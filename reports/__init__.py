"""What happened, and how it is told."""
