"""The report as a page: its parts, its drawing and its words."""
