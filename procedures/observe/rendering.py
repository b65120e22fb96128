"""What Compose makes of the target's files, as Compose itself says."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from procedures.drivers import shell
from procedures.drivers.compose import Compose
from procedures.kestra import configuration
from procedures.observe.engine import made
from procedures.problems import CannotObserve
from procedures.target.durations import seconds
from procedures.target.target import Target
from reports.record.observed import Binding, DryRun, Rendering, Secret, Unseen
from reports.redaction import excerpt
from reports.redaction.secret_names import environment_of, secrets_inside

SECRETS = "/run/secrets/"
_TOUCHED = re.compile(r"Container\s+(\S+)\s+(Recreat|Creat|Start|Stopp|Remov|Restart|Kill)")
_WARNING = re.compile(r'level=warning msg="(.*)"$')


def by_operator(
    target: Target, compose: Compose, names: tuple[str, ...]
) -> tuple[Rendering, Mapping[str, Any]]:
    """Render as the operator's own call does, with its environment; return the whole model too."""
    call = compose.render(30)
    model, warnings = model_of(call)
    found = _rendering(target, call, model, warnings, _worth(compose.interpolate(names, 30, by_file=False)))
    model = readable(model)
    hashes, unread, version = known_by(target, compose, model)
    return dataclasses.replace(found, hashes=hashes, unread=unread, compose_version=version), model


def readable(model: Mapping[str, Any]) -> dict[str, Any]:
    """Return a model that Compose can read back, as its own start has it.

    Compose leaves out a service whose profile is not active, but still names it where another service depends on it.
    """
    services = model.get("services") or {}
    return {**model, "services": {name: _of_these(one, services) for name, one in services.items()}}


def _of_these(service: Mapping[str, Any], services: Mapping[str, Any]) -> dict[str, Any]:
    """Return a service that depends on these services only."""
    named = service.get("depends_on") or {}
    there = {name: how for name, how in named.items() if name in services}
    return {**service, "depends_on": there} if named else dict(service)


def known_by(target: Target, compose: Compose, model: Mapping[str, Any]) -> tuple[tuple[str, ...], str, str]:
    """Return the hashes by which Compose recognises a container, why it cannot read the model, and its version.

    Compose leaves the dependencies out of the hash with `--no-deps`, and some versions always do.
    """
    service = {key: value for key, value in model["services"][target.service].items() if key != "depends_on"}
    alone = {**model, "services": {target.service: service}}
    calls = (compose.version(30), *(compose.hash_of(json.dumps(one), 30) for one in (model, alone)))
    with ThreadPoolExecutor(len(calls)) as pool:
        version, *hashes = pool.map(shell.run, calls)
    found = (one.stdout.split()[-1] for one in hashes if one.ok and one.stdout.split())
    unread = "" if hashes[0].ok else excerpt.last(hashes[0].output, 300) or "it said nothing"
    return tuple(dict.fromkeys(found)), unread, _plain(version.stdout) if version.ok else ""


def _plain(version: str) -> str:
    """Return a version as Compose writes it on a container: without a distribution's suffix."""
    return version.strip().removeprefix("v").partition("-")[0].partition("+")[0]


def by_file(target: Target, compose: Compose, names: tuple[str, ...]) -> Rendering:
    """Render by the env files alone."""
    call = compose.render_by_file(30)
    return _rendering(target, call, *model_of(call), _worth(compose.interpolate(names, 30, by_file=True)))


def reaching_kept(target: Target, files: Rendering) -> dict[str, str | Secret]:
    """Return the keys of the env files that still count for a kept container: the gateway's port alone."""
    gateway = target.keys.gateway_port
    return {name: value for name, value in files.interpolation.items() if name == gateway}


def dry_run(command: shell.Command) -> DryRun:
    """Ask Compose what a command would do."""
    result = shell.run(command)
    if result.exit_code is None or result.timed_out:
        raise CannotObserve(f"the dry run of the start did not end: {excerpt.last(result.output, 300)}")
    touched = {match[1] for match in _TOUCHED.finditer(result.output)}
    anew = {match[1] for match in _TOUCHED.finditer(result.output) if match[2] in {"Recreat", "Creat"}}
    return DryRun(
        command.argv,
        result.exit_code,
        tuple(sorted(touched)),
        excerpt.last(result.output, 2000),
        tuple(sorted(anew)),
    )


def _worth(names: shell.Command) -> dict[str, str | Secret]:
    values = model_of(names)[0]["services"]["names"]["environment"]
    return environment_of({name: _text(value) for name, value in values.items()})


