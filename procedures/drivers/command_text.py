"""Commands that are told to be typed: each finds the engine that the target file names."""

from __future__ import annotations

import re

_TYPED = re.compile(r"`[^`]+`")


def on_engine(text: str, flags: tuple[str, ...]) -> str:
    """Let every `docker` that a text tells to type begin with the words that lead it to the target's engine.

    Whoever writes a next move need not think of them; one that has them is left as it is.
    """
    if not flags:
        return text
    words = " ".join(flags)
    bare = re.compile(rf"\bdocker (?!{re.escape(words)})(?=[a-z])")
    return _TYPED.sub(lambda found: bare.sub(lambda _: f"docker {words} ", found[0]), text)
