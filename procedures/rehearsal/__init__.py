"""An operator's script, tried where it can change nothing."""
