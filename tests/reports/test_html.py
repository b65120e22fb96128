"""The report as text: what it says, in which order, and that every value in it is only a value."""

# ruff: noqa: SIM300 - expected on the left

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from reports.page.drawing import to_svg
from reports.page.html import to_block, to_html
from reports.page.index import Listed, to_index
from reports.page.markup import VOID, slug, tag, text
from reports.page.words import plus_minus, seconds, short
from reports.record.evidence import Interval, Verdict
from tests.reports import samples


class Page(HTMLParser):
    """What a browser would make of a page, as far as the tests ask."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.opened: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.opened.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag in VOID or tag == self.opened.pop()

    def handle_data(self, data: str) -> None:
        if self.opened[-1:] not in (["style"], ["title"], ["desc"]):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def in_order(page: str, *words: str) -> bool:
    """Say whether the words stand in the page, one after the other."""
    told = Page(page).text
    at = -1
    for word in words:
        at = told.find(word, at + 1)
        if at < 0:
            pytest.fail(f"{word!r} does not stand where it is expected in: {told[:3000]}")
    return True


@pytest.mark.parametrize("render", [to_html, to_block])
@pytest.mark.parametrize("name", samples.ALL)
def test_every_kind_of_run_is_well_formed(name: str, render: object) -> None:
    """Every element that is opened is closed, ids are not used twice, and nothing runs or is fetched."""
    page = Page(render(samples.ALL[name]()))  # type: ignore[operator]
    ids = [one["id"] for _, one in page.elements if "id" in one]

    assert [] == page.opened
    assert len(ids) == len(set(ids))
    assert {"script", "img", "iframe", "object", "form", "link"}.isdisjoint(kind for kind, _ in page.elements)
    assert not [
        key for _, one in page.elements for key in one if key.startswith("on") or key in {"src", "style"}
    ]


@pytest.mark.parametrize("verdict", Verdict)
def test_the_verdict_is_told_in_words(verdict: Verdict) -> None:
    """Verdict, exit status and its meaning stand at the top, and the verdict in the title."""
    page = to_html(replace(samples.accepted(), verdict=verdict))

    assert in_order(page, verdict, f"Exit status {verdict.exit_status}: {verdict.meaning}")
    assert f"<title>{verdict}: restart of tools" in page


def test_executed_and_accepted_are_told_apart() -> None:
    """A restart that was carried out and not accepted says both."""
    assert in_order(to_html(samples.accepted()), "Executed yes", "Accepted yes")
    assert in_order(to_html(samples.service_down()), "Executed yes", "Accepted no")
    assert in_order(to_html(samples.refused()), "Executed no", "Accepted no")


def test_the_understudy_is_named_before_anything_else() -> None:
    """No evidence against the understudy can be taken for one against Kestra."""
    assert Page(to_block(samples.understudied())).text.startswith(
        "This ran against the understudy, not Kestra."
    )
    assert "understudy" not in Page(to_block(samples.accepted())).text


def test_waivers_stand_before_every_section() -> None:
    """Who waived what and why is read before the outage."""
    page = to_html(samples.waived())

    assert in_order(
        page,
        "with 2 claims waived",
        "2 claims waived",
        "known since OPS-4702",
        "Ana Ribeiro",
        "Outage 10.310",
    )


def test_every_reason_of_a_refusal_is_told_at_once() -> None:
    """Each claim that closes stands at the top with its reason and next move; an advisory one does not."""
    page = to_html(samples.refused())
    top = Page(page).text.split("How it was measured")[0].split("Outage Who")[0]

    assert in_order(
        page, "Why, and what to do next", "could not be listed", "allow the helper", "authentication failed"
    )
    assert "health is starting since 40 s" not in top
    assert "health is starting since 40 s" in Page(page).text


def test_an_advisory_failure_is_counted_as_one() -> None:
    """A run can be accepted with a failed check only where that check closes nothing, and the count says so."""
    assert in_order(to_html(samples.refused()), "2 failed (1 advisory), 1 unknown")


def test_the_commands_by_hand_are_whole() -> None:
    """Where the service is down, the commands stand at the top as they are typed."""
    assert in_order(
        to_html(samples.service_down()), "by hand", "up -d --no-deps kestra", "Outage at least 29.796 s"
    )


def test_what_judges_a_service_that_is_back_stands_at_the_top() -> None:
    """Nobody who reads of an interruption starts a service once more that answers."""
    told = to_html(replace(samples.killed(), by_hand=(), judge_by="pytest -m accept --target=/srv/t.toml"))

    assert in_order(
        told, "Nothing has to be typed to have the service", "pytest -m accept --target=/srv/t.toml"
    )
    assert "starts and judges it" not in told


def test_the_outage_is_told_with_its_uncertainty_and_method() -> None:
    """A length without how it was measured is not told."""
    page = to_html(samples.accepted())

    assert in_order(
        page, "10.310 s ± 0.018 s", "How it was measured: a process of its own", "Largest gap", "0.021 s"
    )


@pytest.mark.parametrize(
    ("last_good", "first_good", "length", "good", "expected"),
    [
        (1.0, 3.0, 2.0, False, "2.000 s ± 0.010 s"),
        (1.0, None, None, False, "at least 9.000 s"),
        (None, 3.0, None, False, "of unknown beginning"),
        (None, None, None, False, "all the time"),
        (None, None, 0.0, True, "none seen"),
        (None, None, None, True, "none seen"),
    ],
)
def test_an_outage_is_never_prettier_than_what_was_seen(
    last_good: float | None, first_good: float | None, length: float | None, good: bool, expected: str
) -> None:
    """Without an end, a beginning or an outage at all, the words say just that."""
    seen = samples.outage()
    path = replace(
        seen.paths[0],
        last_good=last_good,
        first_good=first_good,
        length=length,
        uncertainty=0.01,
        intervals=(Interval(0.0, 10.0, "x", good, 5),),
    )
    page = to_html(replace(samples.accepted(), outage=replace(seen, ended=10.0, paths=(path,))))

    assert in_order(page, f"Outage {expected}", expected)


def test_an_outage_of_two_stretches_is_told_whole() -> None:
    """A run that went back stopped the service twice: the sum first, then each, and each is shaded."""
    page = to_html(samples.gone_back())

    assert in_order(page, "Outage 12.655 s ± 0.030 s", "in 2 stretches: 6.000 s + 6.655 s, seen from outside")
    assert in_order(page, "What each path saw", "6.000 s ± 0.018 s, from 2.204 s to 8.210 s", "6.655 s")
    assert page.count('class="kr-d-band"') == 2
    index = to_index([Listed("one", samples.gone_back(), "", has_report=True, open=False)])
    assert in_order(index, "12.655 s ± 0.030 s (in 2 stretches: 6.000 s + 6.655 s)")


def test_stretches_that_are_too_many_are_counted() -> None:
    """A service that comes and goes a thousand times does not fill the page, and nothing of it is kept back."""
    seen = samples.gone_back().outage
    assert seen is not None
    path = seen.paths[0]
    page = to_html(replace(samples.gone_back(), outage=replace(seen, paths=(replace(path, unlisted=998),))))

    assert "in 1000 stretches: 6.000 s + 6.655 s + 998 shorter" in page


def test_a_second_stretch_without_an_end_is_at_least_all_that_was_seen() -> None:
    """The way back that never came up adds to the stretch before it."""
    seen = samples.gone_back().outage
    assert seen is not None
    first, second = seen.paths[0].silences
    path = replace(
        seen.paths[0],
        first_good=None,
        length=None,
        uncertainty=None,
        silences=(first, replace(second, first_good=None, length=None, uncertainty=None)),
    )
    page = to_html(replace(samples.gone_back(), outage=replace(seen, paths=(path,))))

    assert in_order(page, "Outage at least 17.100 s", "6.000 s + of unknown length")


def test_an_older_record_s_outage_is_still_shaded() -> None:
    """A record from before the stretches were listed has one."""
    assert to_html(samples.accepted()).count('class="kr-d-band"') == 1


def test_a_probe_that_never_looked_measured_nothing() -> None:
    """No look is not the same as no outage."""
    seen = samples.outage()
    blind = replace(seen, paths=(replace(seen.paths[0], length=None, intervals=()),))

    assert in_order(to_html(replace(samples.accepted(), outage=blind)), "Outage not measured", "not measured")


def test_who_and_where_are_told_as_given() -> None:
    """Nothing of who approved what was checked, and the page says so."""
    assert in_order(
        to_html(samples.accepted()),
        "Who, when",
        "Ana Ribeiro",
        "OPS-4711",
        "Approved by (as given, not checked) M. Okafor",
        "ops-runner-3",
        "restart-kestra #182",
        "02bbe65c1f5e with uncommitted changes",
    )


def test_what_changed_is_said_in_words() -> None:
    """Changed and unchanged values stand side by side, each with its word."""
    page = to_html(samples.accepted())

    assert in_order(
        page, "Container id 4b1f7b4e6c0d c93e55d10a7b changed", "Image id 9f6f5d4c3b2a 9f6f5d4c3b2a same"
    )
    assert in_order(
        to_html(samples.service_down()), "Version of the server 0.20.7 not observed", "not comparable"
    )


def test_a_changed_environment_names_keys_and_no_values() -> None:
    """Which keys differ is told; neither value is."""
    changed = samples.container(environment={"JAVA_OPTS": "-Xmx2g", "NEW": "x"})
    page = to_html(samples.accepted((samples.BEFORE, replace(samples.AFTER, containers=(changed,)))))

    assert in_order(page, "environment that differ: JAVA_OPTS , KESTRA_DB_PASSWORD , NEW")
    assert "-Xmx2g" not in page


def test_every_check_step_and_wait_stands_in_the_report() -> None:
    """Nothing that was planned is left out, whatever became of it."""
    for evidence in (samples.accepted(), samples.service_down(), samples.refused(), samples.waived()):
        told = Page(to_html(evidence)).text
        for result in evidence.results:
            assert result.check.claim in told
            assert result.check.id in told
        for step in evidence.steps:
            assert " ".join(step.step.command) in told
        for wait in [wait for step in evidence.steps for wait in step.waits]:
            assert wait.sentence in told
            assert all(attempt.saw in told for attempt in wait.attempts)


def test_what_was_not_reached_is_told_of_a_killed_run() -> None:
    """Half a record says what is missing of the plan."""
    page = to_html(samples.killed())

    assert in_order(
        page, "INTERRUPTED", "its end was not recorded", "Step not carried out", "start, create the container"
    )
    assert in_order(
        page, "begun stop", "Check without a result", "The container is stopped", "Not known: nobody looked"
    )


def test_the_checksums_limits_are_told() -> None:
    """A reader learns what a list of hashes does not prove, and how many secrets were looked for."""
    assert in_order(
        to_html(samples.accepted()),
        "evidence.json",
        "junit.xml",
        "SHA256SUMS",
        "4 secret values",
        "proves only",
    )


def test_a_file_s_link_never_leaves_the_folder() -> None:
    """Whatever a file is called, its link is relative to the report or is none."""
    links = [one["href"] or "" for kind, one in Page(to_html(samples.hostile())).elements if kind == "a"]

    assert all(link.startswith(("./", "#")) for link in links)
    assert not [link for link in links if ".." in link or "javascript:" in link]


def test_hidden_characters_are_shown() -> None:
    """A text that turns its own direction around, or holds what a page cannot, is told by its code points."""
    assert "a⟨U+202E⟩b⟨U+0000⟩&lt;⟨U+D800⟩" == text("a\u202eb\x00<\ud800")
    assert re.search("[\x00\x1b\u202e]", to_html(samples.hostile())) is None


def test_markup_is_escaped_exactly_once() -> None:
    """A text is escaped, markup made of texts is not escaped again, and attributes cannot be left."""
    assert '<p title="&quot;&gt;&lt;x">a &amp; <b>&lt;c&gt;</b></p>' == tag(
        "p", "a & ", tag("b", "<c>"), title='"><x'
    )


def test_slugs_are_safe_anywhere() -> None:
    """An id, a link and a file name can be made of anything."""
    assert "pre-ports-py-test-x" == slug("pre/ports.py::test_x")
    assert "unnamed" == slug("…")
    assert len(slug("x" * 500)) <= 80


def test_ids_are_short_with_their_full_form_beside() -> None:
    """People compare twelve characters; the rest is one look away. What is no id is not cut."""
    full = "sha256:" + "ab" * 32

    assert f'<code title="{full}">abababababab</code>' == short(full)
    assert "<code>kestra/kestra:v0.20.7</code>" == short("kestra/kestra:v0.20.7")


def test_numbers_are_said_without_false_precision() -> None:
    """Durations read as people say them, measurements to the millisecond."""
    told = [seconds(value) for value in (0.0, 0.05, 1.234, 60.0, 192.0, 3600.0, None)]

    assert ["0 s", "50 ms", "1.23 s", "60 s", "3 min 12 s", "1 h", "unknown"] == told
    assert "3.000 s ± 0.020 s" == plus_minus(3.0, 0.02)


@pytest.mark.parametrize("name", [name for name, sample in samples.ALL.items() if sample().outage])
def test_the_drawing_is_well_formed(name: str) -> None:
    """It is XML, has words for those who do not see it, and stays inside its frame."""
    drawing = to_svg(samples.ALL[name]())
    root = ET.fromstring(drawing)
    space = "{http://www.w3.org/2000/svg}"

    assert (root.findtext(f"{space}title") or "").startswith("Drawing of the outage")
    assert root.findtext(f"{space}desc")
    assert all(0 <= float(one.get("x", 0)) <= 900 for one in root.iter(f"{space}rect"))
    assert all(float(one.get("width", 0)) <= 900 for one in root.iter(f"{space}rect"))


def test_the_drawing_says_every_answer() -> None:
    """What each path answered stands in the drawing's words, in order."""
    drawing = to_svg(samples.accepted())

    assert re.search(r"<desc>.*200 UP from .*503 DOWN from .*refused from .*200 UP from .*</desc>", drawing)
    assert all(word in drawing for word in ("gate opened", "engine: kill", "stop 2.02 s", "start 8.47 s"))


