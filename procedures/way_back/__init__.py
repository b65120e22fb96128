"""Keeping what runs, and starting it again."""
