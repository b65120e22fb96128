"""What is recorded of a run: its types, and how they are written and read."""
