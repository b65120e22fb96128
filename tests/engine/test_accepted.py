"""The restart that is let through: what it leaves behind, and what it leaves alone."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests import targets
from tests.engine import service as seen
from tests.engine.heard import heard
from tests.faults import FAULT, Phase
from tests.stacks import Stack


@dataclass(frozen=True)
class Accepted:
    """A restart that was let through, with what stood there before it and after it."""

    run: subprocess.CompletedProcess[str]
    stack: Stack
    id: str
    folder: Path
    kestra: tuple[tuple[str, str], tuple[str, str]]
    postgres: tuple[tuple[str, str], tuple[str, str]]
    neighbour: tuple[str, str]
    instance: tuple[str, str]
    executions: tuple[list[str], list[str]]


@pytest.fixture(scope="module")
def accepted(service: Stack) -> Iterator[Accepted]:
    with seen.container(seen.unique("neighbour")) as neighbour:

        def looks() -> tuple[tuple[str, str], tuple[str, str], str, str, list[str]]:
            neighbour.reload()
            return (
                seen.identity(service),
                seen.identity(service, seen.DATABASE),
                f"{neighbour.id} {neighbour.attrs['State']['StartedAt']} {neighbour.status}",
                seen.instance(service),
                seen.executions(service),
            )

        then = looks()
        done = targets.procedure(service, "--reason", "as a test", "--ticket", "T-1")
        assert done.returncode == 0, done.stdout + done.stderr
        now = looks()
        both = list(zip(then, now, strict=True))
        yield Accepted(done, service, seen.run_id(done.stdout), targets.latest(service), *both)  # type: ignore[arg-type]  # in the fields' order


def test_the_service_runs_in_a_new_container(accepted: Accepted) -> None:
    """An accepted restart leaves the service running in another container than before, and answering."""
    before, after = accepted.kestra

    assert before[0] != after[0]
    assert accepted.stack.is_ready()
    assert accepted.stack.health(seen.SERVICE) == "healthy"


def test_nothing_else_was_touched(accepted: Accepted) -> None:
    """Neither the service's Postgres nor a stranger's container is another one, or started anew, afterwards."""
    assert accepted.postgres[0] == accepted.postgres[1]
    assert accepted.neighbour[0] == accepted.neighbour[1]


def test_it_is_the_same_instance_with_all_it_had(accepted: Accepted) -> None:
    """Instance id, flow and execution from before are served by the new server."""
    assert accepted.instance[0] == accepted.instance[1]
    assert "hello" in seen.flows(accepted.stack)
    assert accepted.executions[0]
    assert set(accepted.executions[0]) <= set(accepted.executions[1])


def test_the_console_ends_with_verdict_outage_report_and_status(accepted: Accepted) -> None:
    """The closing block says the verdict, the outage, where the report lies, and what the exit status means."""
    closing = accepted.run.stdout.strip().split("\n\n")[-1].strip().splitlines()

    assert closing[0] == "ACCEPTED"
    assert any(one.startswith("  outage: ") and " ± " in one for one in closing)
    assert f"report: {accepted.folder / 'report.html'}" in closing
    assert closing[-1].startswith("exit status 0: ")
    assert not accepted.run.stderr


def test_the_console_is_plain_when_piped(accepted: Accepted) -> None:
    """Into a pipe no escape sequence is written."""
    assert "\x1b" not in accepted.run.stdout


def test_the_folder_is_complete(accepted: Accepted) -> None:
    """The evidence holds record, report, JUnit, journal, both containers' logs and the new one's, and checksums."""
    names = {one.name for one in accepted.folder.iterdir()}
    project = accepted.stack.project

    assert names == {
        "evidence.json",
        "report.html",
        "junit.xml",
        "journal.jsonl",
        f"log-before-{project}-kestra.txt",
        f"log-before-{project}-kestra-postgres.txt",
        f"log-stop-{project}-kestra.txt",
        f"log-after-{project}-kestra.txt",
        "SHA256SUMS",
    }
    assert all(one.stat().st_size for one in accepted.folder.iterdir())


def test_the_folders_name_says_what_and_how_it_ended(accepted: Accepted) -> None:
    """A run's folder is named by time, target, procedure, verdict and its short id."""
    time_of, rest = accepted.folder.name.split("-", 1)

    assert time.strptime(time_of, "%Y%m%dT%H%M%SZ")
    assert rest == f"{accepted.stack.project}-restart-accepted-{accepted.id}"


def test_the_checksums_verify(accepted: Accepted) -> None:
    """`sha256sum` itself finds every file as it was sealed, and every file is listed."""
    listed = (accepted.folder / "SHA256SUMS").read_text().splitlines()
    done = seen.checksums(accepted.folder)

    assert done.returncode == 0, done.stdout + done.stderr
    assert len(listed) == len(list(accepted.folder.iterdir())) - 1


def test_the_record_says_what_was_done(accepted: Accepted) -> None:
    """The record holds verdict, who and why, every step done, the outage, and the engine's events of it."""
    record = targets.record(accepted.folder)

    assert (record["verdict"], record["executed"]) == ("ACCEPTED", True)
    assert (record["who"]["reason"], record["who"]["ticket"]) == ("as a test", "T-1")
    assert [(one["step"]["name"], one["status"]) for one in record["steps"]] == [
        ("save_logs", "done"),
        ("stop", "done"),
        ("start", "done"),
    ]
    assert record["outage"] is not None
    assert {"kill", "die", "create", "start"} <= {one["action"] for one in record["events"]}
    assert record["target"]["understudy"] == accepted.stack.is_understudy


