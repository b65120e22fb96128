"""What is kept before a change, so that the way back starts exactly what ran: the engine's description of the container.

By then, the target's own files may say something else; they are never edited. The description holds the container's
values in the clear, so it is stored beside the journal with mode 0600, outside the evidence.
"""

from __future__ import annotations

import dataclasses
import json
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from procedures.drivers import private
from procedures.drivers.labels import PROJECT
from procedures.drivers.shell import Command
from procedures.observe.engine.containers import asked_bindings, container_of
from procedures.observe.engine.description import ANONYMOUS, Described
from procedures.observe.engine.engine import EngineObserver
from procedures.observe.rendering import reaching_kept
from procedures.problems import CannotObserve
from procedures.target.target import Target
from procedures.way_back import copied, creation
from reports.record.observed import Container, Rendering

SUFFIX = ".kept.json"
ANY = ".kept."
"""The part of its name that every kept file has."""
CHOSEN = ".rollback."
"""The part of its name that every file of a rollback's choice has."""
CHOOSE = "choose"
"""The journal's name for the choice of that image."""
FORM = "kestra-restart container 1"
"""The form that the file names; earlier versions of this suite wrote other forms."""
CHECKOUT = Path(__file__).resolve().parent.parent.parent
_PREDEFINED = frozenset({"bridge", "host", "none"})


@dataclass(frozen=True, slots=True)
class Kept:
    """One container as it was: the engine's description, and what the description does not contain.

    `image` is the name under which its image is kept, `own_image` what the engine says of the image that it was made
    of. `another`: `image` is not that image. `networks` are the definitions of its networks by name, `files` the
    archives of the files that Compose copied in, `reach` the words by which a typed `docker` reaches the engine.
    """

    container: Described
    image: str
    own_image: Described
    another: bool
    networks: Mapping[str, Described]
    files: Mapping[str, str]
    reach: tuple[str, ...]

    @property
    def name(self) -> str:
        return str(self.container["Name"]).lstrip("/")

    @property
    def grace(self) -> int:
        """The seconds that a container in its place is given to end."""
        return int(self.container["Config"].get("StopTimeout") or 10)

    @property
    def creation(self) -> creation.Creation:
        """What makes the container again."""
        make = creation.of_another_image if self.another else creation.of
        return make(self.container, self.own_image)


def keep(
    engine: EngineObserver, target: Target, container: Container, image: str, copied_in: tuple[str, ...]
) -> Kept:
    """Read from the engine what is kept of a container; `copied_in` are the paths that Compose copies to."""
    described = engine.described(container.id)
    if described is None:
        raise CannotObserve(f"the container {container.name} has gone, so nothing of it can be kept")
    own_image = engine.described_image(container.image_id)
    networks = {}
    for name in described["NetworkSettings"].get("Networks") or {}:
        if name not in _PREDEFINED:
            networks[name] = creation.definition_of(engine.described_network(name))
    return Kept(
        container=described,
        image=image,
        own_image={"Config": own_image.get("Config") or {}},
        another=False,
        networks=networks,
        files=copied.out_of(engine, described, copied_in),
        reach=target.engine_flags,
    )


def write(file: Path, kept: Kept) -> None:
    """Write what is kept where only its owner can read it, safe from a crash."""
    private.write(file, json.dumps({"form": FORM, **dataclasses.asdict(kept)}, indent=1))


def read(file: Path) -> Kept:
    """Read what was kept, or raise `CannotObserve`."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CannotObserve(f"it cannot be read: {error}") from error
    if not isinstance(found, dict) or found.pop("form", "") != FORM:
        raise CannotObserve("it has another form than this version of the suite writes")
    try:
        return Kept(**{**found, "reach": tuple(found["reach"])})
    except (KeyError, TypeError) as error:
        raise CannotObserve(f"it is not complete: {error}") from error


def forget_all(folder: Path) -> None:
    """Remove what every run of this place kept, and what rollbacks started from: both hold values."""
    for one in (*folder.glob(f"*{ANY}*"), *folder.glob(f"*{CHOSEN}*")):
        one.unlink(missing_ok=True)


def start(file: Path, environment: Mapping[str, str], limit: float) -> Command:
    """Build the command that puts what was kept in the place of the container with its name, and starts it."""
    return Command((*_words(file), str(file)), CHECKOUT, limit, environment)


def trial(file: Path, run: str, environment: Mapping[str, str], limit: float) -> Command:
    """Build the command that makes it once more under another name, compares, and never starts it."""
    return Command((*_words(file), "--try", run, str(file)), CHECKOUT, limit, environment)


def typed(file: Path) -> str:
    """Return how what was kept is started by hand."""
    return f"cd {shlex.quote(str(CHECKOUT))} && {shlex.join((*_words(file), str(file)))}"


def _words(file: Path) -> tuple[str, ...]:
    if file.suffix == ".sh":  # as an earlier version of this suite kept it
        return ("sh",)
    return (sys.executable, "-m", "procedures.way_back")


def rendering(kept: Kept, target: Target, files: Rendering) -> Rendering:
    """Return what is started from what was kept, in place of what Compose renders of the target's `files`.

    No key of an env file affects it any more, except the gateway's port, which is not the service's own.
    """
    was = container_of(kept.container)
    named = tuple(one for one in was.mounts if not (one.kind == "volume" and ANONYMOUS.fullmatch(one.source)))
    return dataclasses.replace(
        files,
        image=kept.image,
        container_name=was.name,
        bindings=asked_bindings(kept.container),
        stop_grace=was.stop_grace,
        restart_policy=was.restart_policy,
        has_health_check=was.health_check is not None,
        environment=was.environment,
        volumes=tuple(one.source for one in named),
        networks=was.networks,
        external_networks=(),
        copied_in=tuple(kept.files),
        interpolation=reaching_kept(target, files),
        by_compose=PROJECT in was.labels,
        made=was.made,
        mounts=named,
        warnings=(),
        hashes=(),
        unread="",
        platform="",
    )
