"""How long it takes to clean and to scan 10 MB of the worst text for thirteen secrets, and to make it plain.

    python -m benchmarks.redaction [--report-only]

The time is this process's own time on the processor: what else the machine does is not the search's. It ends with 1
where any text took longer than its goal.
"""

from __future__ import annotations

import argparse
import random
import string
import sys
import time
from collections.abc import Callable, Iterator

from procedures.drivers.scripts import plain
from reports.record.observed import Secret
from reports.redaction.redact import Redaction

SIZE = 10_000_000
GOAL = 2.0
LETTERS = string.ascii_letters + string.digits


def secrets_of(dice: random.Random) -> tuple[Secret, ...]:
    """Return thirteen secrets as they are met: awkward ones, generated ones, a weak one, a long token."""
    made = ["p$ä/ \"q'w\\r+&<é>#%=:@;~`{}|\t!?€", "with space & ampersand", "kestra"]
    made += ["".join(dice.choices(LETTERS + "+/=-_!$&%#", k=length)) for length in (12, 16, 20, 24, 32)]
    made += ["".join(dice.choices(LETTERS, k=length)) for length in (10, 12, 20, 40, 200)]
    return tuple(Secret(one) for one in made)


def worst_texts(known: tuple[Secret, ...], size: int, dice: random.Random) -> Iterator[tuple[str, str]]:
    """Yield texts that are hard on a search: alike to what is searched for, or in runs without an end."""
    run = "".join(dice.choices(LETTERS + "+/", k=size))
    yield "one run like base64", run
    yield "base64 in lines of 76", "\n".join(run[at : at + 76] for at in range(0, size, 76))[:size]
    yield "one letter", "a" * size
    yield "backslashes", "\\" * size
    yield "dashes", "-" * size
    yield (
        "all but the last character of every secret",
        _filled("".join(one.value[:-1] for one in known), size),
    )
    yield (
        "every secret up to its middle, and what it may be written with",
        _filled(
            "".join(one.value[: len(one.value) // 2] + "\\'\"\\'\"%25$$&amp;" * 4 for one in known), size
        ),
    )
    yield "quotes", _filled("'\"'\"'\\'", size)
    yield "every secret", _filled(" ".join(one.value for one in known), size)
    yield "escapes", _filled("%25%3C&amp;#39;\\\\u003c&lt;\\x26%c3%A4", size)
    yield "keys", _filled("password= --token  secret: user.name:kestr@", size)
    yield (
        "a server's log",
        _filled(
            "2026-11-26T22:00:00.123456789Z 22:00:00.123 INFO  main i.k.c.AbstractCommand kestra is at postgresql://db/kestra\n",
            size,
        ),
    )


def _filled(piece: str, size: int) -> str:
    return (piece * (size // len(piece) + 1))[:size]


def measured(act: Callable[[], object]) -> float:
    began = time.process_time()
    act()
    return time.process_time() - began


def main(arguments: list[str]) -> int:
    """Measure every text, print a table, and say whether the goal was met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.redaction", description=__doc__)
    parser.add_argument("--report-only", action="store_true", help="end with 0 whatever was measured")
    asked = parser.parse_args(arguments)
    dice = random.Random(8)  # noqa: S311 - reproducible, and nothing is secret
    known = secrets_of(dice)
    redaction = Redaction(known, public_words=["kestra"])
    print(f"{len(known)} secrets, {SIZE / 1e6:g} MB, at most {GOAL:g} s each\n")
    print("| text | clean (s) | scan (s) | as a script's output (s) |\n|---|---|---|---|")
    slowest = 0.0
    for name, text in worst_texts(known, SIZE, dice):
        data = text.encode()
        clean = measured(lambda text=text: redaction.clean(text))  # type: ignore[misc]
        scan = measured(lambda data=data: redaction.scan(data))  # type: ignore[misc]
        printed = measured(lambda text=text: plain(text))  # type: ignore[misc]
        slowest = max(slowest, clean, scan, printed)
        print(f"| {name} | {clean:.2f} | {scan:.2f} | {printed:.2f} |", flush=True)
    met = slowest <= GOAL
    print(f"\nthe slowest took {slowest:.2f} s: {'met' if met else 'not met'}")
    return 0 if met or asked.report_only else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
