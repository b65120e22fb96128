"""Why nothing has booted: the last errors, what differs, where the log is; what follows from it is folded."""

from __future__ import annotations

from dataclasses import replace

import pytest

from procedures.diagnosis import failed_boot
from reports.page.banner import to_banner
from reports.record.evidence import FailedBoot, Outcome, Phase, Way
from reports.record.observed import Secret
from tests.reports import samples
from tests.unit.test_console import closing, found

STAMP = "2026-11-26T22:00:00.123456789Z "
CREATE = "Error: Could not create the Java Virtual Machine."
BOOT = FailedBoot(
    "tools-kestra",
    "it ends at boot",
    ("java.lang.IllegalStateException: no",),
    ("UNDERSTUDY",),
    "log-after-x.txt",
)


def test_the_last_errors_of_a_log_are_told_once_each() -> None:
    lines = [
        "INFO all is well",
        "ERROR first",
        "  at io.kestra.Main",
        "Caused by: java.io.IOException: second",
    ]
    text = "".join(f"{STAMP}{line}\n" for line in [*lines, "INFO bye", *lines])

    assert failed_boot.last_errors(text) == ("ERROR first", "Caused by: java.io.IOException: second")
    assert failed_boot.last_errors(f"{STAMP}one\n{STAMP}two\n") == ("one", "two")
    assert failed_boot.last_errors("") == ()


def test_only_the_newest_errors_are_told_and_long_ones_are_cut_at_words() -> None:
    many = failed_boot.last_errors("".join(f"ERROR number {n}\n" for n in range(40)))
    (long,) = failed_boot.last_errors("ERROR " + "word " * 200)

    assert many == tuple(f"ERROR number {n}" for n in range(35, 40))
    assert len(long) <= failed_boot.WIDTH + 2
    assert long.endswith("word …")


@pytest.mark.parametrize(
    "cause",
    [
        [
            "Unrecognized VM option 'NoSuchOption=1'",
            CREATE,
            "Error: A fatal exception has occurred. Program will exit.",
        ],
        ["Unrecognized VM option 'UseG1G'", "Did you mean '(+/-)UseG1GC'?", CREATE],
        ["Invalid maximum heap size: -Xmx4x", CREATE],
        [
            "Error occurred during initialization of VM",
            "Could not reserve enough space for 8388608KB object heap",
        ],
    ],
)
def test_what_java_names_beside_its_error_is_told_with_it(cause: list[str]) -> None:
    loop = "".join(f"{STAMP}{line}\n" for line in ["INFO bye", *cause] * 3)

    assert failed_boot.last_errors(loop) == tuple(cause)


@pytest.mark.parametrize("level", ["1;31mERROR", "31mERROR", "38;5;9mFATAL"])
def test_an_error_is_known_by_its_level_in_colours(level: str) -> None:
    lines = [
        f"04:33:42.1 \x1b[{level}\x1b[0;39m \x1b[35mmain\x1b[0;39m no such bean",
        "04:33:42.4 \x1b[34mINFO \x1b[0;39m \x1b[35mmain\x1b[0;39m bye",
    ]
    text = "".join(f"{STAMP}{line}\n" for line in lines)

    assert failed_boot.last_errors(text) == (f"04:33:42.1 {level[-5:]} main no such bean",)


def test_what_differs_is_told_by_name_and_never_by_value() -> None:
    one = samples.container(environment={"A": "1", "PASSWORD": Secret("old-word"), "SAME": "x"})
    before = replace(samples.BEFORE, containers=(one,))
    now = replace(
        one, environment={"A": "2", "PASSWORD": Secret("new-word"), "SAME": "x"}, command=("other",)
    )
    told = failed_boot.differences(before, now)

    assert told == ("A", "PASSWORD", "command")
    assert failed_boot.differences(before, one) == ()
    assert failed_boot.differences(None, one) is None
    assert failed_boot.differences(before, replace(one, image="k:2", image_id="sha256:2")) == (
        f"the image (k:2, was {one.image})",
    )


