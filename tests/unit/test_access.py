"""Who may use the engine's socket: the cases that all say `permission denied`, told apart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from procedures.observe.engine import access
from procedures.observe.engine.access import Socket, User

SOCKET = Socket("/var/run/docker.sock", 0o660, "root", 999, "docker")
ADA = User("ada", 1000, frozenset({1000}), frozenset({1000}))


@pytest.mark.parametrize(
    ("socket", "user", "says", "move"),
    [
        (SOCKET, ADA, "who is not in it", "`sudo usermod -aG docker ada`, then log in anew"),
        (
            SOCKET,
            replace(ADA, listed=frozenset({1000, 999})),
            "put into that group after this session began",
            "`newgrp docker`",
        ),
        (
            replace(SOCKET, gid=989, group=""),
            replace(ADA, session=frozenset({1000, 103}), listed=frozenset({1000, 103})),
            "group 989, which has no name here",
            "sudo groupadd -g 989",
        ),
        (replace(SOCKET, mode=0o600), ADA, "does not let the group in", "sudo chmod g+rw"),
        (SOCKET, replace(ADA, session=frozenset({999})), "something else refuses", "namei -l"),
    ],
    ids=["not a member", "a member since today", "a foreign group", "a closed mode", "a member"],
)
def test_why_the_socket_is_closed(socket: Socket, user: User, says: str, move: str) -> None:
    """Each cause has its own sentence and its own next move; user, group and mode are in all of them."""
    told, next_move = access.refusal_of(socket, user)

    assert says in told
    assert move in next_move
    assert "user ada" in told
    assert "/var/run/docker.sock" in told


def test_a_socket_that_cannot_be_looked_at() -> None:
    """Where even the socket's folder is closed, that is what is said."""
    told, next_move = access.refusal("unix:///proc/1/nothing/docker.sock")

    assert "cannot be looked at" in told
    assert "namei -l" in next_move


def test_an_engine_elsewhere_has_no_socket() -> None:
    """An engine at another address has no group that this machine could tell."""
    assert access.refusal("tcp://engine.example:2376") == (
        "no permission for the engine at tcp://engine.example:2376",
        "ask whoever runs it for access",
    )
