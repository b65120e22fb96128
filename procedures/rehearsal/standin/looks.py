"""Answers to the calls that only look: the real engine's, with the changes of the rehearsal put in."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from procedures.drivers.shell import Result
from procedures.rehearsal.standin.calls import Call
from procedures.rehearsal.standin.world import Made, World, in_template, state_of

LOG_LINES = 200
_WITHOUT_AN_END = frozenset({"events", "wait", "compose events", "compose wait"})
_LISTING = frozenset({"q", "quiet", "format", "no-trunc", "s", "size"})


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to the script; `how` says where it comes from."""

    out: str = ""
    err: str = ""
    code: int = 0
    how: str = "made up"


def look(world: World, call: Call) -> Reply:  # noqa: PLR0911 - one for each kind of question
    """Answer a call that only looks."""
    if call.command == "ps":
        return _ps(world, call)
    if call.command == "inspect":
        return _inspect(world, call)
    if call.command in {"logs", "compose logs"}:
        return _logs(world, call)
    if call.command in _WITHOUT_AN_END:
        world.notes[f"`docker {call.command}` would wait until something happens"] = None
        return Reply("0\n" * len(call.names) if call.command == "wait" else "")
    if call.command == "network inspect" and world.networks.intersection(call.names):
        return Reply(json.dumps([{"Name": name} for name in call.names]) + "\n")
    if call.command in {"image inspect", "volume inspect"}:
        made = world.images if call.command == "image inspect" else world.volumes
        reply = _passed(world, call)
        if reply.code and call.command == "image inspect" and world.stand_in and call.names:
            return _stood_in(world, call)
        unknown = reply.code and made.issuperset(call.names)
        return Reply(json.dumps([{"Name": name} for name in call.names]) + "\n") if unknown else reply
    return _passed(world, call)


def _stood_in(world: World, call: Call) -> Reply:
    """Let the present image answer for images that are pulled before the script really runs."""
    missing = {name for name in call.names if not _is_here(world, name) and world.has_image(name)}
    words = [world.stand_in if word in missing else word for word in call.rest]
    reply = reply_of(world.ask("image", "inspect", *words))
    return Reply(reply.out, reply.err, reply.code, "the engine's answer, of the present image")


def _is_here(world: World, image: str) -> bool:
    return world.ask("image", "inspect", "--format", "{{.Id}}", image).ok


def _passed(world: World, call: Call) -> Reply:
    words = [*call.command.split(), *map(world.real_name, call.rest)]
    if call.command == "stats":
        words.insert(1, "--no-stream")
    reply = reply_of(world.ask(*words))
    return Reply(world.as_renewed(reply.out), reply.err, reply.code, reply.how)


def reply_of(result: Result) -> Reply:
    """Return the engine's own answer."""
    if result.timed_out or result.exit_code is None:
        return Reply("", "the engine did not answer in time\n", 1, "no answer from the engine")
    if result.stdout:
        return Reply(result.stdout, "", result.exit_code, "the engine's answer")
    return Reply("", result.output, result.exit_code, "the engine's answer")


def _logs(world: World, call: Call) -> Reply:
    if call.has("f", "follow"):
        world.notes["a log is followed without an end: " + " ".join(call.argv)] = None
    wanted = call.value("n", "tail")
    lines = min(int(wanted), LOG_LINES) if wanted.isdigit() else LOG_LINES
    plain = [name for name in ("timestamps", "t") if call.has(name)]
    names = [world.real_name(name) for name in call.names[:1]]
    if call.is_compose:
        return Reply(how="made up: no log of Compose is shown here")
    if not names or world.find(call.names[0]) is None:
        return _missing(call.names[:1])
    result = world.ask("logs", "--tail", str(lines), *(["-t"] if plain else []), *names)
    return Reply(result.output, "", result.exit_code or 0, f"the engine's answer, at most {LOG_LINES} lines")


def _ps(world: World, call: Call) -> Reply:
    reply = reply_of(world.ask("ps", *call.rest))
    if reply.code or not (world.fates or world.made):
        return reply
    choosing = [word for name, value in call.options if name not in _LISTING for word in _word(name, value)]
    ids = world.ask("ps", "-q", "--no-trunc", *choosing).stdout.split()
    lines = reply.out.splitlines()
    form = call.value("format")
    has_header = not call.has("q", "quiet") and (not form or form.startswith("table"))
    kept = lines[:1] if has_header else []
    for id_, line in zip(ids, lines[1:] if has_header else lines, strict=False):
        fate = world.fates.get(id_, "")
        if fate == "removed" or (fate in {"exited", "killed"} and not call.has("a", "all")):
            continue
        kept.append(world.as_renewed(_in_line(line, fate)))
    kept += [_line(one, call) for one in world.made.values() if _matches(one, call)]
    return Reply("".join(f"{line}\n" for line in kept), "", 0, "the engine's answer, as it would be by then")


