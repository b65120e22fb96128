"""The registry that updates are tested with is a real one, and its faults reach the engine."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest
from docker.errors import ImageNotFound

from procedures.way_back.way_back import REPOSITORY
from tests.leftovers import own_name
from tests.registry import Registry, registry
from tests.stacks import engine
from tests.variants import foreign_variant

# Tiny images: what a registry and the engine say to each other does not depend on their size.
OLD, NEW = "kestra:0.20.8", "kestra:0.20.9"


@pytest.fixture(scope="module", name="filled")
def _filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Registry, dict[str, str]]]:
    with registry(tmp_path_factory.mktemp("registry")) as made:
        with foreign_variant("0.20.8") as old, foreign_variant("0.20.9") as new:
            digests = {OLD: made.push(old, OLD), NEW: made.push(new, NEW)}
        yield made, digests


@pytest.fixture(name="served")
def _served(filled: tuple[Registry, dict[str, str]]) -> Iterator[Registry]:
    yield filled[0]
    filled[0].forget()


@pytest.fixture(name="digests")
def _digests(filled: tuple[Registry, dict[str, str]]) -> dict[str, str]:
    return filled[1]


def pull(reference: str, limit: float = 30) -> subprocess.CompletedProcess[str]:
    """Pull as an operator does."""
    return subprocess.run(
        ["docker", "pull", reference], check=False, capture_output=True, text=True, timeout=limit
    )


def is_known(reference: str) -> bool:
    with engine() as client:
        try:
            client.images.get(reference)
        except ImageNotFound:
            return False
        return True


def test_what_was_pushed_is_pulled_under_its_digest(served: Registry, digests: dict[str, str]) -> None:
    """The engine has no name for a pushed image until it pulls it, and then finds the digest that the push gave."""
    assert not is_known(served.reference(OLD))

    image = served.pull(OLD)

    assert image.attrs["RepoDigests"] == [f"{served.address}/kestra@{digests[OLD]}"]
    assert image.labels["org.opencontainers.image.version"] == "0.20.8-understudy"
    assert image.attrs["Architecture"] == "arm64"
    assert "HEAD /v2/kestra/manifests/0.20.8" in served.requests


def test_a_forgotten_name_is_gone_from_the_engine(served: Registry) -> None:
    """Nothing of a registry stays on the engine."""
    served.pull(OLD)
    served.forget()

    assert not is_known(served.reference(OLD))


def test_what_a_tag_has_moved_away_from_is_forgotten_too(served: Registry) -> None:
    """An image that only its digest and a procedure's own name still hold goes with the registry."""
    served.push(str(served.pull(OLD).id), "kestra:moved")
    served.forget()
    first = served.pull("kestra:moved")
    first.tag(REPOSITORY, own_name())
    with foreign_variant("0.20.7") as other:
        served.push(other, "kestra:moved")
    served.pull("kestra:moved")
    served.forget()

    assert not is_known(str(first.id))


@pytest.mark.parametrize(
    ("status", "said"), [(401, "no basic auth credentials"), (403, "denied"), (500, "500 Internal")]
)
def test_a_registry_that_refuses(served: Registry, status: int, said: str) -> None:
    """The engine tells the refusal, and the registry answers again afterwards."""
    with served.refusing(status):
        refused = pull(served.reference(OLD))

    assert refused.returncode == 1
    assert said in refused.stderr
    assert not is_known(served.reference(OLD))
    assert pull(served.reference(OLD)).returncode == 0


def test_a_registry_that_never_answers(served: Registry) -> None:
    """A pull from a registry that accepts and says nothing does not end by itself."""
    with served.hanging(), pytest.raises(subprocess.TimeoutExpired) as silence:
        pull(served.reference(OLD), limit=1)

    assert not silence.value.stdout
    assert not is_known(served.reference(OLD))


def test_a_registry_that_stops_in_the_middle_of_a_layer(served: Registry) -> None:
    """A pull that has begun does not end by itself, and leaves no image."""
    with served.hanging_in_layer(), pytest.raises(subprocess.TimeoutExpired) as silence:
        pull(served.reference(OLD), limit=1.5)

    assert b"Pulling fs layer" in (silence.value.stdout or b"")
    assert not is_known(served.reference(OLD))


def test_a_registry_that_announces_another_digest(served: Registry, digests: dict[str, str]) -> None:
    """Asked for the name it tells one digest and gives another; asked for the digest it gives what is refused."""
    with foreign_variant("0.21.0") as unmet:
        announced = served.push(unmet, "kestra:0.21.0")
    with served.lying(OLD, announced):
        with engine() as client:
            told = client.images.get_registry_data(served.reference(OLD)).id
        by_name = served.pull(OLD)
        by_digest = pull(f"{served.address}/kestra@{announced}")

    assert told == announced
    assert by_name.attrs["RepoDigests"] == [f"{served.address}/kestra@{digests[OLD]}"]
    assert by_digest.returncode == 1
    assert "manifest verification failed" in by_digest.stderr


def test_a_moved_tag_is_pulled_anew(served: Registry, digests: dict[str, str]) -> None:
    """A tag that has been pushed again is another image from then on."""
    for name in (OLD, NEW):
        served.pull(name)
        moved = served.push(served.reference(name), "kestra:moving")

        assert moved == digests[name]
        assert f"{served.address}/kestra@{digests[name]}" in served.pull("kestra:moving").attrs["RepoDigests"]
