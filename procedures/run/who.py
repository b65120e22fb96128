"""Who runs this, where and why: as typed, or as the environment says; none of it is verified."""

from __future__ import annotations

import dataclasses
import getpass
import os
import platform
import shlex
import socket
import tomllib
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from procedures.drivers import shell
from procedures.target.target import SUITE
from reports.printable import one_line
from reports.record.evidence import Who

_CI_JOBS = (
    ("GITHUB_RUN_ID", "GitHub {GITHUB_REPOSITORY} run {GITHUB_RUN_ID}, job {GITHUB_JOB}"),
    ("CI_JOB_URL", "GitLab {CI_JOB_URL}"),
    ("BUILD_URL", "Jenkins {BUILD_URL}"),
    ("CI", "CI={CI}"),
)


def look(environment: Mapping[str, str], given: Mapping[str, str], arguments: tuple[str, ...]) -> Who:
    """Collect the answers; `given` holds operator, reason, ticket and approved_by as typed."""
    found = Who(
        user=_user(),
        host=socket.gethostname(),
        cwd=str(Path.cwd()),
        operator=given.get("operator", ""),
        reason=given.get("reason", ""),
        ticket=given.get("ticket", ""),
        approved_by=given.get("approved_by", ""),
        ci_job=_ci_job(environment),
        suite_commit=_commit(),
        suite_version=_suite_version(),
        python=platform.python_version(),
        pytest=version("pytest"),
        command_line=shlex.join(("pytest", *arguments)),
    )
    # A user's name need not be UTF-8, and a job's name may contain anything.
    return Who(**{one.name: one_line(getattr(found, one.name)) for one in dataclasses.fields(found)})


def _user() -> str:
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = str(os.getuid())
    sudo = os.environ.get("SUDO_USER")
    return f"{name} (sudo by {sudo})" if sudo else name


def _ci_job(environment: Mapping[str, str]) -> str:
    for name, form in _CI_JOBS:
        if environment.get(name):
            return form.format_map(_Blank(environment))
    return ""


class _Blank(dict[str, str]):
    """An environment in which a missing variable is blank."""

    def __missing__(self, key: str) -> str:
        return ""


def _commit() -> str:
    """Return the suite's commit, and whether its files were changed since."""
    head = shell.run(shell.Command(("git", "rev-parse", "HEAD"), SUITE, 5))
    if not head.ok:
        return ""
    changed = shell.run(shell.Command(("git", "status", "--porcelain", "--untracked-files=no"), SUITE, 5))
    return head.stdout.strip() + (" with uncommitted changes" if changed.stdout.strip() else "")


def _suite_version() -> str:
    return str(tomllib.loads((SUITE / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])
