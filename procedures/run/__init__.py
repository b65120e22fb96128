"""One run, whatever its procedure: what it was asked, the states it reaches, and how it is told."""
