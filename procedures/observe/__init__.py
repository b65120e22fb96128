"""How to look."""
