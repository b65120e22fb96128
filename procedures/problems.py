"""What can go wrong on our side, as values that say what to do next."""

from __future__ import annotations


class Problem(Exception):  # noqa: N818 - the subclasses say what happened
    """Everything that this suite raises on purpose; `next_move` is what the reader should do."""

    def __init__(self, what: str, next_move: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.next_move = next_move

    @property
    def sentence(self) -> str:
        """What happened and what to do, in one line."""
        return f"{self.what} → {self.next_move}" if self.next_move else self.what


class TypedWrong(Problem):
    """Something was typed or written wrongly: options, selection, the target file. Nothing was touched."""


class CannotObserve(Problem):
    """Something could not be observed, so nothing is claimed about it."""


class Held(Problem):
    """Another run holds the target, or left an open journal."""


class Blocked(Problem):
    """A check or a step was not reached."""


class NotApplicable(Problem):
    """The plan leaves this out, for a reason from its list."""


class StepFailed(Problem):
    """A step did not reach its state."""


class Interrupted(Problem):
    """Somebody or something asked this run to end."""
