"""`python -m procedures.way_back FILE`: make again what was kept, in the place of the container with its name, and start it.

`--try RUN` makes it under another name, says in what it would differ, and removes it without starting it.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from procedures.observe.engine import endpoint
from procedures.observe.engine.engine import EngineObserver
from procedures.problems import Problem
from procedures.way_back import kept, making


def main(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Carry out what was typed; 0 if the engine did it, 1 if not, 3 if a trial shows a difference."""
    parser = argparse.ArgumentParser(prog="python -m procedures.way_back", description=__doc__)
    parser.add_argument("file", type=Path, help="what was kept: RUN.kept.json beside the journal")
    parser.add_argument("--try", dest="trial", metavar="RUN", help="only try it, for this run")
    typed = parser.parse_args(arguments)
    try:
        return _carry_out(typed.file, typed.trial, environment)
    except Problem as error:
        print(f"{typed.file}: {error.sentence}", file=sys.stderr)
        return 1


def _carry_out(file: Path, trial: str | None, environment: Mapping[str, str]) -> int:
    description = kept.read(file)
    engine = EngineObserver(endpoint.of_words(description.reach, environment))
    try:
        if trial is not None:
            different = making.try_it(engine, description, trial)
        else:
            different = making.put_in_place(engine, description)
    finally:
        engine.close()
    said = "would differ" if trial else "differs from before"
    print(f"{description.name} {'can be made again' if trial else 'is started'}")
    for part in different:
        print(f"{part} {said}")
    return 3 if trial and different else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
