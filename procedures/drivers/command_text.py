"""Commands that a message suggests to type: each finds the engine that the target file names."""

from __future__ import annotations

import re

_TYPED = re.compile(r"`[^`]+`")


def on_engine(text: str, flags: tuple[str, ...]) -> str:
    """Add the flags of the target's engine to every `docker` command that a text suggests.

    So a next move is written without them. A command that has them is left as it is.
    """
    if not flags:
        return text
    words = " ".join(flags)
    bare = re.compile(rf"\bdocker (?!{re.escape(words)})(?=[a-z])")
    return _TYPED.sub(lambda found: bare.sub(lambda _: f"docker {words} ", found[0]), text)
