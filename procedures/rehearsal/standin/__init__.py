"""The place in which a script is rehearsed, and what stands in there for `docker`; a program of its own."""
