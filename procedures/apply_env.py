"""Apply changed settings: what the target's files say now and the running container does not have."""

from __future__ import annotations

from procedures.decide.facts import Group
from procedures.run.procedure import Intent, Procedure, Service
from procedures.target.target import Keys
from procedures.way_back.changes import changes
from procedures.way_back.way_back import WayBack
from reports.record.observed import Container, Rendering, Settings, Snapshot


def intend(service: Service) -> Intent:
    """Apply what the files say now, if they say anything new."""
    observers, nothing_new = service.observers, ""
    if service.container is not None and service.runs:
        image = observers.engine.image(service.container.image_id)
        if not changes(service.container, observers.operator_rendering, image):
            nothing_new = "nothing to apply: the container has every value that the files give it"
    keys = observers.target.keys
    keep = WayBack(observers, service.container, service.stem, service.grace, taken=True)
    return Intent(
        prepare=(keep,),
        way_back=keep,
        lacking=keep.lacking,
        nothing_new=nothing_new,
        applies=True,
        changes=lambda before: describe(before, keys),
    )


def describe(before: Snapshot, keys: Keys) -> str:
    """Say what is applied: the container's variables, and the keys of the env file that the settings show."""
    rendering, container = before.operator_rendering, before.container
    if not isinstance(rendering, Rendering) or container is None:
        return ""
    changed = changes(container, rendering, before.running_image)
    said = f"changed since the container was made: {', '.join(changed) or 'nothing'}"
    named = _keys(before, rendering, container, keys)
    return said + (f"; keys of the env file: {', '.join(named)}" if named else "")


def _keys(before: Snapshot, rendering: Rendering, container: Container, keys: Keys) -> list[str]:
    ports = {one.container_port: one.host_port for one in container.bindings}
    new_ports = {one.container_port: one.host_port for one in rendering.bindings}
    wanted = {
        key: str(rendering.interpolation.get(key) or "") for key in (keys.http_port, keys.management_port)
    }
    changed = [
        key
        for key, port in wanted.items()
        if port.isdigit() and int(port) in new_ports.values() and int(port) not in ports.values()
    ]
    then, now = before.running_settings, rendering.settings
    if isinstance(then, Settings) and isinstance(now, Settings):
        pairs = (
            (keys.db_host, then.db_host, now.db_host),
            (keys.db_port, then.db_port, now.db_port),
            (keys.db_name, then.db_name, now.db_name),
            (keys.db_user, then.db_user, now.db_user),
            (keys.db_password, then.db_password, now.db_password),
            (keys.basic_auth_user, then.basic_auth_user, now.basic_auth_user),
            (keys.basic_auth_password, then.basic_auth_password, now.basic_auth_password),
        )
        changed += [key for key, old, new in pairs if old != new]
    return changed


PROCEDURE = Procedure(
    "apply_env",
    "restart with the settings that the files say now, each tried before the stop",
    Group.ACTING | Group.KEEPING | Group.NEW_SETTINGS | Group.SAME_IMAGE | Group.SAME_SCHEMA,
    intend,
    returns=True,
)
