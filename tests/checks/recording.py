"""A recorded restart as test data: trimmed from a run's record, and read back for the checks.

`python -m tests.checks.recording RUN_FOLDER` writes the data anew from an accepted run on a stack of `tests.stacks`.
"""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from pathlib import Path
from typing import Any, cast

from reports.record.evidence import EngineEvent, Outage, StepResult
from reports.record.observed import Snapshot
from reports.record.record import from_plain, read
from reports.record.values import Fingerprint, Secret

FOLDER = Path(__file__).resolve().parent.parent / "data" / "snapshots"
MOMENTS = ("before", "ready", "stopped", "after")
PORTS = {"KESTRA_HTTP_PORT": "8080", "KESTRA_MANAGEMENT_PORT": "8081"}


def snapshot(name: str) -> Snapshot:
    """What was seen at a moment of the recorded run; its fingerprints stand for the secrets that they were made of."""
    return cast("Snapshot", _observed(recorded_snapshot(name)))


def recorded_snapshot(name: str) -> Snapshot[Fingerprint]:
    """The same, as a later run reads it."""
    return from_plain(Snapshot[Fingerprint], _read(name))


def _observed(value: Any) -> Any:
    if isinstance(value, Fingerprint):
        return Secret(value.digest)
    if isinstance(value, dict):
        return {name: _observed(one) for name, one in value.items()}
    if isinstance(value, tuple):
        return tuple(map(_observed, value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = {one.name: _observed(getattr(value, one.name)) for one in dataclasses.fields(value)}
        return dataclasses.replace(value, **parts)
    return value


def step(name: str) -> StepResult:
    return from_plain(StepResult, _read("steps")[name])


def events() -> tuple[EngineEvent, ...]:
    return tuple(from_plain(EngineEvent, one) for one in _read("events"))


def outage() -> Outage:
    return from_plain(Outage, _read("outage"))


def _read(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def trim(run: Path) -> None:
    """Write the data of a run under neutral names, ports and paths, without what belongs to others."""
    text = (run / "evidence.json").read_text(encoding="utf-8")
    record = read(json.loads(text))
    before = record.snapshot("before")
    assert before is not None
    rendering = before.operator_rendering
    assert rendering is not None
    assert not hasattr(rendering, "unseen")
    assert record.target is not None
    interpolation = {name: str(value) for name, value in rendering.interpolation.items()}
    text = text.replace(interpolation["STACK_PREFIX"], "").replace(record.target.root, "/srv/tools")
    text = text.replace(str(Path(record.target.file).parent), "/srv/archive")
    for key, neutral in PORTS.items():
        text = re.sub(rf"\b{interpolation[key]}\b", neutral, text)
    plain = json.loads(text)
    moments = {one["name"]: one for one in plain["snapshots"]}
    for one in moments.values():
        one["neighbours"] = [other for other in one["neighbours"] if other["project"] == "tools"]
        _trim_listeners(one)
        _trim_listeners(one["host"])
    FOLDER.mkdir(exist_ok=True)
    for name in MOMENTS:
        _write(name, moments[name])
    _write("steps", {one["step"]["name"]: one for one in plain["steps"]})
    _write("events", plain["events"])
    _write(
        "outage", {**plain["outage"], "paths": [one | {"intervals": []} for one in plain["outage"]["paths"]]}
    )


def _trim_listeners(seen: dict[str, Any] | None) -> None:
    if seen and seen["listeners"]:
        ports = {int(one) for one in PORTS.values()}
        seen["listeners"] = [one for one in seen["listeners"] if one["port"] in ports]


def _write(name: str, plain: Any) -> None:
    text = json.dumps(plain, indent=1, ensure_ascii=False)
    (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    trim(Path(sys.argv[1]))
