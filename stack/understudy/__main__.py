"""The command: `python3 -m understudy server standalone`."""

from .server import main

main()
