"""What happened, and how it is reported."""
