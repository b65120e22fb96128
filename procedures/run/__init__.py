"""One run, whatever its procedure: what was asked of it, the states it reaches, and its record."""
