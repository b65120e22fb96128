"""The surroundings of a run: people, machine, target, engine, versions, what exists now, and the files beside it."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from reports.page.banner import command_line, next_move, outage_in_words
from reports.page.drawing import to_svg
from reports.page.markup import Html, block, code, definitions, fold, items, join, table, tag
from reports.page.words import count, exactly, number, plus_minus, seconds, short, size, utc
from reports.record.evidence import PathOutage, SavedFile, Silence
from reports.record.observed import Container, DashboardSeen, Engine, Image, Server, Snapshot, Unseen
from reports.record.record import Record
from reports.record.values import Fingerprint, known

ALWAYS: tuple[SavedFile, ...] = (
    SavedFile("evidence.json", "the record; this page is a view of it"),
    SavedFile("junit.xml", "the same outcomes for machines; absent if the run was killed"),
    SavedFile("SHA256SUMS", "checksums of every file beside it"),
)


def to_outage(record: Record) -> Html:
    """Return how long the service did not answer, how that was measured, and its drawing."""
    outage = record.outage
    if outage is None:
        stopped = "although changing steps were carried out" if record.executed else "and nothing was stopped"
        return tag("p", f"No outage was measured, {stopped}.")
    length, ground = outage_in_words(outage)
    expected = record.plan.worst_outage if record.plan else None
    drawing = to_svg(record)
    return join(
        [
            tag("p", tag("strong", length), f": {ground}.", class_="kr-lead"),
            tag("p", tag("b", "How it was measured: "), outage.method),
            tag("p", f"The plan expected at most {seconds(expected)}.") if expected is not None else Html(),
            tag("figure", tag("div", drawing, **_scrolls("drawing of the outage")), _legend(outage.zero_at))
            if drawing
            else Html(),
            table("What each path saw", PATH_HEAD, map(_path, outage.paths)),
        ]
    )


def _scrolls(label: str) -> dict[str, str]:
    return {"class_": "kr-scroll", "tabindex": "0", "role": "region", "aria_label": label}


def _legend(zero_at: str) -> Html:
    return tag(
        "figcaption",
        "Solid: good answers. Hatched: bad answers, or none. Shaded: the outage, each stretch of it, its edges as wide as they are "
        "uncertain. Seconds since the probe began at ",
        utc(zero_at),
        ".",
    )


PATH_HEAD = ("Path", "Outage", "Last good answer", "First good answer", "Largest gap", "Flaps", "Looks")


def _path(path: PathOutage) -> tuple[object, ...]:
    note = tag("small", "this is the run's outage") if path.headline else Html()
    return (
        join([tag("b", path.path), tag("small", path.url), note]),
        join([number(plus_minus(path.length, path.uncertainty)), *map(_silence, _several(path))])
        if path.length is not None
        else "none measured",
        number(exactly(path.last_good)) if path.last_good is not None else "none",
        number(exactly(path.first_good)) if path.first_good is not None else "none",
        number(exactly(path.largest_gap)),
        str(path.flaps),
        f"{path.looks} at {path.rate:g} a second",
    )


def _several(path: PathOutage) -> tuple[Silence, ...]:
    """Return the stretches of an outage that has more than one."""
    return path.each if len(path.each) > 1 else ()


def _silence(silence: Silence) -> Html:
    begin = exactly(silence.last_good) if silence.last_good is not None else "the beginning"
    end = exactly(silence.first_good) if silence.first_good is not None else "the end"
    return tag("small", f"{plus_minus(silence.length, silence.uncertainty)}, from {begin} to {end}")


def to_who(record: Record) -> Html:
    """Return who ran it, why and from where; nothing of it is verified."""
    who = record.who
    pairs: list[tuple[str, object]] = [
        ("Operator (as given)", who.operator),
        ("Reason (as given)", who.reason or "none given"),
        ("Ticket (as given)", who.ticket or "none given"),
        ("Approved by (as given, not checked)", who.approved_by or "none given"),
        ("User", who.user),
        ("Host", who.host),
        ("Folder", code(who.cwd)),
        ("CI job", who.ci_job or "none: run by hand"),
        (
            "Suite",
            join([who.suite_version, " ", tag("small", "commit "), _commit(who.suite_commit)]),
        ),
        ("Python, pytest", f"{who.python}, {who.pytest}"),
        ("Command line", code(who.command_line) if who.command_line else ""),
        ("Began", utc(record.began_at)),
        ("Ended", utc(record.ended_at) if record.ended_at else "not recorded"),
        ("Took over from run", record.recovered_from),
    ]
    return definitions(pairs)


def _commit(commit: str) -> Html:
    """Return a commit, shortened, with the note on it."""
    name, _, note = commit.partition(" ")
    return join([short(name or "unknown"), f" {note}" if note else ""])


def _known(value: str) -> Html:
    """Return a value of the target; not known if it is blank, or still holds a placeholder."""
    return code(value) if value and "{" not in value else tag("i", "not known")


def to_target(record: Record) -> Html:
    """Return what was operated on, the engine it runs on, and every version that was seen."""
    target = record.target
    if target is None:
        return tag("p", "The target could not be read.")
    pairs: list[tuple[str, object]] = [
        ("Target", target.name),
        ("Target file", code(target.file)),
        ("Folder", code(target.root)),
        ("Compose project, service", f"{target.project or 'not known'}, {target.service}"),
        ("Database service", target.database_service),
        ("Container", _known(target.container)),
        ("HTTP", _known(target.http_url)),
        ("Management", _known(target.management_url)),
        ("Engine's address", _known(target.endpoint)),
        *(_versions(record.snapshots[-1]) if record.snapshots else ()),
    ]
    return definitions(pairs)


def _versions(snapshot: Snapshot[Fingerprint]) -> Iterator[tuple[str, object]]:
    match snapshot.engine:
        case Engine() as engine:
            yield "Engine", f"{engine.name}, {engine.version} (API {engine.api}), {engine.os}"
            yield "Engine's id", short(engine.id)
            yield (
                "Engine's clock",
                f"{abs(engine.skew):.3f} s {'ahead of' if engine.skew >= 0 else 'behind'} ours",
            )
        case Unseen() as gone:
            yield "Engine", f"not observed: {gone.sentence}"
    match snapshot.running_image or snapshot.image:
        case Image() as image:
            # Asked for by its id, an image has no other name; its container keeps the one it was made by.
            container = snapshot.container
            name = container.image if isinstance(container, Container) else image.reference
            yield "Image", join([short(name), f" {image.version}, {size(image.size)}, id ", short(image.id)])
    match snapshot.server:
        case Server() as server:
            version = server.version
            yield (
                "Server's version",
                f"not observed: {version.sentence}" if isinstance(version, Unseen) else version,
            )

    for one in known(snapshot.dashboards):
        yield f"Dashboard {one.name}", join(_dashboard(one))


def _dashboard(dashboard: DashboardSeen) -> Iterator[object]:
    shows, age = dashboard.shows, dashboard.age
    if isinstance(shows, Unseen):
        yield f"not observed: {shows.sentence}"
    else:
        how_old = "" if isinstance(age, Unseen) else f", at most {age:.1f} s old"
        yield join([code(shows), f" (expected {dashboard.expected}{how_old})"])
    if len(dashboard.looks) > 1:
        yield fold("What it showed on the way", items(dashboard.looks, "kr-claims"))


def to_existing(record: Record) -> Html:
    """Return what exists now, as the engine showed it after the last act."""
    if isinstance(record.exists_now, Unseen):
        return tag("p", f"Not known: {record.exists_now.sentence}.")
    return items(record.exists_now, "kr-claims") or tag(
        "p", "Nothing was read from the engine after the last act."
    )


def to_findings(record: Record) -> Html:
    """Return what an auditor should know that is no check's outcome."""
    lines = [tag("li", tag("p", one.text), next_move(one.next_move)) for one in record.findings]
    return tag("ul", *lines, class_="kr-claims") if lines else tag("p", "None.")


