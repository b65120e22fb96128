"""What was seen of the service, and when."""

from __future__ import annotations

from procedures.decide import leftovers
from procedures.decide.check_files import seen
from procedures.decide.facts import Group, Presupposed, fact
from procedures.problems import CannotObserve
from procedures.run.facts.moments import Moments
from procedures.steps import reach
from procedures.target.target import Target
from reports.record.observed import Container, DashboardSeen, Direct, Ephemeral, Listener, Server, Snapshot


@fact(Group.LOOK)
def target(at: Moments) -> Target:
    """The service operated on."""
    return at.target


# Before


@fact(Group.BEFORE | Group.WAY_BACK)
def before(at: Moments) -> Snapshot:
    """Everything that was seen while nothing had been changed."""
    return at.before


@fact(Group.BEFORE, Presupposed.SERVER)
def server_before(at: Moments) -> Server:
    """What answered before; the plan leaves checks of it out where the service was not running."""
    return reach.server_of(at.before, at.target)


@fact(Group.BEFORE, Presupposed.SERVER)
def server_itself_before(at: Moments) -> Direct:
    """What the running server answered before, asked inside its own network."""
    return seen(at.before.direct)


@fact(Group.BEFORE, Presupposed.ENGINE_HERE)
def listeners_here(at: Moments) -> tuple[Listener, ...]:
    """What listens on this machine; the plan leaves checks of it out where the engine is on another one."""
    return seen(seen(at.first.host).listeners)


@fact(Group.BEFORE, Presupposed.ENGINE_HERE)
def ephemeral_here(at: Moments) -> Ephemeral:
    """From which ports this machine gives one to a connection; left out where the engine is on another one."""
    return seen(seen(at.first.host).ephemeral)


@fact(Group.BEFORE, Presupposed.CONTAINER)
def container_before(at: Moments) -> Container:
    """The service's one container before."""
    return only(at.before)


@fact(Group.BEFORE, Presupposed.CONTAINER)
def containers_before(at: Moments) -> tuple[Container, ...]:
    """Every container of the service before; a start that was cut off leaves two."""
    return seen(at.before.containers)


@fact(Group.BEFORE, Presupposed.DASHBOARDS)
def dashboards_before(at: Moments) -> tuple[DashboardSeen, ...]:
    """What the target's dashboards showed before, however old that was."""
    return seen(at.first.dashboards)


@fact(Group.BEFORE)
def ready(at: Moments) -> Snapshot:
    """The last look before the second gate, everything prepared."""
    return at.ready


# In the middle, and after


@fact(Group.ACTS, Presupposed.ACT)
def stopped(at: Moments) -> Snapshot:
    """What was seen when the service was stopped."""
    return at.stopped


@fact(Group.LOOK)
def after(at: Moments) -> Snapshot:
    """What was seen after the start and the soak."""
    return at.after


@fact(Group.LOOK)
def server_after(at: Moments) -> Server:
    """What answers after the start."""
    return reach.server_of(at.after, at.target)


@fact(Group.LOOK)
def server_itself(at: Moments) -> Direct:
    """What the server answers, asked inside its own network."""
    return seen(at.after.direct)


@fact(Group.LOOK)
def container_after(at: Moments) -> Container:
    """The service's one container after the start."""
    return only(at.after)


@fact(Group.LOOK)
def own_servers(at: Moments) -> frozenset[str]:
    """The host names of this service's own servers: the one that runs, and those that this run has stopped."""
    # The heartbeats of those may still be young.
    ours = {only(at.after).id[:12]}
    if at.acts:
        ours |= {one.id[:12] for one in containers_before(at)} | at.started_servers
    return frozenset(ours)


@fact(Group.LOOK, Presupposed.HEALTH_CHECK)
def docker_health(at: Moments) -> str:
    """Docker's own word about the new container's health."""
    return only(at.after).health


@fact(Group.LOOK, Presupposed.DASHBOARDS)
def dashboards(at: Moments) -> tuple[DashboardSeen, ...]:
    """What the target's dashboards showed after the start; the plan leaves checks of it out where there are none."""
    return seen(at.after.dashboards)


def only(look: Snapshot) -> Container:
    """Return the service's one container at a look; any other number of them is nothing that can be judged."""
    counting = leftovers.without(seen(look.containers))
    if len(counting) != 1:
        raise CannotObserve(f"there are {len(counting)} containers of the service, not one")
    return counting[0]
