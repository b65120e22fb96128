"""The whole container that would be made, compared with the running one: a restart changes only the process."""

from __future__ import annotations

from procedures.decide.check_files import check, seen
from procedures.way_back import changes, recreation
from reports.record.observed import Container, Snapshot


@check(protects="data", again=True)
def test_the_mounts_stay_the_same(before: Snapshot, mounts_to_keep: Container) -> None:
    """The new container gets exactly the volumes and folders of the present container, at the same places."""
    changed = recreation.mounts(mounts_to_keep, seen(before.operator_rendering))
    assert not changed, (
        f"its mounts would change: {', '.join(changed)} → put the old ones back in the compose file or the env file; this "
        "run moves no data"
    )


@check(again=True)
def test_its_privileges_and_its_reach_stay_the_same(before: Snapshot, mounts_to_keep: Container) -> None:
    """The new container has the same privileges on its host and the same networks as the present container."""
    rendering, image = seen(before.operator_rendering), seen(before.running_image)
    changed = recreation.far_reaching(recreation.parts(mounts_to_keep, rendering, image))
    assert not changed, (
        f"these would change: {', '.join(changed)} → put the old values back in the compose file; if the change is "
        "intended, run `pytest -m apply_env` and waive this check with a reason"
    )


# A service that is down starts with what the files say now.
@check(again=True, only_with=("server_before",))
def test_nothing_else_of_the_container_changes(before: Snapshot, settings_to_keep: Container) -> None:
    """The new container is made like the present one: command, limits, restart policy, health check, logging, labels and all the rest."""
    rendering, image = seen(before.operator_rendering), seen(before.running_image)
    parts = recreation.parts(settings_to_keep, rendering, image)
    changed = sorted({*parts} - {*recreation.far_reaching(parts)})
    assert not changed, (
        f"these would change: {', '.join(changed)}; a plain restart changes nothing but the process → put the old values "
        "back, or apply the new ones with `pytest -m apply_env`"
    )


@check(again=True, only_with=("server_before",))
def test_compose_knows_no_other_difference(before: Snapshot, settings_to_keep: Container) -> None:
    """Compose's own mark shows no unnamed difference between the container and these files, where the mark can be compared."""
    rendering, image = seen(before.operator_rendering), seen(before.running_image)
    assert changes.UNNAMED not in changes.changes(settings_to_keep, rendering, image), (
        "Compose would make another container, by a difference that has no name here → compare the compose file with its "
        "last version; if the change is intended, `pytest -m apply_env` makes the container anew"
    )


@check(advisory=True)
def test_compose_can_compare_it(before: Snapshot, settings_to_keep: Container) -> None:
    """Compose's own mark on the container is the mark of these files, or a mark that can be compared with theirs."""
    rendering = seen(before.operator_rendering)
    why = recreation.incomparable(settings_to_keep, rendering)
    assert not (why and recreation.another_hash(settings_to_keep, rendering)), (
        f"its mark differs, but says nothing about the files: {why}; the container was still compared part by part → "
        "there is nothing to do: the mark of the new container can be compared again"
    )
