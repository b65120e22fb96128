"""The whole table of signatures."""

from __future__ import annotations

from procedures.diagnosis.signatures.commands import FROM_COMMANDS
from procedures.diagnosis.signatures.logs import IN_LOGS

SIGNATURES = IN_LOGS + FROM_COMMANDS
