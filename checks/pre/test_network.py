"""The networks that the new container will be put into."""

from __future__ import annotations

from procedures.decide.check_files import check, seen
from reports.record.observed import Database, Rendering, Snapshot


@check(again=True)
def test_its_networks_exist_or_are_made(before: Snapshot) -> None:
    """Every network of the new container exists, or is made by its start."""
    there = seen(before.networks)
    missing = [one for one in seen(before.operator_rendering).external_networks if one not in there]
    assert not missing, (
        f"network {missing[0]} does not exist, and Compose does not make it: it is declared external → "
        f"`docker network create {missing[0]}`"
    )


@check(again=True)
def test_postgres_is_in_one_of_them(before: Snapshot) -> None:
    """The service's own Postgres is in a network of the new container, or is reached from there in another way."""
    rendering, there = seen(before.operator_rendering), seen(before.networks)
    if isinstance(before.database, Database) and before.database.login == "ok":
        return
    for one in seen(before.database_containers):
        shared = [name for name in rendering.networks if name in one.networks and name in there]
        assert shared, (
            f"{one.name} is in none of {', '.join(rendering.networks)} any more: the network was removed, or it was taken "
            f"out of it → {_move(before, rendering, one.name, running=one.running)}"
        )


def _move(before: Snapshot, rendering: Rendering, name: str, *, running: bool) -> str:
    """Return what brings Postgres back into the network; one that runs need not be restarted for it."""
    compose = " ".join(rendering.command[: rendering.command.index("config")])
    label = next(
        (one.labels.get("com.docker.compose.service", "") for one in seen(before.database_containers)), ""
    )
    network = next(iter(rendering.networks), "")
    if not running:
        return f"`{compose} up -d --no-deps --force-recreate {label}` in the stack's root makes it anew on its volume"
    return (
        f"`{compose} up -d --no-deps --no-recreate {label} && docker network connect --alias {label} {network} {name}` "
        "in the stack's root"
    )