def to_anomalies(record: Record) -> Html:
    """Return the rows that this run proposes for the target's list of anomalies, ready to be copied."""
    noted = record.anomalies
    if noted is None:
        return tag("p", "None: nothing was found that a list could hold, or the target names no list.")
    rows = ((one.symptom, one.action) for one in noted.rows)
    return join(
        [
            tag("p", f"{count(len(noted.rows), 'row')} for ", code(noted.file), f": {noted.outcome}."),
            table("Proposed for the list of anomalies", ("Symptom", "Action"), rows),
            fold("As Markdown", block("\n".join(one.row for one in noted.rows), "The rows as Markdown")),
        ]
    )


def to_plan(record: Record) -> Html:
    """Return the plan's own notes: helper containers, and what cannot be tried without acting."""
    plan = record.plan
    if plan is None:
        return tag("p", "No plan could be made.")
    commands = (code(command_line(step.command)) for step in plan.steps if step.command)
    parts = [
        tag("p", f"Made for the state “{plan.state}”: {len(plan.steps)} steps, {len(plan.checks)} checks."),
        *(_listed("Looked with", plan.looks) if plan.looks else ()),
        *(_listed("Could not be tried without acting", plan.untried) if plan.untried else ()),
        fold("Exact commands of the plan", items(commands, "kr-claims")) if plan.steps else Html(),
    ]
    return join(parts)


def _listed(head: str, lines: tuple[str, ...]) -> tuple[Html, Html]:
    return tag("h3", head), items(lines, "kr-claims")


def to_files(record: Record) -> Html:
    """Return the files beside this page, and what their checksums prove."""
    named = {one.name: one for one in (*ALWAYS, *record.files)}
    rows = [tag("li", _link(one.name), tag("small", one.note)) for one in named.values()]
    known = count(record.redactions, "secret value was", "secret values were")
    return join(
        [
            tag("ul", *rows, class_="kr-claims"),
            tag("p", f"{known} known to the redaction; each is replaced by [redacted] wherever it was met."),
            tag(
                "p",
                "Check with ",
                code("sha256sum --check SHA256SUMS"),
                ". A hash list alone proves only that nothing was changed since hashing: not who wrote it, nor when.",
            ),
        ]
    )


def _link(name: str) -> Html:
    """Return a link to a file beside the report; nothing else can be linked to."""
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or "\\" in name:
        return code(name)
    return tag("a", code(name), href="./" + quote(name.encode("utf-8", "surrogateescape"), safe="/"))
