"""The sandbox in which a script is rehearsed, with the stand-in for `docker`; a program of its own."""
