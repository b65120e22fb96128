"""The report as an HTML page: its parts, its drawing and its words."""
