"""What an operator may type at a procedure of a stack, each time with an archive and a state folder of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests import endings
from tests.stacks import COMPOSE_FILE, Stack, clean_environment, run

SUITE = Path(__file__).resolve().parent.parent.parent
PYTEST = Path(sys.executable).with_name("pytest")
LIMIT = 120.0

_TEMPLATE = """\
name = "{project}"
root = "{root}"
compose_files = ["{compose_file}"]
env_files = [".env"]
service = "kestra"
database_service = "kestra-postgres"
archive = "{archive}"
disk_free = {disk_free}

[budgets]
boot = "60s"
soak = "0.5s"
run = "300s"
"""


class Typed:
    """A target file beside a stack, and what is typed at it."""

    def __init__(self, stack: Stack, folder: Path, disk_free: int = 1) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.archive = folder / "runs"
        self.state = folder / "state"
        self.file = folder / "target.toml"
        self.file.write_text(
            _TEMPLATE.format(
                project=stack.project,
                root=stack.root,
                compose_file=COMPOSE_FILE,
                archive=self.archive,
                disk_free=disk_free,
            )
        )

    @property
    def option(self) -> str:
        """The option as one word: pytest takes a separate one for a path when it looks for its rootdir."""
        return f"--target={self.file}"

    @property
    def runs(self) -> tuple[Path, ...]:
        """Every folder that a run has made in the archive."""
        return tuple(one for one in sorted(self.archive.glob("2*")) if not one.is_symlink())

    @property
    def journals(self) -> tuple[Path, ...]:
        return tuple(sorted(self.state.rglob("*.jsonl")))

    def pytest(
        self,
        *arguments: str,
        cwd: Path = SUITE,
        limit: float = LIMIT,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run pytest in a checkout of the suite; settings of the pytest that runs this stay outside."""
        inherited = {
            name: value
            for name, value in clean_environment().items()
            if not name.startswith(("PYTEST", "CI")) and name != "PYTHONPATH"
        }
        env = inherited | {"XDG_STATE_HOME": str(self.state)} | dict(environment or {})
        done = run([str(PYTEST), *arguments], cwd=cwd, check=False, limit=limit, env=env)
        endings.note(arguments, done.returncode)
        return done

    def restart(
        self, *arguments: str, cwd: Path = SUITE, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Type the restart, and what is typed besides."""
        return self.pytest("-m", "restart", self.option, *arguments, cwd=cwd, environment=environment)
