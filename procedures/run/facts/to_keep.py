"""What should run at the end, and what must still be there."""

from __future__ import annotations

from procedures.decide.baseline import Baseline
from procedures.decide.check_files import seen
from procedures.decide.expected import Expected
from procedures.decide.facts import Group, Presupposed, fact
from procedures.run.facts.looks import containers_before, only
from procedures.run.facts.moments import Moments
from reports.record.observed import Container


@fact(Group.EXPECTATION, Presupposed.BASELINE)
def baseline(at: Moments) -> Baseline:
    """What post checks compare with."""
    return at.baseline


@fact(Group.EXPECTATION)
def expected(at: Moments) -> Expected:
    """What should run at the end: image, version, settings and ports, as they were checked."""
    return at.expected


@fact(Group.LOOK)
def parts_expected(at: Moments) -> frozenset[str]:
    """The parts of the server that must send heartbeats."""
    return at.parts_expected


@fact(Group.SAME_IMAGE, Presupposed.START_ANEW)
def images_to_keep(at: Moments) -> tuple[str, ...]:
    """The image ids of the service's containers, if the procedure changes no image."""
    return tuple(one.image_id for one in containers_before(at))


@fact(Group.SAME_SETTINGS, Presupposed.START_ANEW | Presupposed.CONTAINER)
def settings_to_keep(at: Moments) -> Container:
    """The container whose settings the new one must have, if the procedure changes none."""
    return only(at.before)


@fact(Group.BEFORE, Presupposed.START_ANEW | Presupposed.CONTAINER)
def mounts_to_keep(at: Moments) -> Container:
    """The container whose mounts, privileges and reach the new one must have, whatever the procedure."""
    return only(at.before)


@fact(Group.SAME_SCHEMA | Group.WAY_BACK)
def schema_to_keep(at: Moments) -> tuple[str, ...]:
    """The database's schema history, if the procedure must not change it."""
    return seen(at.baseline.schema)


@fact(Group.NEW_SCHEMA, Presupposed.BASELINE)
def schema_to_grow(at: Moments) -> tuple[str, ...]:
    """The database's schema history, if a new version may add to it."""
    return seen(at.baseline.schema)


@fact(Group.ACTS | Group.WAY_BACK)
def flows_to_keep(at: Moments) -> tuple[str, ...]:
    """The flows that must exist in the same revision, because nobody edits them in so short a time."""
    return seen(at.baseline.flows)


@fact(Group.PAST, Presupposed.BASELINE)
def flows_noted(at: Moments) -> tuple[str, ...]:
    """The flows that the last accepted run saw; people may have edited them since."""
    return seen(at.baseline.flows)


@fact(Group.ACTS | Group.WAY_BACK)
def executions_to_keep(at: Moments) -> tuple[str, ...]:
    """The last executions, which nobody purges in so short a time."""
    return seen(at.baseline.executions)
