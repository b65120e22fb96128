"""From the run to its evidence, and from there to the archive."""