def _rendering(
    target: Target,
    call: shell.Command,
    model: Mapping[str, Any],
    warnings: tuple[str, ...],
    worth: dict[str, str | Secret],
) -> Rendering:
    service = (model.get("services") or {}).get(target.service)
    if not isinstance(service, dict):
        known = ", ".join(sorted(model.get("services") or {})) or "none"
        raise CannotObserve(
            f"the compose file has no service {target.service!r}; its services: {known}",
            f"correct the key 'service' in {target.file}",
        )
    database = (model.get("services") or {}).get(target.database_service) or {}
    environment = {name: _text(value) for name, value in (service.get("environment") or {}).items()}
    return Rendering(
        command=call.argv,
        project=str(model.get("name", "")),
        image=_text(service.get("image")),
        container_name=_text(service.get("container_name")) or f"{model.get('name', '')}-{target.service}-1",
        bindings=tuple(_binding(one) for one in service.get("ports") or ()),
        stop_grace=seconds(str(service.get("stop_grace_period", "")))
        if service.get("stop_grace_period")
        else None,
        restart_policy=_text(service.get("restart")),
        has_health_check="healthcheck" in service and not service["healthcheck"].get("disable", False),
        environment=environment_of(environment),
        volumes=_volumes(service, model),
        networks=_networks(service, model),
        database_image=_text(database.get("image")),
        warnings=warnings,
        interpolation=worth,
        settings=Unseen("the configuration has not been read yet"),
        external_networks=_external(service, model),
        copied_in=copied_in(service),
        platform=_text(service.get("platform")),
        made=environment_of(made.of_model(target.service, model)),
        mounts=made.mounts_of(target.service, model),
        compose_files=tuple(str(one) for one in target.compose_files),
    )


def model_of(call: shell.Command) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the whole model that a call of Compose renders, dollar signs doubled, and Compose's warnings."""
    result = shell.run(call)
    if result.exit_code is None or result.timed_out:
        raise CannotObserve(
            f"Compose did not answer: {excerpt.last(result.output, 300)}", "try the command by hand"
        )
    if not result.ok:
        said = excerpt.last(result.output, 500)
        if "is not a docker command" in said or "unknown shorthand flag" in said:
            raise CannotObserve(
                "the docker client has no Compose plugin",
                "install docker-compose-plugin (or docker-compose 2), or let `stack/up.sh engine` do it",
            )
        raise CannotObserve(f"Compose cannot render the files: {said}", "correct the file that it names")
    warnings = tuple(match[1] for line in result.output.splitlines() if (match := _WARNING.search(line)))
    try:
        model = json.loads(result.stdout)
    except ValueError as error:
        raise CannotObserve(f"Compose's rendering is no JSON: {error}") from error
    return model, warnings


def _text(value: object) -> str:
    """Undo what `compose config` does to a dollar sign."""
    return "" if value is None else str(value).replace("$$", "$")


def _binding(port: Mapping[str, Any]) -> Binding:
    published = str(port.get("published") or "0")
    return Binding(
        f"{port['target']}/{port.get('protocol', 'tcp')}",
        str(port.get("host_ip") or ""),
        int(published) if published.isdigit() else 0,
    )


def _volumes(service: Mapping[str, Any], model: Mapping[str, Any]) -> tuple[str, ...]:
    known = model.get("volumes") or {}
    return tuple(
        str((known.get(one.get("source")) or {}).get("name") or one.get("source", ""))
        for one in service.get("volumes") or ()
    )


def copied_in(service: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the paths in a container at which it has secrets and configs, mounted or copied."""
    found = []
    for part, folder in (("secrets", SECRETS), ("configs", "/")):
        for one in service.get(part) or ():
            target = str(one.get("target") or one.get("source", ""))
            found.append(target if target.startswith("/") else folder + target)
    return tuple(found)


def _networks(service: Mapping[str, Any], model: Mapping[str, Any]) -> tuple[str, ...]:
    if mode := service.get("network_mode"):
        return (str(mode),)
    known = model.get("networks") or {}
    names = service.get("networks") or {"default": None}
    return tuple(str((known.get(one) or {}).get("name") or one) for one in names)


def _external(service: Mapping[str, Any], model: Mapping[str, Any]) -> tuple[str, ...]:
    known = model.get("networks") or {}
    named = [known.get(one) or {} for one in service.get("networks") or ("default",)]
    return tuple(str(one.get("name")) for one in named if one.get("external") and one.get("name"))


def secrets_of(values: Mapping[str, str | Secret], named: tuple[str, ...]) -> dict[str, Secret]:
    """Return the secrets in an environment: values of secret names, of keys that are `named`, and parts of URLs."""
    found = {name: value for name, value in values.items() if isinstance(value, Secret)}
    for name, value in values.items():
        if isinstance(value, str) and name in named and value:
            found[name] = Secret(value)
        elif isinstance(value, str) and name != configuration.VARIABLE:
            found |= secrets_inside(name, value)
    return found