def _word(name: str, value: str) -> list[str]:
    dashes = "-" if len(name) == 1 else "--"
    return [f"{dashes}{name}", value] if value else [f"{dashes}{name}"]


def _in_line(line: str, fate: str) -> str:
    if fate not in {"exited", "killed"}:
        return line
    code = state_of(fate)["ExitCode"]
    return re.sub(r"\bUp \S.*?(?=\s{2,}|\t|$)", f"Exited ({code}) 1 second ago", line).replace(
        "running", "exited"
    )


def _matches(container: Made, call: Call) -> bool:
    if container.state != "running" and not call.has("a", "all"):
        return False
    for filter_ in call.values("f", "filter"):
        key, _, value = filter_.partition("=")
        label, equals, wanted = value.partition("=")
        holds = {
            "name": re.search(value, f"/{container.name}") is not None
            or re.search(value, container.name) is not None,
            "id": container.id.startswith(value),
            "ancestor": container.image == value,
            "status": container.state == value,
            "label": label in container.labels and (not equals or container.labels[label] == wanted),
        }
        if not holds.get(key, False):
            return False
    return True


def _line(container: Made, call: Call) -> str:
    short = container.id if call.has("no-trunc") else container.id[:12]
    if call.has("q", "quiet"):
        return short
    status = "Up 1 second" if container.state == "running" else "Exited (143) 1 second ago"
    known = {
        "ID": short,
        "Names": container.name,
        "Image": container.image,
        "Status": status,
        "State": container.state,
    }
    form = call.value("format").removeprefix("table ").replace("\\t", "\t")
    if not form:
        return f'{short}   {container.image}   "…"   1 second ago   {status}   {", ".join(container.ports)}   {container.name}'
    return re.sub(r"\{\{\s*\.(\w+)\s*\}\}", lambda found: known.get(found[1], ""), form)


def _inspect(world: World, call: Call) -> Reply:
    form = call.value("f", "format")
    kind = ["--type", call.value("type")] if call.value("type") else []
    parts: list[str] = []
    documents: list[Any] = []
    missing: list[str] = []
    for name in call.names:
        container = world.find(name)
        if isinstance(container, Made):
            documents.append(_document(container))
            parts.append(_from_template(form, documents[-1]))
            continue
        fate = world.fates.get(container["Id"], "") if container else ""
        template = in_template(form, fate) if fate else form
        if container and fate == "running" and not container["State"]["Running"]:
            # A container that is down publishes nothing; what it would publish stands elsewhere, in the same form.
            template = template.replace(".NetworkSettings.Ports", ".HostConfig.PortBindings")
        gone = container is None and world.fates.get(_id_of(world, name)) == "removed"
        said = world.ask("inspect", *kind, *(["--format", template] if form else []), world.real_name(name))
        if gone or not said.ok:
            missing.append(name)
        elif form:
            parts.append(world.as_renewed(said.stdout.rstrip("\n")))
        else:
            documents += _with_state(world, said.stdout, fate)
    out = "".join(f"{part}\n" for part in parts) if form else json.dumps(documents, indent=4) + "\n"
    err = "".join(f"Error: No such object: {name}\n" for name in missing)
    return Reply(out, err, 1 if missing else 0, "the engine's answer, as it would be by then")


def _id_of(world: World, name: str) -> str:
    return world.ask("inspect", "--format", "{{.Id}}", name).stdout.strip()


def _with_state(world: World, text: str, fate: str) -> list[Any]:
    documents: list[Any] = json.loads(world.as_renewed(text))
    for one in documents:
        if fate and "State" in one:
            one["State"] |= state_of(fate)
    return documents


def _document(container: Made) -> dict[str, Any]:
    return {
        "Id": container.id,
        "Name": f"/{container.name}",
        "Image": "sha256:" + "0" * 64,
        "RestartCount": 0,
        "State": state_of(container.state),
        "Config": {"Image": container.image, "Labels": container.labels},
    }


def _from_template(template: str, document: dict[str, Any]) -> str:
    def value(found: re.Match[str]) -> str:
        at: Any = document
        for key in found[1].split(".")[1:]:
            at = at.get(key) if isinstance(at, dict) else None
        return str(at).lower() if isinstance(at, bool) else "" if at is None else str(at)

    simple = re.sub(r"\{\{\s*((?:\.\w+)+)\s*\}\}", value, template)
    return re.sub(r"\{\{.*?\}\}", "", simple)


def _missing(names: tuple[str, ...]) -> Reply:
    return Reply("", "".join(f"Error response from daemon: No such container: {one}\n" for one in names), 1)
