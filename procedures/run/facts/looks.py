"""What was observed of the service, and when."""

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
    """The service that is operated on."""
    return at.target


# Before


@fact(Group.BEFORE | Group.WAY_BACK)
def before(at: Moments) -> Snapshot:
    """Everything that was observed before any change."""
    return at.before


@fact(Group.BEFORE, Presupposed.SERVER)
def server_before(at: Moments) -> Server:
    """The server that answered before; the plan leaves out checks of it if the service was not running."""
    return reach.server_of(at.before, at.target)


@fact(Group.BEFORE, Presupposed.SERVER)
def server_itself_before(at: Moments) -> Direct:
    """What the running server answered before, asked inside its own network."""
    return seen(at.before.direct)


@fact(Group.BEFORE, Presupposed.ENGINE_HERE)
def listeners_here(at: Moments) -> tuple[Listener, ...]:
    """What listens on this machine; the plan leaves out checks of it if the engine is on another machine."""
    return seen(seen(at.first.host).listeners)


@fact(Group.BEFORE, Presupposed.ENGINE_HERE)
def ephemeral_here(at: Moments) -> Ephemeral:
    """The range of ports that this machine gives to connections; left out if the engine is on another machine."""
    return seen(seen(at.first.host).ephemeral)


@fact(Group.BEFORE, Presupposed.CONTAINER)
def container_before(at: Moments) -> Container:
    """The service's only container before."""
    return only(at.before)


@fact(Group.BEFORE, Presupposed.CONTAINER)
def containers_before(at: Moments) -> tuple[Container, ...]:
    """Every container of the service before; an interrupted start leaves two."""
    return seen(at.before.containers)


@fact(Group.BEFORE, Presupposed.DASHBOARDS)
def dashboards_before(at: Moments) -> tuple[DashboardSeen, ...]:
    """What the target's dashboards showed before, whatever the age of the data."""
    return seen(at.first.dashboards)


@fact(Group.BEFORE)
def ready(at: Moments) -> Snapshot:
    """The last look before the second gate, when everything is prepared."""
    return at.ready


# In the middle, and after


@fact(Group.ACTS, Presupposed.ACT)
def stopped(at: Moments) -> Snapshot:
    """What was observed while the service was stopped."""
    return at.stopped


@fact(Group.LOOK)
def after(at: Moments) -> Snapshot:
    """What was observed after the start and the soak."""
    return at.after


@fact(Group.LOOK)
def server_after(at: Moments) -> Server:
    """The server that answers after the start."""
    return reach.server_of(at.after, at.target)


@fact(Group.LOOK)
def server_itself(at: Moments) -> Direct:
    """What the server answers, asked inside its own network."""
    return seen(at.after.direct)


@fact(Group.LOOK)
def container_after(at: Moments) -> Container:
    """The service's only container after the start."""
    return only(at.after)


@fact(Group.LOOK)
def own_servers(at: Moments) -> frozenset[str]:
    """The host names of this service's own servers: the running one, and those that this run stopped."""
    # The heartbeats of stopped servers may still be young.
    ours = {only(at.after).id[:12]}
    if at.acts:
        ours |= {one.id[:12] for one in containers_before(at)} | at.started_servers
    return frozenset(ours)


@fact(Group.LOOK, Presupposed.HEALTH_CHECK)
def docker_health(at: Moments) -> str:
    """What Docker says about the new container's health."""
    return only(at.after).health


@fact(Group.LOOK, Presupposed.DASHBOARDS)
def dashboards(at: Moments) -> tuple[DashboardSeen, ...]:
    """What the target's dashboards showed after the start; the plan leaves out checks of it if there are none."""
    return seen(at.after.dashboards)


def only(look: Snapshot) -> Container:
    """Return the service's only container at a look; with any other number of containers nothing can be judged."""
    counting = leftovers.without(seen(look.containers))
    if len(counting) != 1:
        raise CannotObserve(f"there are {len(counting)} containers of the service, not one")
    return counting[0]
