"""The command line, and the exit status with which the process leaves it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import NoReturn

from . import configuration as configurations
from . import failure, log, release, settings
from .database import LOST, DatabaseUnreachable
from .faults import Fault
from .identity import Identity, born
from .migration import ChecksumMismatch
from .server import Server


def main() -> NoReturn:
    """Run the server, and leave with its exit status without waiting for any thread."""
    threading.current_thread().name = "main"
    if sys.argv[1:3] != ["server", "standalone"]:
        log.raw("usage: python3 -m understudy server standalone")
        _leave(2)
    # Until there is anything to drain, SIGTERM ends the process as it ends a JVM.
    signal.signal(signal.SIGTERM, lambda *_: _leave(143))
    signal.signal(signal.SIGINT, lambda *_: _leave(130))
    _leave(_run())


def _run() -> int:
    try:
        told = settings.parse(os.environ.get("UNDERSTUDY", ""))
        version = release.parse(os.environ.get("UNDERSTUDY_VERSION", "0.20.7"))
    except (settings.SettingsInvalid, release.ReleaseUnknown) as invalid:
        log.raw(str(invalid))
        return 1
    if told.has(Fault.IGNORE_TERM):
        signal.signal(
            signal.SIGTERM,
            lambda *_: log.warn("io.kestra.cli.AbstractCommand", "SIGTERM is ignored (an injected fault)"),
        )
    path = Path(os.environ.get("MICRONAUT_CONFIG_FILES", "/app/confs/application.yml"))
    try:
        configuration = configurations.load(path, os.environ, version)
        return Server(Identity(told, version, configuration, born())).run()
    except configurations.ConfigurationInvalid as invalid:
        log.raw(
            f'Exception in thread "main" io.micronaut.context.exceptions.BeanInstantiationException: {invalid}'
        )
    except DatabaseUnreachable as unreachable:
        log.raw(failure.pool(unreachable))
    except LOST as lost:
        log.raw(failure.pool(DatabaseUnreachable(str(lost).strip(), "org.postgresql.util.PSQLException")))
    except ChecksumMismatch as mismatch:
        log.raw(failure.validation(mismatch))
    return 1


def _leave(status: int) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