def test_a_long_outage_s_drawing_stays_small() -> None:
    """Thousands of flaps do not make a page that no browser opens."""
    seen = samples.outage()
    many = tuple(Interval(n * 0.02, n * 0.02 + 0.01, "x", n % 2 == 0, 1) for n in range(5000))
    evidence = replace(
        samples.accepted(), outage=replace(seen, paths=(replace(seen.paths[0], intervals=many),))
    )

    assert len(to_html(evidence)) < 300_000


def test_the_index_tells_runs_apart() -> None:
    """Open runs, the understudy's and those without a report are recognised, and values are only values."""
    listed = [
        Listed("a", samples.understudied(), "", has_report=True, open=False),
        Listed("e", samples.waived(), "", has_report=True, open=False),
        Listed("b", samples.killed(), "", has_report=False, open=True),
        Listed(samples.EVIL, samples.hostile(), "", has_report=True, open=False),
        Listed("d", None, "not JSON", has_report=True, open=False),
    ]
    page = to_index(listed)

    assert in_order(
        page,
        "ACCEPTED",
        "understudy, not Kestra",
        "2 claims waived",
        "running, or killed",
        "unreadable",
        "not JSON",
    )
    assert "<script" not in page


def test_a_finding_that_the_verdict_words_is_not_told_twice() -> None:
    record = samples.refused()
    one = next(one for one in record.results if one.closes and one.next_move)
    worded = replace(record, verdict_reasons=(f"{one.check.claim} {one.outcome}: {one.reason}",))
    assert 1 == Page(to_html(worded)).text.split("Sections")[0].split("Next: ")[0].count(one.reason)


def test_what_has_no_result_is_counted() -> None:
    record = samples.accepted()
    assert record.plan is not None
    cut = replace(record, results=record.results[:-2])
    assert "no other outcome" not in Page(to_html(cut)).text
    assert "2 without a result" in Page(to_html(cut)).text


def test_dashboards_are_told_with_what_they_showed() -> None:
    """The report says what each dashboard showed, how old that was, and what it showed before."""
    assert in_order(
        to_html(samples.accepted()),
        "Dashboard launcher",
        '"healthy" (expected "healthy", at most 2.0 s old)',
        "12.1 s: it shows",
    )


def test_rows_for_the_list_of_anomalies_can_be_copied() -> None:
    """The report shows what is proposed for the list, what became of it, and the rows as they are written there."""
    assert in_order(
        to_html(samples.refused()),
        "For the list of anomalies",
        "1 row for /srv/tools/docs/kestra.md : 1 appended.",
        "nobody looked | at them",
        "nobody looked \\| at them | allow the helper container |",
    )
    assert "None: nothing was found" in to_html(samples.accepted())
