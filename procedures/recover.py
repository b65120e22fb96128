"""Recovery: the service is brought back to a judged state, whatever it is in.

Which way leads out of a change that was cut off is `procedures/way_back/cut_off.py`.
"""

from __future__ import annotations

from procedures.decide.facts import ACTING, SAME
from procedures.run.procedure import Procedure

PROCEDURE = Procedure(
    "recover",
    "bring the service back to a judged state, whatever it is in",
    ACTING | SAME | {"kept"},
    recovers=True,
)
