"""The driver for the operator's own scripts, whatever their quality: each step is a configured command."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

from procedures.drivers.colours import without_colours
from procedures.drivers.compose import Compose
from procedures.drivers.shell import Command
from procedures.target.steps_by import START, STOP, StepBy, Validation, find, script
from procedures.target.target import Target
from reports.record.observed import Container
from reports.redaction import excerpt
from reports.redaction.redact import MARK
from reports.redaction.secret_names import is_secret_name

_NAMED = re.compile(
    r"(?<![A-Za-z0-9_.-])(?P<name>[A-Za-z0-9_.-]++)(?P<sign>\"?\s*+[:=]\s*+)(?P<value>\"[^\"\n]++\"|'[^'\n]++'|[^\s,;\"']++)"
)
"""A name matches whole or not at all: trying again from each of its letters takes minutes in a long text."""


class Scripts:
    """Commands of one target: its own scripts if the target file names them, otherwise Compose's.

    `foreign` is the service's container if Compose did not make it. `instead` builds the start of an image that this run
    has chosen, which neither the script nor Compose's files name. `takes_over` says that this start fails while a foreign
    container holds the name.
    """

    def __init__(
        self,
        target: Target,
        compose: Compose,
        foreign: Container | None = None,
        instead: Callable[[float], Command] | None = None,
        *,
        takes_over: bool = False,
    ) -> None:
        self._instead = instead
        by = find(target.steps, START)
        self._takes_over = takes_over if instead else by.takes_over and not by.is_own
        self._target = target
        self._compose = compose
        self._foreign = foreign
        # pytest's own variables are not meant for scripts.
        self._environment = {
            name: value for name, value in compose.environment.items() if not name.startswith("PYTEST")
        }

    def stop(self, grace: float, limit: float) -> Command:
        """Build the stop; a script has a limit of its own, and the grace is its own business."""
        own = script(self._target.steps, STOP)
        return self.command(own, limit) if own else self._compose.stop(grace, limit)

    def start(self, limit: float) -> Command:
        """Build the start; a script may wait until the server is ready, so it has the boot's time too."""
        own = self._start
        if own:
            return self.command(own, limit + self._target.budgets.boot)
        return (self._instead or self._compose.start)(limit)

    def unpause(self, limit: float) -> Command:
        return self._docker(limit, "unpause") or self._compose.unpause(limit)

    def remove(self, limit: float) -> Command | None:
        """Build the removal of a container without labels, if Compose is to start in its place."""
        return self._docker(limit, "rm") if self._takes_over else None

    def fallback(self, limit: float) -> Command | None:
        """Build the start by Compose, if the target file names it as the script's fallback."""
        return self._compose.start(limit) if self._start and self._start.fallback else None

    @property
    def typed_start(self) -> tuple[str, ...]:
        """The start as typed by hand; a script's is followed by Compose's own, in case the script fails."""
        plain = (self._instead or self._compose.start)(1.0)
        typed = f"cd {shlex.quote(str(plain.cwd))} && {shlex.join(plain.argv)}"
        own = self._start
        if own is None:
            return (typed,)
        given = "".join(f"{name}={shlex.quote(value)} " for name, value in own.environment.items())
        if self._target.engine_flags:
            given = f"DOCKER_HOST={self._environment['DOCKER_HOST']} {given}"
        return (
            f"cd {own.cwd} && {given}{shlex.join(own.command)}",
            f"or, where the script does not bring it: {typed}",
        )

    def own(self, name: str, limit: float) -> Command | None:
        """Build a step's script, if it has one."""
        found = self._start if name == START else script(self._target.steps, name)
        return self.command(found, limit) if found else None

    @property
    def _start(self) -> StepBy | None:
        """The script that starts the service; None if there is none, or if something else is to be started."""
        return None if self._instead else script(self._target.steps, START)

    def command(self, own: StepBy | Validation, limit: float) -> Command:
        """Build the command of a script: no terminal, the engine's address, and nothing that may outlive it."""
        environment = {**self._environment, "PWD": str(own.cwd), **own.environment}
        validates = isinstance(own, Validation)
        return Command(
            own.command, own.cwd, own.limit or limit, environment, foreign=True, merged=not validates,
            kept=self._target.log_bytes,
        )  # fmt: skip

    def _docker(self, limit: float, verb: str) -> Command | None:
        """Build a plain call on the foreign container; None if there is none."""
        if self._foreign is None:
            return None
        return Command(
            ("docker", *self._target.engine_flags, verb, self._foreign.name),
            self._target.root,
            limit,
            self._environment,
        )


def plain(text: str) -> str:
    """Return what a script printed, without colours, overwritten lines, known secrets and values of secret names.

    A script may read a file that we do not know, so its secrets cannot all be known by value. The known ones go first:
    where a value ends is a guess, and nobody would find the part of a secret that a wrong guess leaves.
    """
    text = excerpt.cleaned(without_colours(text)).replace("\r\n", "\n").replace("\r", "\n")
    return _NAMED.sub(
        lambda found: f"{found['name']}{found['sign']}{MARK}" if is_secret_name(found["name"]) else found[0],
        text,
    )
