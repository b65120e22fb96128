"""The target file, and what it may say."""
