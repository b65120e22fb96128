"""What we do, and what allows it."""