def test_the_cause_stands_first_and_what_follows_is_folded() -> None:
    record = replace(found(samples.service_down()), boot=BOOT)
    follow = [one for one in record.results if record.follows(one)]
    lines = closing(record)

    assert follow
    assert lines.index("  tools-kestra does not boot: it ends at boot") < 4
    assert "    java.lang.IllegalStateException: no" in lines
    assert "  it differs from what ran before in: UNDERSTUDY" in lines
    assert any("log-after-x.txt" in line for line in lines)
    assert not any(one.check.id in line for one in follow for line in lines)
    assert any("because of this" in line for line in lines)
    page = str(to_banner(record))
    assert page.index("does not boot") < page.index("Why, and what to do next")


def test_what_was_not_compared_is_not_called_the_same() -> None:
    lines = closing(replace(found(samples.service_down()), boot=replace(BOOT, differs=None)))

    assert "  what differs from what ran before is not known" in lines


def test_without_a_failed_boot_every_claim_is_told() -> None:
    record = found(samples.service_down())

    assert not any("does not boot" in line for line in closing(record))
    assert not any(record.follows(one) for one in record.results)


def test_after_a_way_back_the_advice_leads_to_the_saved_log() -> None:
    one = next(one for one in samples.accepted().results if one.check.phase is Phase.POST)
    moves = (
        "`docker logs` of the new container", "see its log", "`docker logs --tail 9 tools-kestra`", "see the server's log",
        "see the container's log",
    )  # fmt: skip
    results = tuple(replace(one, outcome=Outcome.FAILED, next_move=move) for move in moves)
    told = {result.next_move for result in failed_boot.pointed(results, "tools-kestra")}

    assert told == {"see log-failed-tools-kestra.txt in this run's folder"}

    others = (
        replace(one, next_move="look at the disk"),
        replace(one, check=replace(one.check, phase=Phase.PRE)),
    )
    assert failed_boot.pointed(others, "tools-kestra") == others


def test_a_way_back_that_fails_too_stands_first() -> None:
    """What is there now is why the service is down; what the change brought is told after it, each with its own claims."""
    now = replace(BOOT, how="it ends again", said=("FATAL: gone",), differs=(), log="log-after-x.txt")
    one = next(one for one in samples.service_down().results if one.check.phase is Phase.POST)
    failed = replace(one, outcome=Outcome.FAILED, reason="because of the boot", next_move="see its log")
    back = replace(failed, check=replace(one.check, id=f"{one.check.id}@back", way=Way.BACK))
    record = replace(samples.service_down(), results=(failed, back), boot=BOOT, boot_back=now)
    lines = closing(record)

    assert [way for _, way in record.failed_boots] == [Way.BACK, Way.FORWARD]
    first = lines.index("  tools-kestra does not boot on the way back: it ends again")
    assert (
        first < lines.index("    FATAL: gone") < lines.index("  tools-kestra does not boot: it ends at boot")
    )
    assert lines.count("  1 claim does not hold because of this: the report has each") == 2
    assert not any("because of the boot" in line for line in lines)
    page = str(to_banner(record))
    assert page.index("on the way back") < page.index("UNDERSTUDY") < page.index("Why, and what to do next")


def test_a_way_back_that_fails_alone_folds_nothing_of_the_change() -> None:
    """Where the change had booted, and a claim led back, that claim is told as ever."""
    one = next(one for one in samples.service_down().results if one.check.phase is Phase.POST)
    failed = replace(one, outcome=Outcome.FAILED, reason="the flow is gone", next_move="look")
    record = replace(samples.service_down(), results=(failed,), boot=None, boot_back=BOOT)

    assert not record.follows(failed)
    assert record.follows(replace(failed, check=replace(one.check, way=Way.BACK)))