def test_every_planned_check_has_a_result_and_none_closes(accepted: Accepted) -> None:
    """Each check of the plan was asked, and no required one was left open."""
    record = targets.record(accepted.folder)
    planned = {one["id"] for one in record["plan"]["checks"]}
    results = {one["check"]["id"]: one["outcome"] for one in record["results"]}

    assert planned <= results.keys()
    assert seen.findings(record) == {}
    assert {"passed", "not applicable"} >= {
        one["outcome"] for one in record["results"] if not one["check"]["advisory"]
    }


def test_junit_has_one_case_named_verdict(accepted: Accepted) -> None:
    """JUnit holds one case named verdict, which passed, beside a case for each check."""
    cases = list(ET.parse(accepted.folder / "junit.xml").iter("testcase"))
    verdicts = [one for one in cases if one.get("name") == "verdict"]

    assert len(verdicts) == 1
    assert not list(verdicts[0])
    assert len(cases) > len(targets.record(accepted.folder)["plan"]["checks"])


def test_the_report_tells_the_verdict_without_script(accepted: Accepted) -> None:
    """The page's title and the text above its table say the verdict, the run and that this is no real Kestra."""
    page = (accepted.folder / "report.html").read_text(encoding="utf-8")
    title = re.search(r"<head>.*?<title[^>]*>([^<]*)</title>", page, re.DOTALL)

    assert title is not None
    assert "ACCEPTED" in title[1]
    assert accepted.id in page
    assert ("says nothing about a real Kestra server" in page) == accepted.stack.is_understudy


def test_the_archive_lists_the_run(accepted: Accepted) -> None:
    """The archive's page names the run, and `latest` points at it."""
    index = (targets.archive(accepted.stack) / "index.html").read_text(encoding="utf-8")

    assert accepted.folder.name in index
    assert (targets.archive(accepted.stack) / "latest").readlink() == Path(accepted.folder.name)


def test_nothing_of_the_run_is_left_on_the_engine(accepted: Accepted) -> None:
    """Lock and lookouts are gone with the run, and no process of it lives on."""
    assert seen.ours(accepted.id) == []
    assert seen.processes(accepted.stack) == []


def test_the_journal_is_sealed(accepted: Accepted) -> None:
    """The journal outside the archive ends with the verdict: nothing is owed."""
    (journal,) = targets.journals(accepted.stack)
    told = targets.entries(journal)

    assert journal.stat().st_mode & 0o777 == 0o600
    assert (told[-1]["kind"], told[-1]["verdict"]) == ("sealed", "ACCEPTED")
    assert [one["step"] for one in told if one["kind"] == "begin"] == ["save_logs", "stop", "start"]


def test_a_plan_changes_nothing(accepted: Accepted) -> None:
    """`--plan` is let through, takes no lock, makes no folder, touches no container and no file of the target."""
    stack = accepted.stack
    containers = (seen.identity(stack), seen.identity(stack, seen.DATABASE))
    files = seen.files(stack.root)
    with heard() as changes:
        done = targets.procedure(stack, "--plan")
    run = seen.run_id(done.stdout)

    assert done.returncode == 0, done.stdout
    assert "WOULD BE LET THROUGH" in done.stdout
    assert containers == (seen.identity(stack), seen.identity(stack, seen.DATABASE))
    assert files == seen.files(stack.root)
    assert changes.of(f"com.docker.compose.project={stack.project}") == []
    assert changes.of(f"io.kestra-restart.lock.run={run}") == []
    assert seen.ours(run) == []


def test_a_plan_shows_every_command_and_every_check(accepted: Accepted) -> None:
    """`--plan` prints the exact stop and start, every check of all phases, and what cannot be tried."""
    shown = targets.procedure(accepted.stack, "--plan").stdout
    record = targets.record(accepted.folder)
    commands = [" ".join(one["command"]) for one in record["plan"]["steps"] if one["command"]]

    assert len(commands) == 2
    assert all(one in shown for one in commands)
    assert [one["id"] for one in record["plan"]["checks"] if one["id"] not in shown] == []
    assert all(one in shown for one in record["plan"]["untried"])


def test_the_helpers_of_a_plan_are_labelled_and_remove_themselves(accepted: Accepted) -> None:
    """What `--plan` starts on the engine carries our label and is gone afterwards; nothing else was made."""
    with heard() as changes:
        run = seen.run_id(targets.procedure(accepted.stack, "--plan").stdout)
    told = changes.of(f"io.kestra-restart.run={run}")
    made = {name for action, name in told if action == "create"}

    assert made
    assert made == {name for action, name in told if action == "destroy"}
    assert all(name.startswith("kestra-restart-") for name in made)


@FAULT(
    kind="the record of the last accepted run was changed",
    phase=Phase.NEXT_RUN,
    happened="what accept compares with is unknown; the changed run is named, and no older one takes its place",
    verdict="NOT ACCEPTED",
)
def test_a_record_that_was_changed_is_no_baseline(accepted: Accepted) -> None:
    """`accept` leans on no record that is not the one that was sealed."""
    record = accepted.folder / "evidence.json"
    then = record.read_text(encoding="utf-8")
    record.write_text(then.replace('"reason": "as a test"', '"reason": "as a joke"'), encoding="utf-8")
    try:
        done = targets.procedure(accepted.stack, name="accept")
    finally:
        record.write_text(then, encoding="utf-8")

    assert done.returncode == 11, done.stdout
    assert f"not known to be as it was sealed: {accepted.folder}" in done.stdout
    assert "it is the first" not in done.stdout
