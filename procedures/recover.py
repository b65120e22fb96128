"""Recovery: the service is brought back to a judged state, whatever it is in.

Which way leads out of a change that was cut off is `procedures/way_back/cut_off.py`.
"""

from __future__ import annotations

from procedures.decide.facts import Group
from procedures.run.procedure import Procedure

PROCEDURE = Procedure(
    "recover",
    "bring the service back to a judged state, whatever it is in",
    Group.ACTING | Group.SAME | Group.CUT_OFF,
    recovers=True,
)
