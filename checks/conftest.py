"""What a check may ask for, as pytest's fixtures: the functions of `procedures/run/facts/`."""

from __future__ import annotations

import pytest

from procedures.run.facts import FACTS

globals().update({name: pytest.fixture(fact.answer) for name, fact in FACTS.items()})
