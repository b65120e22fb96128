"""What we do, and what allows it. The one list of the procedures stands here."""

from __future__ import annotations

PROCEDURES: dict[str, str] = {
    "restart": "restart the service, gated before and judged after",
    "recover": "bring the service back to a judged state, whatever it is in",
}
"""Every procedure's name, as it is typed after `-m`, and what it does."""
