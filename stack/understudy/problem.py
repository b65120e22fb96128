"""What every exception of the understudy's own derives from."""

from __future__ import annotations


class Problem(Exception):  # noqa: N818 -- its kinds say what happened
    """Something is not as it has to be."""
