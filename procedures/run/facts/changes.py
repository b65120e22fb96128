"""What this run intends to change, and what leads back."""

from __future__ import annotations

from procedures.decide.accepted import Goal
from procedures.decide.announcement import Announcement
from procedures.decide.check_files import seen
from procedures.decide.expected import Expected, as_it_was
from procedures.decide.facts import Group, Presupposed, fact
from procedures.problems import Blocked, CannotObserve
from procedures.run.facts.looks import only
from procedures.run.facts.moments import Moments
from procedures.way_back.cut_off import Kept
from reports.record.observed import Image


@fact(Group.NEW_IMAGE)
def announcement(at: Moments) -> Announcement:
    """The image that an update would bring, as its registry announces it."""
    announced = at.announcement
    if announced is None:
        raise Blocked("this procedure brings no image")
    return announced


@fact(Group.NEW_IMAGE)
def candidate(at: Moments) -> Image:
    """The image that an update pulled, and that the start will use."""
    if not at.plan_only:
        return seen(at.ready.image)
    if (known := announcement(at).known) is None:
        raise Blocked("a plan pulls nothing")
    return known


@fact(Group.NEW_IMAGE)
def rolled_back(at: Moments) -> frozenset[str]:
    """The ids of the images that earlier runs went back from."""
    return at.rolled_back


@fact(Group.GOAL)
def goal(at: Moments) -> Goal:
    """The accepted run that a rollback goes back to."""
    earlier = at.goal
    if earlier is None:
        raise Blocked("this procedure goes back to no earlier run")
    if earlier.unseen is not None:
        raise CannotObserve(earlier.unseen.what, earlier.unseen.next_move)
    return earlier


@fact(Group.CUT_OFF, Presupposed.START_OF_KEPT)
def kept(at: Moments) -> Kept:
    """What an interrupted run kept, if recovery starts it."""
    left = at.kept
    if left is None:
        raise Blocked("no run that was cut off has kept anything")
    return left


@fact(Group.KEEPING)
def unkept(at: Moments) -> tuple[str, ...]:
    """What the present container has and nobody could restore."""
    seen(at.first.containers)  # unseen containers: nobody knows
    return at.unkept


@fact(Group.NEW_SETTINGS, Presupposed.CONTAINER)
def superseded(at: Moments) -> Expected:
    """The container's settings before new ones are applied."""
    return as_it_was(at.first, only(at.first), at.baseline)
