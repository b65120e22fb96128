"""What the engine shows: containers, how they are made, their files and logs, its events."""
