"""What was wrong, in words; it decides nothing."""
