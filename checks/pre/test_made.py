"""The whole of what would be made, beside what runs: a restart changes nothing but the process."""

from __future__ import annotations

from procedures.decide.check_files import check, seen
from procedures.way_back import changes, recreation
from reports.record.observed import Container, Snapshot


@check(protects="data", again=True)
def test_the_mounts_stay_the_same(before: Snapshot, mounts_to_keep: Container) -> None:
    """The new container gets the volumes and folders of the present one, at the same places, no other and none less."""
    changed = recreation.mounts(mounts_to_keep, seen(before.operator_rendering))
    assert not changed, (
        f"it would have other ones: {', '.join(changed)} → put the old ones back in the compose file or the env file; moving "
        "data is no matter of this run"
    )


@check(again=True)
def test_its_privileges_and_its_reach_stay_the_same(before: Snapshot, mounts_to_keep: Container) -> None:
    """The new container may do to its host what the present one may, and stands in the same networks."""
    rendering, image = seen(before.operator_rendering), seen(before.running_image)
    changed = recreation.far_reaching(recreation.parts(mounts_to_keep, rendering, image))
    assert not changed, (
        f"others would be: {', '.join(changed)} → put the old values back in the compose file; if they are meant, waive this "
        "with a reason, with `pytest -m apply_env`"
    )


# A service that is down is started with what the files say now.
@check(again=True, only_with=("server_before",))
def test_nothing_else_of_the_container_changes(before: Snapshot, settings_to_keep: Container) -> None:
    """The new container is made as the present one: command, limits, restart policy, health check, logging, labels and all."""
    rendering, image = seen(before.operator_rendering), seen(before.running_image)
    found = recreation.parts(settings_to_keep, rendering, image)
    changed = sorted({*found} - {*recreation.far_reaching(found)})
    assert not changed, (
        f"others would be: {', '.join(changed)}; a plain restart changes nothing but the process → put the old values back; "
        "applying new ones is `pytest -m apply_env`"
    )


@check(again=True, only_with=("server_before",))
def test_compose_knows_no_other_difference(before: Snapshot, settings_to_keep: Container) -> None:
    """Compose itself takes the container for the one that these files make, where that can be told and no difference has a name."""
    rendering, image = seen(before.operator_rendering), seen(before.running_image)
    assert changes.UNNAMED not in changes.changes(settings_to_keep, rendering, image), (
        "it would make another one, in something that has no name here → compare the compose file with its last version; "
        "if the change is meant, `pytest -m apply_env` makes the container anew"
    )


@check(advisory=True)
def test_compose_can_compare_it(before: Snapshot, settings_to_keep: Container) -> None:
    """Compose's own mark on the container is that of these files, or says nothing else."""
    rendering, one = seen(before.operator_rendering), settings_to_keep
    why = recreation.incomparable(one, rendering)
    assert not (why and recreation.another_hash(one, rendering)), (
        f"its mark differs, and says nothing about the files: {why}; part by part the container was compared all the same "
        "→ nothing is to be done: the mark of the new container can be compared again"
    )
