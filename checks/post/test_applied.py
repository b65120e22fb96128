"""The new settings have taken effect, and the old settings no longer have any."""

from __future__ import annotations

from procedures.decide.check_files import seen
from procedures.decide.expected import Expected
from reports.record.observed import Server, Snapshot


def test_the_old_credentials_are_refused(
    superseded: Expected, expected: Expected, server_after: Server
) -> None:
    """If the basic-auth user or password has changed, the server refuses the old ones."""
    then, now = seen(superseded.settings), seen(expected.settings)
    if (then.basic_auth_user, then.basic_auth_password) == (now.basic_auth_user, now.basic_auth_password):
        return
    answer = seen(server_after.auth_before)
    assert answer.status == 401, (
        f"the answer was {answer.said}: the server still takes the old credentials → see its log: a password that breaks "
        "the rule of this version is ignored without an error"
    )


def test_the_old_ports_are_closed(superseded: Expected, expected: Expected, after: Snapshot) -> None:
    """If a published port has changed, nothing listens on the old port any more."""
    old = {binding.host_port for binding in seen(superseded.bindings)} - {
        binding.host_port for binding in seen(expected.bindings)
    }
    if not old:
        return
    still_open = sorted({listener.port for listener in seen(after.listeners)} & old)
    assert not still_open, (
        f"something still listens on ports {still_open} → find out whether it is the engine's proxy or another process"
    )
