"""Anomalies on the real engine: a run's finding becomes a row of the operator's list, once, and only when asked."""

from __future__ import annotations

from tests import targets
from tests.dashboards import board, fixed
from tests.stacks import Stack

FILE = "docs/ops/kestra.md"
DOCUMENT = (
    "\ufeff# Kestra\r\n\r\n## Troubleshooting  \r\n\r\n| Sintoma | Ação sugerida |\r\n| --- | --- |\r\n| UI lenta | esperar |"
).encode()


def test_a_finding_is_recorded_once_and_without_secrets(service: Stack) -> None:
    """A plan writes nothing; a run appends one row and changes no other byte; the next run finds it there."""
    file = service.root / FILE
    file.parent.mkdir(parents=True)
    file.write_bytes(DOCUMENT)
    file.chmod(0o640)
    secret = service.env["KESTRA_DB_PASSWORD"]
    with board() as served:
        served.pages["/status"] = fixed({"status": f"lost | {secret}"}, Age="0")
        table = {
            "name": "launcher", "url": served.url("/status"), "json_path": "status", "equals": "healthy",
            "max_age": "60s", "limit": "1s",
        }  # fmt: skip
        targets.target_file(service, dashboards=[table], anomalies=FILE)
        then = file.stat()
        plan = targets.procedure(service, "--plan", "--record-anomalies", name="accept")

        assert (file.read_bytes(), file.stat().st_mtime_ns) == (DOCUMENT, then.st_mtime_ns), plan.stdout

        done = targets.procedure(service, "--record-anomalies", name="accept")

        assert done.returncode == 11, done.stdout
        head, row = file.read_bytes()[: len(DOCUMENT)], file.read_bytes()[len(DOCUMENT) :].decode()
        assert head == DOCUMENT
        assert row.startswith("\r\n| Every dashboard shows what it must")
        assert row.count("\n") == 1
        assert r'launcher shows "lost \| \[redacted\]"' in row
        assert row.endswith(f"| open {served.url('/status')} |")
        assert file.stat().st_mode == then.st_mode
        assert "1 row for" in done.stdout
        record = targets.record(targets.latest(service))
        assert (record["verdict"], record["anomalies"]["outcome"]) == ("NOT ACCEPTED", "1 appended")
        assert row.strip() == record["anomalies"]["rows"][0]["row"]

        once = file.read_bytes()
        again = targets.procedure(service, "--record-anomalies", name="accept")

    assert again.returncode == 11, again.stdout
    assert file.read_bytes() == once
    assert targets.record(targets.latest(service))["anomalies"]["outcome"].startswith("already there")
    assert sorted(one.name for one in file.parent.iterdir()) == ["kestra.md"]
