"""A signal that whoever started the run has switched off stays off."""

from __future__ import annotations

import os
import signal

from procedures.steps.interruption import Interruption


def test_nohup_is_heeded() -> None:
    """`nohup pytest -m restart &`: the hang-up that its caller had ignored does not end the run."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    one = Interruption()
    try:
        one.listen()
        os.kill(os.getpid(), signal.SIGHUP)
        one.let_go()

        assert one.by == ""
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        one.let_go()
        signal.signal(signal.SIGHUP, before)
