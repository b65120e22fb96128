"""What the suite asks of the rehearsal's program; it goes through a pipe as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, slots=True)
class Request:
    """One script to rehearse. `gone` and `stopped` are containers that earlier steps would have taken away."""

    argv: list[str]
    cwd: str
    environment: dict[str, str]
    root: str
    limit: float
    docker_host: str
    stopped: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    stand_in: str = ""
    """The image that represents one that is not here, because that is pulled before the script really runs."""

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Request:
        return cls(**json.loads(text))
