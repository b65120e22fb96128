"""The command: `python3 -m understudy server standalone`."""

from .command import main

main()
