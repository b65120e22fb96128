"""What the engine tells: containers, how they are made, their files and logs, its events."""
