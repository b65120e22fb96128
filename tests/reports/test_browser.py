"""The report in a real browser: without script, sandboxed, in print, narrow, dark, by keyboard, and unharmed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

from reports.page.html import to_block, to_html
from reports.page.index import Listed, to_index
from reports.record.record import Record
from tests.reports import samples

CONTRAST = Path(__file__).with_name("looking.js").read_text(encoding="utf-8")
POLICY_IN_PAGE = "Content-Security-Policy"
FONT_OF_TABLE = "getComputedStyle(document.querySelector('#results-table')).fontSize"
A4 = {"width": 688, "height": 1016}
"""What is left of a page of A4 inside its margins, in CSS pixels."""


@dataclass
class Watched:
    """A page, and what it did beside being shown."""

    page: Page
    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join(self.page.locator("body").inner_text().split())


@contextmanager
def shown(browser: Browser, address: str, **settings: Any) -> Iterator[Watched]:
    """Show a page, and note every request, dialog and error."""
    context = browser.new_context(**settings)
    try:
        watched = Watched(context.new_page())
        watched.page.set_default_timeout(10_000)
        watched.page.on("request", lambda request: watched.requests.append(request.url))
        watched.page.on("pageerror", lambda error: watched.errors.append(str(error)))

        def dismiss(dialog: Any) -> None:
            watched.dialogs.append(dialog.message)
            dialog.dismiss()

        watched.page.on("dialog", dismiss)
        watched.page.goto(address)
        yield watched
    finally:
        context.close()


@pytest.fixture(name="saved")
def _saved(tmp_path: Path) -> Callable[[str], str]:
    """Return the address of a file with that page in it."""

    def save(page: str) -> str:
        path = tmp_path / "report.html"
        path.write_text(page, encoding="utf-8")
        return path.as_uri()

    return save


@pytest.fixture(scope="module", name="in_pytest_html")
def _in_pytest_html(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Record], str]:
    """Return the address of pytest-html's own report with the block of that run above its table."""

    def made(record: Record) -> str:
        folder = tmp_path_factory.mktemp("inner")
        (folder / "block.html").write_text(to_block(record), encoding="utf-8")
        (folder / "none.ini").write_text("[pytest]\n")
        (folder / "test_inner.py").write_text("def test_one(): pass\ndef test_two(): assert False\n")
        (folder / "conftest.py").write_text(
            "from pathlib import Path\n"
            "def pytest_html_results_summary(prefix):\n"
            "    prefix.append(Path(__file__).with_name('block.html').read_text(encoding='utf-8'))\n"
        )
        plugins = ("pytest_metadata.plugin", "pytest_html.fixtures", "pytest_html.plugin")
        named = [word for plugin in plugins for word in ("-p", plugin)]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "--disable-plugin-autoload", *named, "-q", "-c", "none.ini",
             "--rootdir", ".", "--html=report.html", "--self-contained-html"],
            cwd=folder, check=False, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert (folder / "report.html").is_file(), done.stdout + done.stderr
        return (folder / "report.html").as_uri()

    return made


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("name", samples.ALL)
def test_it_reads_with_script_and_without(
    browser: Browser, saved: Callable[[str], str], name: str, script: bool
) -> None:
    """From a file, with or without script, the same words stand there, nothing is fetched and nothing fails."""
    evidence = samples.ALL[name]()
    with shown(browser, saved(to_html(evidence)), java_script_enabled=script) as watched:
        assert watched.text.index(evidence.verdict) < 1500
        assert watched.page.title().startswith(evidence.verdict)
        assert watched.page.locator("svg.kr-drawing").count() == (1 if evidence.outage else 0)
        assert len(watched.requests) == 1
        assert watched.errors == []


def test_the_block_reads_without_script_above_an_empty_table(
    browser: Browser, in_pytest_html: Callable[[Record], str]
) -> None:
    """pytest-html's table needs script; our block does not."""
    with shown(browser, in_pytest_html(samples.refused()), java_script_enabled=False) as watched:
        assert watched.page.locator("#results-table tbody tr").count() == 0
        assert "Exit status 10" in watched.text
        assert "password authentication failed" in watched.text


def test_the_block_leaves_pytest_html_its_table(
    browser: Browser, in_pytest_html: Callable[[Record], str]
) -> None:
    """With script both stand there, ours first, and our style does not reach into theirs."""
    with shown(browser, in_pytest_html(samples.accepted())) as watched:
        box = watched.page.locator(".kr").bounding_box() or {"y": 1000}
        assert watched.page.locator("#results-table tbody.results-table-row").count() == 2
        assert watched.page.locator(".kr .kr-verdict").inner_text() == "ACCEPTED"
        assert box["y"] < 20
        assert watched.page.evaluate(FONT_OF_TABLE) == "12px"
        assert watched.errors == []


