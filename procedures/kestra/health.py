"""What "ready" and "well" mean for a server.

The outage probe imports nothing of ours, so its `judged` says the same again; a test compares the two.
"""

from __future__ import annotations

from reports.record.observed import Answer, Direct, Server

UP = "UP"


def says_up(health: Answer) -> bool:
    """Whether health says UP in its body; its 200 alone says only that something answers."""
    return health.status == 200 and health.body_status == UP


def pongs(ping: Answer) -> bool:
    """Whether the HTTP port answers."""
    return ping.status == 200


def is_ready(server: Server | Direct) -> bool:
    """Whether health says UP in its body and the HTTP port answers."""
    return says_up(server.health) and pongs(server.ping)
