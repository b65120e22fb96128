"""The values of the env file reach the server unchanged, through Compose and every layer below it."""

from __future__ import annotations

from procedures.decide.check_files import check, seen
from procedures.drivers.labels import PROJECT
from procedures.kestra import basic_auth
from procedures.target.target import Target
from procedures.way_back import changes, recreation
from reports.record.observed import Container, Rendering, Secret, Snapshot, Unseen


def test_the_operators_call_renders_what_the_env_file_says(before: Snapshot, target: Target) -> None:
    """The operator's own call and the env files alone give the service the same values."""
    by_operator, by_file = seen(before.operator_rendering), seen(before.file_rendering)
    names = [
        name
        for name in target.keys.names
        if by_operator.interpolation.get(name) != by_file.interpolation.get(name)
    ]
    assert not names, (
        f"{', '.join(names)} differ: something in the caller's environment or another env file wins over "
        f"{', '.join(str(file) for file in target.env_files)} → unset these variables, or link the file beside the "
        "compose file as `.env`"
    )
    differing = [
        what
        for what, by_call, by_files in (
            ("image", by_operator.image, by_file.image),
            ("published ports", by_operator.bindings, by_file.bindings),
            ("container name", by_operator.container_name, by_file.container_name),
            ("environment", by_operator.environment, by_file.environment),
        )
        # What a script adds by itself does not come from Compose's files.
        if by_call != by_files and by_operator.by_compose
    ]
    assert not differing, (
        f"the two renderings differ in: {', '.join(differing)} → find the variable that is set twice"
    )


def test_the_ports_are_those_of_the_env_file(before: Snapshot, target: Target) -> None:
    """The container will publish the ports that the env file gives, and they are valid port numbers."""
    rendering = seen(before.operator_rendering)
    for key, container_port in (
        (target.keys.http_port, target.http_container_port),
        (target.keys.management_port, target.management_container_port),
    ):
        wanted = str(rendering.interpolation.get(key) or "")
        published = sorted(
            {binding.host_port for binding in rendering.bindings if binding.container_port == container_port}
        )
        if wanted:
            assert wanted.isdigit() and 0 < int(wanted) < 65536, (
                f"{key}={wanted!r} is no port number → correct it in the env file"
            )
            assert published == [int(wanted)], (
                f"{key} says {wanted}, but the rendered service publishes {published} for {container_port} → find what the "
                "compose file takes instead"
            )


def test_the_database_settings_are_those_of_the_env_file(before: Snapshot, target: Target) -> None:
    """The database host, port, name, user and password reach the server as the env file gives them."""
    rendering = seen(before.operator_rendering)
    settings = seen(rendering.settings)
    assert not settings.problems, f"{'; '.join(settings.problems)} → correct the compose file or the env file"
    keys = target.keys
    changed = [
        key
        for key, reads in (
            (keys.db_host, settings.db_host),
            (keys.db_port, str(settings.db_port)),
            (keys.db_name, settings.db_name),
            (keys.db_user, settings.db_user),
            (keys.db_password, settings.db_password),
        )
        if not _same(rendering, key, reads)
    ]
    assert not changed, (
        f"what the server reads differs from the env file for {', '.join(changed)}: a layer in between (YAML quoting, "
        "the image's echo, a `#`, a backslash, a `$`) changes it → write the value so that every layer keeps it"
    )


def test_basic_auth_is_on_and_as_the_env_file_says(before: Snapshot, target: Target) -> None:
    """Basic auth is on, with the user and password of the env file."""
    rendering = seen(before.operator_rendering)
    settings = seen(rendering.settings)
    assert settings.basic_auth_enabled, (
        "the configuration does not say `enabled: true` for basic auth, so a Kestra before "
        f"{basic_auth.ALWAYS_ON_SINCE} lets everybody in → set kestra.server.basic-auth.enabled to true"
    )
    changed = [
        key
        for key, reads in (
            (target.keys.basic_auth_user, settings.basic_auth_user),
            (target.keys.basic_auth_password, settings.basic_auth_password),
        )
        if not _same(rendering, key, reads)
    ]
    assert not changed, (
        f"what the server reads differs from the env file for {', '.join(changed)} → write the value so that every "
        "layer keeps it"
    )


@check(again=True)
def test_basic_auth_satisfies_this_version(before: Snapshot) -> None:
    """The basic-auth user and password satisfy the rules of this version."""
    rendering = seen(before.operator_rendering)
    settings = seen(rendering.settings)
    # An image that is still to be pulled is checked again once it is here.
    image = before.running_image if isinstance(before.image, Unseen) else before.image
    problem = basic_auth.problem(settings, seen(image).version)
    assert not problem, f"{problem} → choose others in the env file"


# A service that is down starts with what the files say now.
@check(only_with=("server_before",))
def test_the_running_container_has_the_same_configuration(
    before: Snapshot, settings_to_keep: Container
) -> None:
    """The running container has the same settings and ports that the new container will get."""
    rendering = seen(before.operator_rendering)
    # Compose and scripts give different variables; what the server reads of them is compared below.
    made_alike = (PROJECT in settings_to_keep.labels) == rendering.by_compose
    image = seen(before.running_image)
    changed = recreation.variables(settings_to_keep, rendering, image) if made_alike else []
    if changes.published_elsewhere(settings_to_keep.bindings, rendering.bindings):
        changed.append("the published ports")
    assert not changed, (
        f"changed since the container was made: {', '.join(changed)}; a plain restart changes nothing but the process → "
        "put the old values back, or apply the new ones with `pytest -m apply_env`"
    )
    assert seen(before.running_settings) == seen(rendering.settings), (
        "the configuration has changed since the container was made → put the old values back, or apply the new ones "
        "with `pytest -m apply_env`"
    )


def _same(rendering: Rendering, key: str, reads: str | Secret | None) -> bool:
    """Whether the server reads the value of a key; a key that is set nowhere says nothing."""
    wanted = rendering.interpolation.get(key)
    if wanted is None or wanted == "":
        return bool(reads)
    plain = wanted.value if isinstance(wanted, Secret) else wanted
    return plain == (reads.value if isinstance(reads, Secret) else reads)
