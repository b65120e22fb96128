"""The lines at the start and at the end of a log, in Kestra's words."""

from __future__ import annotations

import threading

from . import log
from .identity import Identity

_COMMAND = "io.kestra.cli.AbstractCommand"
_CONTEXT = "i.kestra.core.contexts.KestraContext"
_PLUGINS = "i.kestra.core.plugins.PluginScanner"
_SERVICES = "i.k.c.server.ServiceLivenessManager"


def starting(identity: Identity) -> None:
    version = identity.release
    date = version.commit_date[:16]
    log.info(
        _COMMAND, f"Starting Kestra {version.name} with environments [cli] [revision understudy / {date}]"
    )
    log.info("understudy", "This is not Kestra: it stands in for it where its image cannot be had")
    if not version.recorded:
        log.warn(
            "understudy", f"What it does for version {version.version} is documented only: nobody recorded it"
        )
    if identity.settings.faults:
        log.warn("understudy", f"Injected faults: {', '.join(identity.settings.faults)}")
    log.info(_PLUGINS, "Registered 3 core plugins (scan done in 1ms)")
    log.info(_PLUGINS, "Registered 0 plugins from 0 groups (scan done in 0ms)")


def shutdown() -> None:
    threading.current_thread().name = "command-shutdown"
    log.warn(_COMMAND, "Receiving shutdown ! Try to graceful exit")
    log.info(_CONTEXT, "Kestra server - Shutdown initiated")
    log.warn(_COMMAND, "Receiving shutdown ! Try to graceful exit")


def indexer(service: str) -> None:
    """Two lines that look bad and are harmless: a real server prints them at every clean stop."""
    cause = "from TERMINATED_GRACEFULLY to TERMINATING. Cause: Invalid transition."
    log.warn(_SERVICES, f"Failed to transition service [{service}] {cause}")
    completed = (
        "Termination already completed (TERMINATED_GRACEFULLY). This error may occur if the service has "
    )
    completed += "already been evicted by Kestra due to a prior error."
    log.error(_SERVICES, f"[Service {service}] {completed}")


def completed() -> None:
    log.info(_CONTEXT, "Kestra server - Shutdown completed")
