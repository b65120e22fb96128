"""A copy of the whole `stack/` folder in which `up.sh` can be run as a user runs it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.leftovers import own_name
from tests.stacks import SOURCE, clean_environment, engine, free_port, image_under_test, run

# The script alone takes a second; a first boot of a real Kestra takes up to a minute.
LIMIT = 240.0


class Checkout:
    """`up.sh` with a state folder, names and ports of its own."""

    def __init__(self, root: Path) -> None:
        self.stack = root / "stack"
        self.prefix = f"{own_name()}-"
        self.ports = {"KESTRA_HTTP_PORT": free_port(), "KESTRA_MANAGEMENT_PORT": free_port()}
        self.environment = clean_environment(
            XDG_STATE_HOME=str(root / "state"),
            STACK_PREFIX=self.prefix,
            KESTRA_IMAGE=image_under_test(),
            UNDERSTUDY="boot=0.3 api_lag=0.1",
            **{key: str(port) for key, port in self.ports.items()},
        )
        shutil.copytree(
            SOURCE, self.stack, symlinks=True, ignore=shutil.ignore_patterns("__pycache__", ".env")
        )
        # The pattern leaves out the link of the same name as well.
        (self.stack / "tools/compose/.env").symlink_to("../../.env")

    @property
    def env_file(self) -> Path:
        return self.stack / ".env"

    @property
    def project(self) -> str:
        return f"{self.prefix}tools"

    def settings(self) -> dict[str, str]:
        lines = self.env_file.read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))

    def up(self, *arguments: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `stack/up.sh` with these arguments."""
        return run(
            [str(self.stack / "up.sh"), *arguments],
            cwd=self.stack,
            check=check,
            limit=LIMIT,
            env=self.environment | environment,
        )

    def shell(self, script: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a script that can call the functions which `up.sh` is made of."""
        parts = [
            "say",
            "debian",
            "python",
            "registry",
            "engine",
            "compose",
            "settings",
            "images",
            "containers",
        ]
        sourced = "\n".join(f'. "$stack/setup/{part}.sh"' for part in parts)
        before = f'set -euo pipefail; stack=\'{self.stack}\'; state="$XDG_STATE_HOME/kestra-restart"; mkdir -p "$state"'
        command = ["bash", "-c", f"{before}\n{sourced}\n{script}"]
        return run(command, cwd=self.stack, check=check, limit=LIMIT, env=self.environment)

    def containers(self) -> dict[str, tuple[str, str]]:
        """Name, id and start time of every container of this stack."""
        with engine() as client:
            found = client.containers.list(
                all=True, filters={"label": f"com.docker.compose.project={self.project}"}
            )
        return {str(c.name): (str(c.id), str(c.attrs["State"]["StartedAt"])) for c in found}

    def leftovers(self) -> list[str]:
        """Names of all that this stack has on the engine."""
        with engine() as client:
            volumes = [str(volume.name) for volume in client.volumes.list()]
            networks = [str(network.name) for network in client.networks.list()]
            containers = [
                str(container.name) for container in client.containers.list(all=True, ignore_removed=True)
            ]
        return [name for name in (*containers, *volumes, *networks) if name.startswith(self.prefix)]

    def remove_everything(self) -> None:
        self.up("down", "--data", check=False)
        with engine() as client:
            volumes = [volume for volume in client.volumes.list() if str(volume.name).startswith(self.prefix)]
            for volume in volumes:
                volume.remove(force=True)
