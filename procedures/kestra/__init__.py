"""What is true of Kestra and of nothing else; no input or output."""
