"""How a container that is made anew would differ, besides its image, its variables and its ports."""

from __future__ import annotations

from procedures.drivers.labels import PROJECT
from procedures.observe import rendered
from procedures.observe.engine import made
from procedures.observe.engine.description import ANONYMOUS
from procedures.observe.rendering import SECRETS
from reports.record.observed import Container, Image, Mount, Rendering, Unseen

_PROXIES = {"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"}
"""What the docker client gives to every container from its own configuration, in both spellings."""
HASH = "com.docker.compose.config-hash"
_VERSION = "com.docker.compose.version"
_FILES = "com.docker.compose.project.config_files"


def alike(container: Container, rendering: Rendering) -> bool:
    """Whether the same tool made the container and would make it anew: each tool names the same settings differently."""
    return rendering.by_compose == (PROJECT in container.labels)


def parts(container: Container, rendering: Rendering, image: Image | Unseen | None) -> tuple[str, ...]:
    """Return the parts that would differ; of a container that another tool made, only those that reach the host."""
    given = image.made if isinstance(image, Image) else None
    if container.made is None or rendering.made is None or given is None:
        return ()
    found = made.differences(container.made, rendering.made, given)
    return found if alike(container, rendering) else tuple(one for one in found if one in made.PRIVILEGE)


def variables(container: Container, rendering: Rendering, image: Image | Unseen | None) -> list[str]:
    """Return the variables that a new container of an image would have besides, with another value, or no longer."""
    found = [
        name for name, value in rendering.environment.items() if container.environment.get(name) != value
    ]
    own = image.environment if isinstance(image, Image) else None
    if own is not None:
        found += [
            f"{name} (removed)"
            for name, value in container.environment.items()
            if name not in rendering.environment and own.get(name) != value and name.upper() not in _PROXIES
        ]
    return sorted(found)


def everything(container: Container, rendering: Rendering, image: Image) -> tuple[str, ...]:
    """Return everything in which a container differs from what was rendered; nothing if that is unknown."""
    if rendering.made is None or container.made is None or not alike(container, rendering):
        return ()
    return (
        *variables(container, rendering, image),
        *parts(container, rendering, image),
        *mounts(container, rendering),
    )


def between(container: Container, before: tuple[Container, ...]) -> tuple[str, ...]:
    """Return what the container that was brought back may do more or less to its host than the one before."""
    changed = []
    for earlier in before:
        if earlier.made is not None and container.made is not None:
            then, now = earlier.made, container.made
            changed += [name for name in sorted(made.PRIVILEGE) if then.get(name) != now.get(name)]
        old, new = (
            {_describe(at) for at in each.mounts if not _is_of_no_name(at)} for each in (earlier, container)
        )
        changed += sorted(old ^ new)
    return tuple(changed)


def far_reaching(differences: tuple[str, ...]) -> tuple[str, ...]:
    """Return the parts that say what a container may do to its host, and who reaches it."""
    return tuple(one for one in differences if one in made.PRIVILEGE | made.REACH)


def mounts(container: Container, rendering: Rendering) -> tuple[str, ...]:
    """Return what would be mounted besides, or no longer; secrets and configs from the files are not data."""
    if rendering.mounts is None:
        return _volumes(container, rendering)
    then = {
        _describe(one)
        for one in container.mounts
        if not _is_of_no_name(one) and not _is_copied(one, rendering)
    }
    now = {_describe(one) for one in rendering.mounts if not _is_copied(one, rendering)}
    return (*(f"{one} (new)" for one in sorted(now - then)), *(f"{one} (gone)" for one in sorted(then - now)))


def _volumes(container: Container, rendering: Rendering) -> tuple[str, ...]:
    """Return the same by the names of volumes only, if nothing more is known."""
    now = {one for one in rendering.volumes if one}
    copied = {one.source for one in container.mounts if _is_copied(one, rendering)}
    then = {one for one in container.volumes if not ANONYMOUS.fullmatch(one)} - (copied - now)
    return (*(f"{one} (new)" for one in sorted(now - then)), *(f"{one} (gone)" for one in sorted(then - now)))


def compose_alone_knows(container: Container, rendering: Rendering) -> bool:
    """Whether Compose's own mark differs, if the marks can be compared at all."""
    return bool(another_hash(container, rendering)) and not incomparable(container, rendering)


def another_hash(container: Container, rendering: Rendering) -> str:
    """Return Compose's own mark on a container if it is none of those that the files would give."""
    mark = container.labels.get(HASH, "")
    return mark if rendering.hashes and mark not in rendering.hashes else ""


def incomparable(container: Container, rendering: Rendering) -> str:
    """Return why Compose's mark on a container says nothing about the files; empty if it does."""
    labels = container.labels
    if labels.get(_VERSION, "").partition("-")[0] != rendering.compose_version:
        return f"Compose {labels.get(_VERSION, 'of an unknown version')} has made it, here is {rendering.compose_version}"
    files = ",".join(rendered.origin(one) for one in labels.get(_FILES, "").split(","))
    if files != ",".join(rendering.compose_files):
        return f"it was made from {files or 'files that nobody knows'}"
    return "" if container.image == rendering.image else f"its image was named {container.image}"


def _is_of_no_name(mount: Mount) -> bool:
    return mount.kind == "volume" and bool(ANONYMOUS.fullmatch(mount.source))


def _is_copied(mount: Mount, rendering: Rendering) -> bool:
    return mount.target in rendering.copied_in or mount.target.startswith(SECRETS)


def _describe(mount: Mount) -> str:
    what = f"{mount.source or mount.kind} at {mount.target}"
    return f"{what}, read-only" if mount.read_only else what