@pytest.mark.parametrize("render", [to_html, to_block])
def test_it_reads_under_the_strictest_policy(browser: Browser, render: Callable[[Record], str]) -> None:
    """Where style and script are forbidden, order and words carry it, and the drawing is still drawn."""
    context = browser.new_context()
    page = context.new_page()
    headers = {
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Content-Type": "text/html; charset=utf-8",
    }

    def answer(route: Route) -> None:
        route.fulfill(status=200, headers=headers, body=render(samples.service_down()))

    page.route("**/*", answer)
    page.goto("http://report.invalid/report.html")
    words = " ".join(page.locator("body").inner_text().split())
    order = [
        "restart of tools",
        "SERVICE DOWN",
        "Exit status 12",
        "Executed",
        "Ana Ribeiro",
        "Why, and what",
        "by hand",
    ]
    places = [words.index(word) for word in order]
    drawing = page.locator("svg.kr-drawing").bounding_box()
    bar = page.evaluate("getComputedStyle(document.querySelector('.kr-d-band')).fill")
    unstyled = page.evaluate("getComputedStyle(document.querySelector('.kr-banner')).borderTopWidth")
    context.close()

    assert sorted(places) == places
    assert drawing is not None
    assert drawing["width"] > 300
    assert bar == "rgb(249, 222, 220)"
    assert unstyled == "0px"


def test_it_reads_in_a_sandboxed_frame(browser: Browser, saved: Callable[[str], str], tmp_path: Path) -> None:
    """A viewer that shows reports in a sandboxed frame shows all of it."""
    saved(to_html(samples.accepted()))
    frame = tmp_path / "frame.html"
    frame.write_text('<iframe sandbox src="report.html" width="900" height="800"></iframe>')
    with shown(browser, frame.as_uri()) as watched:
        inside = watched.page.frame_locator("iframe")

        assert inside.locator(".kr-verdict").inner_text() == "ACCEPTED"
        assert inside.locator("svg.kr-drawing").is_visible()
        assert watched.errors == []


@pytest.mark.parametrize("name", ["accepted", "service_down", "refused", "hostile"])
def test_print_shows_everything(browser: Browser, saved: Callable[[str], str], name: str) -> None:
    """On paper nothing is folded, nothing is cut off at the side, and no meaning hangs on colour."""
    with shown(browser, saved(to_html(samples.ALL[name]())), viewport=A4, color_scheme="dark") as watched:
        watched.page.emulate_media(media="print")
        folded = watched.page.evaluate(
            "[...document.querySelectorAll('.kr details > *')].filter(one => !one.checkVisibility("
            "{contentVisibilityAuto: true, opacityProperty: true, visibilityProperty: true})"
            " || one.getBoundingClientRect().height === 0).length"
        )
        coloured = watched.page.evaluate(
            "[...document.querySelectorAll('.kr *:not(svg *)')].filter(one => {"
            " const [r, g, b] = getComputedStyle(one).color.match(/[\\d.]+/g); return r !== g || g !== b })"
            ".map(one => one.outerHTML.slice(0, 80))"
        )
        wide = watched.page.evaluate("document.scrollingElement.scrollWidth")
        boxes = watched.page.evaluate(
            "[...document.querySelectorAll('.kr pre')].filter(one => one.scrollHeight > one.clientHeight + 2).length"
        )
        paper = watched.page.pdf(format="A4")

    assert folded == 0
    assert coloured == []
    assert wide <= A4["width"]
    assert boxes == 0
    assert paper.startswith(b"%PDF")


@pytest.mark.parametrize("name", ["accepted", "understudied", "service_down", "refused", "killed"])
def test_the_first_printed_page_tells_verdict_who_and_target(
    browser: Browser, saved: Callable[[str], str], name: str
) -> None:
    """Whoever finds only the first sheet knows what happened to what, and whom to ask."""
    with shown(browser, saved(to_html(samples.ALL[name]())), viewport=A4) as watched:
        watched.page.emulate_media(media="print")
        banner = watched.page.locator(".kr-banner").bounding_box()
        words = " ".join(watched.page.locator(".kr-banner").inner_text().split())

    assert banner is not None
    assert banner["y"] + banner["height"] < A4["height"]
    assert all(
        word in words for word in ("Exit status", "Ana Ribeiro", "ops-runner-3", "tools-kestra", "OPS-4711")
    )


@pytest.mark.parametrize("name", samples.ALL)
def test_a_narrow_page_never_scrolls_sideways(
    browser: Browser, saved: Callable[[str], str], name: str
) -> None:
    """At 400 px everything wraps or scrolls inside itself, folded or not."""
    with shown(
        browser, saved(to_html(samples.ALL[name]())), viewport={"width": 400, "height": 800}
    ) as watched:
        watched.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")

        assert watched.page.evaluate("document.scrollingElement.scrollWidth") <= 400


