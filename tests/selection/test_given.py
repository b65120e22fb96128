"""What a run is given besides its options: words, names, streams and signals. None of it bends what is told."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests import endings
from tests.engine import service as seen
from tests.faults import FAULT
from tests.selection.conftest import identity
from tests.selection.test_loaded import FULL
from tests.selection.typed import LIMIT, SUITE, Typed
from tests.stacks import Stack, clean_environment

FAKE = "as agreed\nACCEPTED\x1b[2J\x1b[1;1H\x07\u202e\rexit status 0: done\u2028report: /nowhere\x9b"
STEERING = tuple("\x1b\x07\u202e\u2028\x9b")


@pytest.fixture
def refused(service: Stack, tmp_path: Path) -> Typed:
    """What is typed at the stack with too little room: each run is refused, and leaves its whole record."""
    return Typed(service, tmp_path / "full", disk_free=FULL)


def written(typed: Typed) -> dict[str, str]:
    """Every text that the one run of an archive has left, by the name of its file."""
    files = [one for one in (*typed.runs[0].rglob("*"), typed.archive / "index.html") if one.is_file()]
    return {one.name: one.read_text(encoding="utf-8") for one in files}


@pytest.mark.parametrize(
    ("options", "environment"),
    [
        pytest.param({"reason": FAKE, "ticket": FAKE}, {}, id="reason and ticket"),
        pytest.param({"operator": FAKE, "approved-by": FAKE}, {}, id="operator and approval"),
        pytest.param(
            {}, {"USER": FAKE, "LOGNAME": FAKE, "SUDO_USER": FAKE, "BUILD_URL": FAKE}, id="the environment"
        ),
    ],
)
def test_what_was_typed_looks_like_nothing_of_ours(
    options: dict[str, str], environment: Mapping[str, str], refused: Typed
) -> None:
    """A reason that would print a verdict and an exit status stands on one line, with every steering sign spelt out."""
    words = [f"--{name}={text}" for name, text in options.items()]
    done = refused.restart(*words, environment=environment)
    lines = done.stdout.splitlines()
    files = written(refused)

    assert done.returncode == 10, done.stdout + done.stderr
    assert [one for one in STEERING if one in done.stdout] == []
    assert [one for one in lines if one.startswith(("ACCEPTED", "exit status 0", "report: /nowhere"))] == []
    assert [(name, one) for name, text in files.items() for one in STEERING if one in text] == []
    who = json.loads(files["evidence.json"])["who"]
    told = r"as agreed\nACCEPTED\x1b[2J\x1b[1;1H\x07\u202e\rexit status 0: done\u2028report: /nowhere\x9b"
    assert [who[name.replace("-", "_")] for name in options] == [told] * len(options)
    assert not environment or (told in who["user"] and who["ci_job"].endswith(told))


def test_a_long_reason_is_cut_and_leaves_no_half_of_a_secret(refused: Typed, service: Stack) -> None:
    """A thousand characters are told; a secret at the border is neither there nor half there."""
    secret = service.env["KESTRA_DB_PASSWORD"]
    reason = f"{'because ' * 124}{secret} {'because ' * 500}"
    assert len(reason[:1000].partition(secret[:4])[2]) > 0, "the border lies in the secret"

    done = refused.restart("--reason", reason)
    files = written(refused)
    told = json.loads(files["evidence.json"])["who"]["reason"]

    assert done.returncode == 10, done.stdout + done.stderr
    assert len(told) <= 1000
    assert told.endswith(" … (cut)")
    assert [name for name, text in files.items() if secret[:5] in text] == []
    assert secret[:5] not in done.stdout


NO_UTF8 = FAULT(
    kind="a user's name in another encoding", phase="plan", happened="it is spelt out", verdict="REFUSED"
)


@pytest.mark.parametrize("procedure", ["status", pytest.param("restart", marks=NO_UTF8)])
def test_a_name_that_is_no_utf8_ends_nothing(procedure: str, refused: Typed) -> None:
    """A user's name in another encoding, and a word typed in one, are spelt out."""
    environment = dict.fromkeys(("USER", "LOGNAME", "USERNAME"), "andr\udce9")
    done = refused.pytest("-m", procedure, refused.option, "--operator=andr\udce9", environment=environment)

    assert done.returncode == {"status": 0, "restart": 10}[procedure], done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert r"andr\udce9" in done.stdout
    assert procedure == "status" or r"andr\udce9" in written(refused)["report.html"]


def closed(typed: Typed, streams: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Type something whose standard streams are closed as the shell closes them."""
    inherited = {key: one for key, one in clean_environment().items() if not key.startswith(("PYTEST", "CI"))}
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {streams}', "sh", ".venv/bin/pytest", *arguments, typed.option],
        cwd=SUITE,
        env=inherited | {"XDG_STATE_HOME": str(typed.state)},
        check=False,
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    endings.note(arguments, done.returncode)
    return done


@pytest.mark.parametrize("streams", [">&-", "2>&-", "<&- >&- 2>&-", "-s >&-"])
def test_closed_streams_end_nothing(streams: str, refused: Typed) -> None:
    """Where nobody can see or hear a run it ends as any other, and its record is whole."""
    done = closed(refused, streams, "-m", "restart")

    assert done.returncode == 10, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert seen.checksums(refused.runs[0]).returncode == 0


@FAULT(
    kind="all standard streams are closed",
    phase="plan",
    happened="the run says nothing, and ends as any other, with its record",
    verdict="ACCEPTED",
)
def test_a_restart_without_streams(service: Stack, typed: Typed) -> None:
    """A job that closes its streams restarts the service, and the record is written."""
    before = identity(service)

    done = closed(typed, "<&- >&- 2>&-", "-m", "restart")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert before != identity(service)
    assert seen.checksums(typed.runs[0]).returncode == 0


# Somebody's finger on Ctrl-C while the suite is still being read.
EARLY = """
import os, signal

signal.signal(signal.SIGINT, signal.default_int_handler)  # who runs the tests in the background ignores it

def pytest_plugin_registered(plugin):
    if getattr(plugin, "__name__", "") == {when!r}:
        os.kill(os.getpid(), signal.SIGINT)
"""


@FAULT(
    kind="Ctrl-C while the suite is still being read",
    phase="plan",
    happened="it is heard as soon as there is a run, and nothing was touched",
    verdict="INTERRUPTED",
)
@pytest.mark.parametrize("when", ["procedures.early", "reports.plugin"])
def test_an_early_ctrl_c_is_heard(when: str, service: Stack, typed: Typed, tmp_path: Path) -> None:
    """In the first half second there is no run yet: the signal is kept for it, and nobody sees a traceback."""
    before = identity(service)
    (tmp_path / "finger.py").write_text(EARLY.format(when=when))

    done = typed.restart(environment={"PYTEST_PLUGINS": "finger", "PYTHONPATH": str(tmp_path)})

    assert done.returncode == 14, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "interrupted by SIGINT" in done.stdout
    assert before == identity(service)


def test_an_early_ctrl_c_ends_the_suites_own_tests(typed: Typed, tmp_path: Path) -> None:
    """Without a procedure Ctrl-C is Python's again."""
    (tmp_path / "finger.py").write_text(EARLY.format(when="procedures.early"))

    done = typed.pytest("--co", environment={"PYTEST_PLUGINS": "finger", "PYTHONPATH": str(tmp_path)})

    assert done.returncode == pytest.ExitCode.INTERRUPTED, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "::" not in done.stdout
