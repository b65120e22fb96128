"""The outage, measured by a process of its own."""
