"""Facts about Kestra and about nothing else; no input or output."""
