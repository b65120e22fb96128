"""Problems in the text of an env file, before anybody interprets it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from reports.record.observed import Secret
from reports.redaction.secret_names import is_secret_name, secrets_inside

_ASSIGNMENT = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*(?:=|:\s)(.*)$")


@dataclass(frozen=True, slots=True)
class EnvFile:
    """An env file's own text: the names that it sets, in order, and the problems that a reader will have."""

    path: Path
    names: tuple[str, ...]
    problems: tuple[str, ...]


def read(path: Path, needed: tuple[str, ...] = (), ports: tuple[str, ...] = ()) -> EnvFile:
    """Read an env file.

    `needed` are the names whose blank or repeated value is a problem, `ports` those whose value must be a number.
    """
    try:
        raw = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return EnvFile(path, (), (f"{path} does not exist",))
    except (OSError, UnicodeDecodeError) as error:
        return EnvFile(path, (), (f"{path} cannot be read: {error}",))
    found = [
        (number, match[1], match[2])
        for number, line in enumerate(raw.splitlines(), 1)
        if not line.lstrip().startswith("#") and (match := _ASSIGNMENT.match(line))
    ]
    names = [name for _, name, _ in found]
    problems = [
        *_carriage_returns(path, raw),
        *_repeated(path, names, needed),
        *_values(path, [one for one in found if one[1] in needed]),
        *_ports(path, [one for one in found if one[1] in ports]),
    ]
    return EnvFile(path, tuple(dict.fromkeys(names)), tuple(problems))


def _carriage_returns(path: Path, raw: str) -> list[str]:
    if "\r" not in raw:
        return []
    return [f"{path} has Windows line ends (CRLF): a carriage return becomes part of values"]


def _repeated(path: Path, names: list[str], needed: tuple[str, ...]) -> list[str]:
    return [
        f"{path} sets {name} {count} times: the last one wins in Compose, the first one for some readers"
        for name, count in Counter(names).items()
        if count > 1 and name in needed
    ]


def _values(path: Path, found: list[tuple[int, str, str]]) -> list[str]:
    """Return values that readers of env files understand differently; no value is quoted: it may be a secret."""
    problems = []
    for number, name, text in found:
        value = text.strip()
        where = f"{path}, line {number}: {name}"
        if value in {"", '""', "''"}:
            problems.append(f"{where} is blank")
        elif value.startswith("'") and value.endswith("'"):
            continue
        elif "$" in value:
            problems.append(f"{where} holds a $ outside single quotes: Compose replaces what follows it")
        elif " #" in value and not value.startswith('"'):
            problems.append(f"{where} holds a # after a space: what follows it is taken for a comment")
        elif "\\" in value and value.startswith('"'):
            problems.append(
                f"{where} holds a backslash in double quotes: readers of this file disagree about it"
            )
    return problems


def _ports(path: Path, found: list[tuple[int, str, str]]) -> list[str]:
    """Return ports that are no numbers; Compose itself says `invalid hostPort` without naming the key."""
    return [
        f"{path}, line {number}: {name} is no port number"
        for number, name, text in found
        if (value := text.strip().strip("\"'")) and "$" not in value and not _is_port(value)
    ]


def _is_port(value: str) -> bool:
    return value.isascii() and value.isdigit() and 0 < int(value) < 65536


def secrets(path: Path) -> tuple[Secret, ...]:
    """Return the secret values in an env file's text: Compose quotes a line that it cannot read.

    A line that is no assignment is a secret as a whole, and so is what follows its first space, `=` or `:`. It may be
    the rest of a password over several lines, or an assignment with a typing error in its name.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    texts = set[str]()
    for line in (one.strip() for one in lines):
        match = _ASSIGNMENT.match(line)
        if match and is_secret_name(match[1]):
            texts |= {match[2].strip(), match[2].strip().strip("\"'")}
        elif match:
            texts |= {one.value for one in secrets_inside(match[1], match[2]).values()}
        elif line and not line.startswith("#"):
            behind = re.split(r"[\s=:]+", line, maxsplit=1)[1:]
            texts |= {part.strip("\"'") for part in (line, *behind)} | {line}
    return tuple(Secret(one) for one in sorted(texts) if one)
