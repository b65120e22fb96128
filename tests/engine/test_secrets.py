"""Canaries: passwords whose characters every encoding writes in another way are nowhere to be found afterwards."""

from __future__ import annotations

import base64
import html
import json
import os
import secrets
import shlex
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from tests import targets
from tests.engine import service as seen
from tests.stacks import Stack, stack, wait_for

# Single quotes keep all of it in an env file, so none may stand in it.
AWKWARD = '"&<>%+/:#$\\ =?@'


def canary(word: str) -> str:
    return f"Aa1{word}{secrets.token_hex(4)}{AWKWARD}{secrets.token_hex(4)}"


@pytest.fixture(scope="module")
def service(images: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with canaries as passwords, in its `.env` as an operator must write them there."""
    passwords = {"KESTRA_DB_PASSWORD": canary("db"), "KESTRA_BASICAUTH_PASSWORD": canary("web")}
    with stack(tmp_path_factory.mktemp("stack")) as made:
        plain = made.env | passwords
        made.set_env(**{key: f"'{value}'" for key, value in passwords.items()})
        written = made.env_file.read_text()
        made.env = plain
        made.write_env_text(written)
        yield seen.seed(made.up())


@pytest.fixture(scope="module", name="known")
def _known(service: Stack) -> tuple[str, str]:
    return service.env["KESTRA_DB_PASSWORD"], service.env["KESTRA_BASICAUTH_PASSWORD"]


def forms(secret: str, users: tuple[str, ...]) -> dict[str, str]:
    """A secret as the usual writers of text would write it."""
    found = {
        "raw": secret,
        "shell-quoted": shlex.quote(secret),
        "shell-escaped": "".join(one if one.isalnum() else f"\\{one}" for one in secret),
        "in a URL": quote(secret, safe=""),
        "in a URL's path": quote(secret),
        "in a form": quote_plus(secret),
        "in JSON": json.dumps(secret)[1:-1],
        "in JSON twice": json.dumps(json.dumps(secret))[3:-3],
        "in HTML": html.escape(secret),
        "in HTML's text": html.escape(secret, quote=False),
        "in JSON in HTML": html.escape(json.dumps(secret)[1:-1]),
        "as Compose doubles it": secret.replace("$", "$$"),
        "by Java's URLEncoder": quote_plus(secret, safe="*-._").replace("~", "%7E"),
        "by JavaScript's encodeURIComponent": quote(secret, safe="-_.!~*'()"),
        "by Go's Userinfo": quote(secret, safe="$&+,;="),
        "in XML": html.escape(secret).replace("&#x27;", "&apos;"),
        "in HTML by number": "".join(one if one.isalnum() else f"&#{ord(one)};" for one in secret),
        "in base64": base64.b64encode(secret.encode()).decode(),
        "in base64 for URLs": base64.urlsafe_b64encode(secret.encode()).decode(),
        "as Python shows it": repr(secret)[1:-1],
    }
    for user in users:
        pair = base64.b64encode(f"{user}:{secret}".encode()).decode()
        found[f"in base64 with {user}"] = pair
        found[f"in base64 with {user}, without its end"] = pair.rstrip("=")[:-2]
    return found


def hits(service: Stack, output: str, *more: str) -> list[str]:
    """Where a canary of the env file, or another one, stands, in what form: streams, files, their names, journals."""
    known = {key: service.env[key] for key in ("KESTRA_DB_PASSWORD", "KESTRA_BASICAUTH_PASSWORD")}
    known |= {f"canary {number}": one for number, one in enumerate(more, start=1)}
    users = (service.env["KESTRA_DB_USER"], service.env["KESTRA_BASICAUTH_USERNAME"])
    texts = {"the streams": output.encode()}
    for root in (targets.archive(service), service.root / targets.STATE):
        for path in root.rglob("*"):
            texts[f"the name {path.name}"] = os.fsencode(path.name)
            if path.is_file():
                texts[path.name] = path.read_bytes()
    assert len(texts) > 5, "nothing was searched"
    return [
        f"{key} {how} in {where}"
        for key, secret in known.items()
        for how, form in forms(secret, users).items()
        for where, text in texts.items()
        if form.encode() in text
    ]


def told(done: subprocess.CompletedProcess[str]) -> str:
    return done.stdout + done.stderr


def test_an_accepted_run_holds_no_secret(service: Stack) -> None:
    """Awkward passwords in single quotes reach the server whole, and no file, name or stream of the run holds one."""
    done = targets.procedure(service)

    assert done.returncode == 0, done.stdout
    assert hits(service, told(done)) == []


def test_the_servers_log_is_searched_too(service: Stack) -> None:
    """A password that the server itself logs is gone from the logs that the run saves."""
    secret = service.env["KESTRA_BASICAUTH_PASSWORD"]
    for form in (secret, quote(secret, safe=""), json.dumps(secret)):
        speak(service, f"login of admin with {form} failed")
    done = targets.procedure(service)
    log = next(targets.latest(service).glob("log-before-*-kestra.txt")).read_text()

    assert done.returncode == 0, done.stdout
    assert log.count("login of admin with ") == 3
    assert hits(service, told(done)) == []


def wrapped(secret: str, end: str) -> str:
    """Base64 in lines of 76 columns; the secret lies over the end of the first."""
    token = base64.b64encode(b"a" * 50 + secret.encode() + b"b" * 50).decode()
    return end.join(token[at : at + 76] for at in range(0, len(token), 76))


def test_wrapped_base64_in_the_servers_log_is_gone(service: Stack) -> None:
    """Docker puts a time before every line, and the lines of one token are one secret all the same."""
    secret = service.env["KESTRA_DB_PASSWORD"]
    text = wrapped(secret, "\n")
    speak(service, f"here:\n{text}\nthere")
    done = targets.procedure(service)
    log = next(targets.latest(service).glob("log-before-*-kestra.txt")).read_text()

    assert done.returncode == 0, done.stdout
    assert [line for line in text.splitlines()[:2] if line in log] == []
    assert "here:" in log
    assert hits(service, told(done)) == []


def test_a_line_that_compose_cannot_read_is_not_echoed(service: Stack) -> None:
    """Compose quotes what it does not understand, and the rest of the file with it."""
    text = service.env_file.read_text()
    lost = canary("lost")
    service.write_env_text(f"{text}\nMY PASSWORD={lost}\n")
    then = service.env["KESTRA_DB_PASSWORD"]
    service.env["KESTRA_DB_PASSWORD"] = lost
    try:
        done = targets.procedure(service)
        mine = hits(service, told(done))
    finally:
        service.env["KESTRA_DB_PASSWORD"] = then
        service.write_env_text(text)

    assert done.returncode in {10, 16}, done.stdout
    assert mine == []
    assert hits(service, told(done)) == []


def test_a_run_is_for_its_owner_and_keeps_the_last_words(service: Stack) -> None:
    """Folders 0700, files 0600, whoever wrote them; and what the old container said from its stop to its end."""
    done = targets.procedure(service)
    folder = targets.latest(service)
    (last,) = folder.glob("log-stop-*-kestra.txt")
    files = [folder.parent / "index.html", *folder.iterdir()]

    assert done.returncode == 0, done.stdout
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {oct(stat.S_IMODE(one.stat().st_mode)) for one in files} == {"0o600"}
    assert "shutdown" in last.read_text().lower()
    assert "Server Running" not in last.read_text()
    assert last.name in {one["name"] for one in targets.record(folder)["files"]}


def speak(service: Stack, words: str) -> None:
    """Let the container's log hold a line: what its first process writes is what Docker keeps."""
    done = service.container(seen.SERVICE).exec_run(
        ["sh", "-c", 'printf "%s\\n" "$WORDS" > /proc/1/fd/1'], environment={"WORDS": words}
    )
    assert done.exit_code == 0, done.output


def test_a_refused_run_holds_no_secret(service: Stack) -> None:
    """A refusal that is about the password itself does not say it."""
    text = service.env_file.read_text()
    wrong = canary("wrong")
    service.write_env_text(text.replace(service.env["KESTRA_DB_PASSWORD"], wrong))
    then = service.env["KESTRA_DB_PASSWORD"]
    service.env["KESTRA_DB_PASSWORD"] = wrong
    try:
        done = targets.procedure(service)
        mine = hits(service, told(done))
    finally:
        service.env["KESTRA_DB_PASSWORD"] = then
        service.write_env_text(text)

    assert done.returncode == 10, done.stdout
    assert mine == []
    # The running containers still have the old one: that is a secret as well.
    assert hits(service, told(done)) == []


def commanded(service: Stack, *words: str) -> None:
    """Let the compose file give the server more words."""
    text = service.compose_file.read_text()
    command = json.dumps(["server", "standalone", *words]).replace("$", "$$")
    lines = [f"    command: {command}" if "command: " in one else one for one in text.splitlines()]
    service.compose_file.write_text("\n".join(lines) + "\n")


def test_secrets_of_a_command_are_known(service: Stack) -> None:
    """What stands in the server's words, the running one's and the new one's, is a secret as a variable's value is."""
    then = service.compose_file.read_text()
    option, word, url, new = canary("option"), canary("word"), f"Aa1{secrets.token_hex(8)}", canary("new")
    more = (f"-Dcanary.password={option}", "--canary-token", word, f"--proxy=http://u:{url}@127.0.0.1:3128")
    recreate = ("up", "-d", "--no-deps", "--force-recreate", "--pull", "never", seen.SERVICE)
    try:
        commanded(service, *more)
        service.compose(*recreate)
        service.wait_until_ready()
        speak(service, f"started by {' '.join(more)}")
        done = targets.procedure(service)
        commanded(service, f"-Dcanary.password={new}")
        refused = targets.procedure(service)
    finally:
        service.compose_file.write_text(then)
        service.compose(*recreate)
        service.wait_until_ready()

    assert done.returncode == 0, done.stdout + done.stderr
    assert refused.returncode == 10, refused.stdout + refused.stderr
    assert hits(service, told(done) + told(refused), option, word, url, new) == []


def test_an_interrupted_run_holds_no_secret(service: Stack) -> None:
    """A run that was asked to end in the outage holds none either, nor does one that was killed and recovered."""
    run = targets.started(service)
    targets.wait_for_step(service, run, "stop", "end")
    os.kill(run.pid, signal.SIGTERM)
    output, _ = run.communicate(timeout=60)

    assert run.returncode == 14, output
    assert hits(service, output) == []

    wait_for(service.is_ready, "the service to be back", 30)
    killed = targets.started(service)
    targets.wait_for_step(service, killed, "stop", "end")
    killed.kill()
    output, _ = killed.communicate(timeout=60)
    seen.wait_until_gone(service)

    assert hits(service, output) == []

    recovered = targets.procedure(service, name="recover")

    assert recovered.returncode == 0, recovered.stdout
    assert hits(service, told(recovered)) == []


def test_the_search_finds_what_is_there(service: Stack, known: tuple[str, str]) -> None:
    """The search itself is no blind one: each form of each canary is found in a file that holds it."""
    users = (service.env["KESTRA_DB_USER"], service.env["KESTRA_BASICAUTH_USERNAME"])
    file = Path(targets.archive(service)) / "canary.txt"
    missed = []
    for secret in known:
        for how, form in forms(secret, users).items():
            file.write_text(f"before{form}after")
            if not hits(service, ""):
                missed.append(how)
    file.unlink()

    assert missed == []
