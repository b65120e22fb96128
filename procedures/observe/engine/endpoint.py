"""Where the engine is: resolved once, as the docker client itself would, and the same for every client."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from procedures.drivers import shell
from procedures.problems import CannotObserve
from procedures.target.target import Target

_HERE = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Tls:
    """The folder of the client's certificates; without `verify` the engine's certificate is not checked."""

    folder: Path
    verify: bool

    def existing(self, name: str) -> str | None:
        file = self.folder / name
        return str(file) if file.is_file() else None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the engine is: one address for every client, so that none of them finds another engine."""

    url: str
    context: str
    tls: Tls | None = None

    @property
    def host(self) -> str:
        """The host on which the engine publishes ports: this one, if a socket leads to the engine."""
        host = urlsplit(self.url).hostname if self.url.startswith("tcp://") else None
        if not host:
            return _HERE
        return f"[{host}]" if ":" in host else host

    def environment(self, caller: Mapping[str, str]) -> dict[str, str]:
        """Return a caller's environment in which every docker client finds this engine and no other."""
        inside = {
            name: value
            for name, value in caller.items()
            if name not in {"DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY"}
        }
        inside["DOCKER_HOST"] = self.url
        if self.tls:
            inside["DOCKER_CERT_PATH"] = str(self.tls.folder)
            inside["DOCKER_TLS_VERIFY" if self.tls.verify else "DOCKER_TLS"] = "1"
        return inside


def of_target(target: Target, environment: Mapping[str, str]) -> Endpoint:
    """Resolve the engine that a target names, or the one that the operator's own `docker` would use."""
    if target.context:
        return resolve(environment, target.root, target.context, f"'context' in {target.file}")
    if target.endpoint:
        named = {**environment, "DOCKER_HOST": target.endpoint}
        return resolve(named, target.root, "default", f"'endpoint' in {target.file}")
    return resolve(environment, target.root)


def of_words(words: tuple[str, ...], environment: Mapping[str, str]) -> Endpoint:
    """Resolve the engine that a docker client would use with these words: `--context` or `--host`, or none."""
    option, name = words or ("", "")
    if option == "--host":
        return resolve({**environment, "DOCKER_HOST": name}, Path.cwd(), "default")
    return resolve(environment, Path.cwd(), name)


def resolve(environment: Mapping[str, str], cwd: Path, context: str = "", named_by: str = "") -> Endpoint:
    """Ask the docker client where the engine is, without a connection to it."""
    name = (context,) if context else ()
    call = shell.Command(
        ("docker", "context", "inspect", "--format", "{{json .}}", *name), cwd, 10, environment
    )
    result = shell.run(call)
    if result.exit_code is None:
        raise CannotObserve(
            "there is no docker client here", "install it: `stack/up.sh engine` does, or docker.io"
        )
    move = "correct DOCKER_CONTEXT or DOCKER_HOST, or choose another by `docker context use`"
    if named_by:
        move = f"correct the key {named_by}; `docker context ls` names the contexts of this user"
    try:
        said = json.loads(result.stdout) if result.ok else {}
        docker = said["Endpoints"]["docker"]
        url = str(docker["Host"])
    except (ValueError, KeyError, TypeError):
        raise CannotObserve(f"the docker context cannot be resolved: {result.output.strip()}", move) from None
    if url.startswith("ssh://"):
        raise CannotObserve(
            f"the engine's address is {url}, and this suite does not speak ssh",
            "let ssh forward its socket (`ssh -nNT -L /tmp/engine.sock:/var/run/docker.sock HOST`) and name "
            "endpoint = 'unix:///tmp/engine.sock' in the target file",
        )
    return Endpoint(url, str(said["Name"]), _tls(said, docker, environment))


def _tls(
    said: Mapping[str, object], docker: Mapping[str, object], environment: Mapping[str, str]
) -> Tls | None:
    """Return the certificates of a context, or of the environment if the client uses those."""
    material, stored = said.get("TLSMaterial") or {}, said.get("Storage") or {}
    if not isinstance(material, Mapping) or not isinstance(stored, Mapping) or "docker" not in material:
        return None
    if said.get("Name") != "default":
        return Tls(Path(str(stored.get("TLSPath", ""))) / "docker", not docker.get("SkipTLSVerify"))
    folder = environment.get("DOCKER_CERT_PATH") or environment.get("DOCKER_CONFIG")
    home = Path(environment.get("HOME", "~")).expanduser() / ".docker"
    return Tls(Path(folder) if folder else home, bool(environment.get("DOCKER_TLS_VERIFY")))
