"""The engine and Compose, as the procedure needs them."""

from __future__ import annotations

from procedures.decide.check_files import check, seen
from reports.record.observed import DryRun, Snapshot

MOST_SKEW = 30.0


@check(again=True)
def test_the_engine_answers(before: Snapshot) -> None:
    """The container engine answers and says which engine it is."""
    engine = seen(before.engine)
    assert engine.id, f"the engine at {engine.endpoint} names no id → look at `docker info`"


@check(advisory=True)
def test_the_clocks_agree(before: Snapshot) -> None:
    """The engine's clock and this machine's clock agree, so times in the evidence can be compared."""
    engine = seen(before.engine)
    assert abs(engine.skew) <= MOST_SKEW, (
        f"the engine's clock is {engine.skew:+.1f} s off this machine's → set both clocks by NTP"
    )


def test_the_files_can_be_used(before: Snapshot) -> None:
    """Every file that the procedure will use exists, can be read, and means the same to every reader."""
    problems = [file.problem for file in before.files if file.problem]
    assert not problems, f"{'; '.join(problems)} → correct the file, then run again"


def test_compose_renders_the_service(before: Snapshot) -> None:
    """Compose renders the service by the operator's call and by the env files alone."""
    by_operator, by_file = seen(before.operator_rendering), seen(before.file_rendering)
    assert by_operator.image, "the rendered service has no image → name one in the compose file"
    assert by_file.project == by_operator.project, (
        f"the operator's call renders project {by_operator.project!r}, the env files alone {by_file.project!r} → "
        "unset COMPOSE_PROJECT_NAME, or name the project in the target file"
    )


def test_no_value_is_blank(before: Snapshot) -> None:
    """Compose renders no blank value where the service needs one."""
    rendering = seen(before.operator_rendering)
    blank = [warning for warning in rendering.warnings if "not set" in warning or "blank" in warning]
    assert not blank, f"Compose says: {'; '.join(blank)} → set these keys in the env file that Compose reads"
    settings = seen(rendering.settings)
    missing = [
        name
        for name, value in (
            ("database host", settings.db_host),
            ("database name", settings.db_name),
            ("database user", settings.db_user),
            ("database password", settings.db_password),
        )
        if not value
    ]
    assert not missing, f"the configuration has a blank {', '.join(missing)} → set it in the env file"


# A start by a script, or from what an earlier run kept, does not use this rendering.
@check(only_with=("dry_run",))
def test_compose_reads_back_what_it_rendered(before: Snapshot) -> None:
    """Compose can read back what it has rendered, so the run starts what was checked."""
    why = seen(before.operator_rendering).unread
    assert not why, (
        f"it cannot, so the start would use the files as they are by then: {why} → remove what this names from the "
        "compose file; or waive this check, and let nobody edit the files meanwhile"
    )


@check(again=True)
def test_a_start_touches_nothing_else(before: Snapshot, dry_run: DryRun) -> None:
    """A dry run of the exact start command names only the service's container."""
    name = seen(before.operator_rendering).container_name
    assert dry_run.exit_code == 0, (
        f"the dry run ended with {dry_run.exit_code}: {dry_run.output.strip()[-300:]} → try it by hand"
    )
    others = [touched for touched in dry_run.touches if not touched.endswith(name)]
    assert not others, (
        f"the start would also touch {', '.join(others)}: recreating Postgres kills a running Kestra → apply that change "
        "in a maintenance window of its own"
    )
    assert dry_run.touches, (
        "the dry run names no container, so what the start would do is unknown → try it by hand"
    )
