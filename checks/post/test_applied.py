"""That the new settings have taken effect, and the old ones have lost theirs."""

from __future__ import annotations

from procedures.decide.check_files import seen
from procedures.decide.expected import Expected
from reports.record.observed import Server, Snapshot


def test_the_old_credentials_are_refused(
    superseded: Expected, expected: Expected, server_after: Server
) -> None:
    """Where the basic-auth user or password has changed, the old ones are refused."""
    then, now = seen(superseded.settings), seen(expected.settings)
    if (then.basic_auth_user, then.basic_auth_password) == (now.basic_auth_user, now.basic_auth_password):
        return
    answer = seen(server_after.auth_before)
    assert answer.status == 401, (
        f"answered {answer.said}: the server still takes them → a password that breaks the rule of this version is ignored "
        "without a word: see its log"
    )


def test_the_old_ports_are_closed(superseded: Expected, expected: Expected, after: Snapshot) -> None:
    """Where a published port has changed, nothing listens on the old one any more."""
    old = {one.host_port for one in seen(superseded.bindings)} - {
        one.host_port for one in seen(expected.bindings)
    }
    if not old:
        return
    open_ones = sorted({one.port for one in seen(after.listeners)} & old)
    assert not open_ones, (
        f"ports {open_ones} are still listened on → find out by whom: the engine's proxy, or another"
    )