@pytest.mark.parametrize("name", ["accepted", "hostile"])
def test_pytest_html_s_page_is_narrow_too(
    browser: Browser, in_pytest_html: Callable[[Record], str], name: str
) -> None:
    """Around our block its page gives up the width that it insists on."""
    with shown(
        browser, in_pytest_html(samples.ALL[name]()), viewport={"width": 400, "height": 800}
    ) as watched:
        assert watched.page.evaluate("document.scrollingElement.scrollWidth") <= 400


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["understudied", "waived", "refused", "service_down", "killed"])
def test_contrast_is_sufficient(
    browser: Browser, saved: Callable[[str], str], name: str, scheme: Any
) -> None:
    """Every text stands at 4.5 to 1 or better against what is behind it, in the drawing too."""
    with shown(browser, saved(to_html(samples.ALL[name]())), color_scheme=scheme) as watched:
        watched.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")

        assert watched.page.evaluate(CONTRAST) == []


def test_the_contrast_test_can_fail(browser: Browser, saved: Callable[[str], str]) -> None:
    """The measurement finds a pale text on the page, and a pale one in the drawing."""
    with shown(browser, saved(to_html(samples.accepted()))) as watched:
        watched.page.evaluate("document.querySelector('.kr-meaning').style.color = '#bbb'")
        watched.page.evaluate("document.querySelector('svg.kr-drawing text').style.fill = '#ccc'")

        assert len(watched.page.evaluate(CONTRAST)) == 2


def test_dark_mode_is_dark(browser: Browser, saved: Callable[[str], str]) -> None:
    """Whoever wants a dark page gets one."""
    with shown(browser, saved(to_html(samples.accepted())), color_scheme="dark") as watched:
        ground = watched.page.evaluate("getComputedStyle(document.querySelector('.kr')).backgroundColor")

    assert ground == "rgb(21, 24, 28)"


@pytest.mark.parametrize("render", ["page", "page without its policy", "block", "index"])
def test_a_hostile_value_does_nothing(
    browser: Browser,
    saved: Callable[[str], str],
    in_pytest_html: Callable[[Record], str],
    render: str,
) -> None:
    """No dialog, no request, no element and no style comes of a value, whoever wrote it."""
    evidence = samples.hostile()
    page = to_html(evidence)
    assert POLICY_IN_PAGE in page
    addresses = {
        "page": lambda: saved(page),
        "page without its policy": lambda: saved(page.replace(POLICY_IN_PAGE, "x-none")),
        "block": lambda: in_pytest_html(evidence),
        "index": lambda: saved(to_index([Listed("a", evidence, samples.EVIL, has_report=True, open=False)])),
    }
    with shown(browser, addresses[render]()) as watched:
        for _ in range(3):
            watched.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = !one.open)")
        made = watched.page.locator(
            ".kr script, .kr img, .kr iframe, .kr meta, .kr style, .kr a[href^=javascript]"
        )

        assert made.count() == 0
        assert watched.dialogs == []
        assert watched.errors == []
        assert len(watched.requests) == 1
        assert "<script>alert(1)</script>" in watched.text
        assert watched.page.locator(".kr").is_visible()


@pytest.mark.parametrize("script", [True, False])
def test_everything_is_reached_by_keyboard(
    browser: Browser, saved: Callable[[str], str], script: bool
) -> None:
    """Tab reaches every link, fold and scrolling box in order, visibly, and Enter opens a fold without script."""
    with shown(browser, saved(to_html(samples.service_down())), java_script_enabled=script) as watched:
        page = watched.page
        expected = page.locator(".kr a:visible, .kr summary:visible, .kr [tabindex='0']:visible").count()
        reached = []
        for _ in range(expected):
            page.keyboard.press("Tab")
            reached.append(page.evaluate("document.activeElement.tagName"))
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        first = page.locator("details:not([open]) > summary").first
        closed = page.locator("details:not([open])").count()
        first.focus()
        page.keyboard.press("Enter")

        assert "BODY" not in reached
        assert {"A", "SUMMARY", "PRE", "DIV"} == set(reached)
        assert closed - 1 == page.locator("details:not([open])").count()


def test_every_anchor_leads_somewhere(browser: Browser, saved: Callable[[str], str]) -> None:
    """The links of the contents all have their section."""
    with shown(browser, saved(to_html(samples.accepted()))) as watched:
        lost = watched.page.evaluate(
            "[...document.querySelectorAll('.kr a[href^=\"#\"]')].filter(one => !document.querySelector("
            "one.getAttribute('href'))).length"
        )

    assert lost == 0
