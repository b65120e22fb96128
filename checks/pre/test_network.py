"""The networks of the new container."""

from __future__ import annotations

from procedures.decide.check_files import check, seen
from reports.record.observed import Database, Rendering, Snapshot


@check(again=True)
def test_its_networks_exist_or_are_made(before: Snapshot) -> None:
    """Every network of the new container exists, or its start makes it."""
    there = seen(before.networks)
    missing = [
        network for network in seen(before.operator_rendering).external_networks if network not in there
    ]
    assert not missing, (
        f"network {missing[0]} does not exist, and Compose does not make it because it is declared external → run `docker "
        f"network create {missing[0]}`"
    )


@check(again=True)
def test_postgres_is_in_one_of_them(before: Snapshot) -> None:
    """The service's own Postgres shares a network with the new container, or can be reached from there in another way."""
    rendering, there = seen(before.operator_rendering), seen(before.networks)
    if isinstance(before.database, Database) and before.database.login == "ok":
        return
    for postgres in seen(before.database_containers):
        shared = [name for name in rendering.networks if name in postgres.networks and name in there]
        assert shared, (
            f"{postgres.name} is no longer in any of {', '.join(rendering.networks)}: the network was removed, or the "
            f"container was taken out of it → {_move(before, rendering, postgres.name, running=postgres.running)}"
        )


def _move(before: Snapshot, rendering: Rendering, name: str, *, running: bool) -> str:
    """Return the command that brings Postgres back into the network; a running Postgres is not restarted for it."""
    compose = " ".join(rendering.command[: rendering.command.index("config")])
    label = next(
        (
            postgres.labels.get("com.docker.compose.service", "")
            for postgres in seen(before.database_containers)
        ),
        "",
    )
    network = next(iter(rendering.networks), "")
    if not running:
        return f"`{compose} up -d --no-deps --force-recreate {label}` in the stack's root recreates it on its volume"
    return (
        f"`{compose} up -d --no-deps --no-recreate {label} && docker network connect --alias {label} {network} {name}` "
        "in the stack's root"
    )
