"""Reads an operator's script before it runs: whether it can be started, its syntax, and what is in it."""

from __future__ import annotations

import difflib
import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from procedures.drivers import shell
from reports.record.scripted import ScriptSeen

SHELLS = frozenset({"bash", "sh", "dash"})
READ_BYTES = 1_000_000
SYNTAX_LIMIT = 10.0
ALIKE = 0.93
OURS = re.compile(r"(?:KESTRA|SKIP|POSTGRES|STACK)_", re.IGNORECASE)


def read(step: str, argv: tuple[str, ...], cwd: Path) -> ScriptSeen:
    """Read the file that a step starts; nothing of it is run."""
    file, is_argument = _script_of(argv, cwd)
    problem = _problem(file, needs_mode=not is_argument)
    if problem and problem != NOT_EXECUTABLE:
        return ScriptSeen(step, str(file), problem)
    try:
        content = file.read_bytes()
    except OSError as error:
        return ScriptSeen(step, str(file), f"not readable: {error.strerror}")
    interpreter = argv[0] if is_argument else _interpreter(content)
    if not problem and not is_argument:
        problem = _interpreter_problem(content, interpreter)
    is_shell = Path(interpreter.partition(" ")[0]).name in SHELLS or _env_name(interpreter) in SHELLS
    text = content[:READ_BYTES].decode("utf-8", "replace")
    return ScriptSeen(
        step=step,
        file=str(file),
        problem=problem,
        syntax=_syntax(file, interpreter) if is_shell else "",
        interpreter=interpreter,
        sha256=hashlib.sha256(content).hexdigest(),
        notes=tuple(_notes(text)) if is_shell else (),
    )


NOT_EXECUTABLE = "not executable"


def unread(names: Iterable[str], files: Iterable[str]) -> tuple[str, ...]:
    """Return the variables that none of these files reads, although one of them reads a similar name."""
    texts = [
        Path(one).read_text(encoding="utf-8", errors="replace") for one in files if os.access(one, os.R_OK)
    ]
    read_names = {name for text in texts for name in re.findall(r"[A-Za-z_][A-Za-z0-9_]{5,}", text)}
    found = []
    for name in sorted(one for one in set(names) - read_names if OURS.match(one)):
        alike = sorted(one for one in read_names if "_" in one and _is_like(one, name))
        if alike:
            found.append(f"{name} is set, and nobody reads it: {' or '.join(alike)} is what is read")
    return tuple(found)


def _is_like(name: str, other: str) -> bool:
    """Whether two names differ only in case or by a typing error."""
    first, second = name.casefold(), other.casefold()
    return first == second or difflib.SequenceMatcher(None, first, second).ratio() >= ALIKE


def _script_of(argv: tuple[str, ...], cwd: Path) -> tuple[Path, bool]:
    """Return the file, and whether it is an argument of its interpreter, as in `bash stop.sh`."""
    words = [one for one in argv[1:] if not one.startswith("-")]
    if Path(argv[0]).name in SHELLS and "-c" not in argv and words:
        return cwd / words[0], True
    if "/" not in argv[0]:
        found = shutil.which(argv[0])
        return (Path(found) if found else cwd / argv[0]), False
    return cwd / argv[0], False


def _problem(file: Path, *, needs_mode: bool) -> str:
    try:
        if file.is_dir():
            return "a directory"
        if not file.exists():
            return "a link to nothing" if file.is_symlink() else "missing"
    except OSError as error:
        return f"not readable: {error.strerror}"
    if needs_mode and not os.access(file, os.X_OK):
        return NOT_EXECUTABLE
    return "" if os.access(file, os.R_OK) else "not readable"


def _interpreter(content: bytes) -> str:
    first = content.split(b"\n", 1)[0]
    return first[2:].decode("utf-8", "replace").strip(" \t") if first.startswith(b"#!") else ""


def _env_name(interpreter: str) -> str:
    """Return the program that `/usr/bin/env bash` finds."""
    words = [one for one in interpreter.split() if not one.startswith("-")]
    return words[1] if len(words) > 1 and Path(words[0]).name == "env" else ""


def _interpreter_problem(content: bytes, interpreter: str) -> str:
    if content.startswith(b"\x7fELF"):
        return ""
    program, named = interpreter.partition(" ")[0], _env_name(interpreter)
    reasons = (
        (content.startswith(b"\xef\xbb\xbf"), "a byte order mark stands before #!"),
        (not program, "the first line is no #!"),
        ("\r" in interpreter, f"the line ends are those of Windows (CRLF), so {interpreter!r} is looked for"),
        (not os.access(program, os.X_OK), f"{program} does not exist or cannot be started"),
        (bool(named) and not shutil.which(named), f"there is no {named} on the path"),
    )
    return next((f"bad interpreter: {words}" for is_so, words in reasons if is_so), "")


def _syntax(file: Path, interpreter: str) -> str:
    name = _env_name(interpreter) or Path(interpreter.partition(" ")[0]).name
    program = "bash" if "\r" in name else name
    result = shell.run(
        shell.Command((program, "-n", str(file)), Path("/"), SYNTAX_LIMIT, {**os.environ, "LC_ALL": "C"})
    )
    if result.timed_out:
        return f"{program} -n did not end within {SYNTAX_LIMIT:g} s"
    return "" if result.ok else result.output.strip() or f"{program} -n ended with {result.exit_code}"


FINDS: tuple[tuple[str, str], ...] = (
    (
        r"docker(?:-compose|\s+compose)?[^\n|;&]*\blogs\b[^\n|;&]*\s(?:-\w*f\w*|--follow)\b",
        "a log may be followed without an end",
    ),
    (r"\bdocker\s[^\n;&]*\brun\b[^\n]*\s--rm\b", "starts with --rm: log and exit code go with the container"),
    (r"--pull[= ]always", "pulls at the start (--pull=always): without its registry nothing starts"),
    (r"\bancestor=", "matches containers by image (ancestor=): anybody's container of that image"),
    (r"(?:--filter|-f)[ =]+[\"']?name=(?![\"']?\^)", "matches containers by a piece of a name (name=)"),
    (
        r"--unix-socket|/docker\.sock\b|\bnsenter\b",
        "speaks to the engine past `docker`: not seen in a rehearsal",
    ),
    (
        r"(?:^|[\s;&|(])sudo\s",
        "uses sudo: whether it may, and whether it needs a password, is not known",
    ),
    (r"\b(?:kill|pkill|killall|fuser\s+-\w*k)\b(?!\w)", "kills processes by itself"),
    (
        r"\bdocker\s+(?:system|container|volume|image|network)\s+prune\b",
        "prunes: removes things that it does not name",
    ),
)


def _notes(text: str) -> Iterator[str]:
    # A continued line is one line; a comment is none.
    joined = re.sub(r"\\\r?\n", " ", text)
    lines = [re.sub(r"(?:^|(?<=\s))#.*", "", one) for one in joined.splitlines()]
    for pattern, words in FINDS:
        numbers = [str(number) for number, line in enumerate(lines, 1) if re.search(pattern, line)]
        if numbers:
            yield f"{words} (line {', '.join(numbers[:5])})"
    if "\r\n" in text:
        yield "the line ends are those of Windows (CRLF)"
