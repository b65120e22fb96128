"""A rehearsed script can do what it wants: nothing outside changes, and nothing of it stays."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from procedures.problems import CannotObserve, Interrupted
from procedures.rehearsal.rehearsal import rehearse
from tests.scripts.conftest import Rehearse, docker_host
from tests.stacks import clean_environment, engine, wait_for

Tree = dict[str, tuple[int, int, bytes]]


def _tree(*folders: Path) -> Tree:
    """Everything in these folders: mode, time of change, content."""
    found: Tree = {}
    for folder in folders:
        for file in [folder, *folder.rglob("*")]:
            seen = file.lstat()
            content = file.read_bytes() if file.is_file() and not file.is_symlink() else b""
            found[str(file)] = (seen.st_mode, seen.st_mtime_ns, content)
    return found


def _processes(word: str) -> list[str]:
    """The command lines on this machine that hold a word."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if word in line and process.name != str(os.getpid()):
            found.append(line)
    return found


def test_nothing_is_written_outside_the_copy(
    rehearsed: Rehearse, root: Path, home: Path, tmp_path: Path
) -> None:
    """What is written or removed in the root, in the home and in /tmp is seen by the script alone."""
    (root / "data").mkdir()
    (root / "data" / "flows.txt").write_text("precious")
    beside = tmp_path / "beside.txt"
    beside.write_text("somebody else's")
    name = f"rehearsed-{secrets.token_hex(6)}"
    before = _tree(root, home)

    seen = rehearsed(
        f"rm -rf data; mkdir data; echo new > data/other.txt; echo more >> ~/kept; rm -f {beside}; "
        f"touch /tmp/{name} /var/tmp/{name} /dev/shm/{name} /run/{name}; echo gone-from-{beside} > {beside};"
        "cat data/other.txt ~/kept; ls data; chmod 000 script.sh"
    )

    after = _tree(root, home)
    assert after.pop(str(root / "script.sh"))[2].startswith(b"#!")
    after[str(root)] = before[str(root)]  # the test itself put the script there
    assert after == before
    assert beside.read_text() == "somebody else's"
    assert not [one for one in ("/tmp", "/var/tmp", "/dev/shm", "/run") if Path(one, name).exists()]
    assert "new\nas it wasmore\nother.txt\n" in seen.output
    assert {f"{root}/data (made anew)", f"{root}/data/other.txt", f"{home}/kept"} <= set(seen.wrote)


@pytest.mark.parametrize(
    "file", ["/etc/rehearsed", "/usr/local/bin/rehearsed", "/proc/sys/kernel/core_pattern"]
)
def test_the_rest_of_the_machine_is_read_only(rehearsed: Rehearse, file: str) -> None:
    """What lies elsewhere can be read and not written, by root neither, and no mount makes it writable."""
    before = Path(file).read_bytes() if Path(file).exists() else None

    seen = rehearsed(
        f"echo x > {file} || echo first refused; mount -o remount,rw / && echo remounted; umount /proc && echo bare;"
        f"unshare -Urm sh -c 'mount -o remount,rw,bind / ; echo x > {file}' || echo second refused; cat /etc/passwd | head -1"
    )

    assert (Path(file).read_bytes() if Path(file).exists() else None) == before
    assert "first refused" in seen.output
    assert "second refused" in seen.output
    assert "remounted" not in seen.output
    assert "root:" in seen.output


def test_no_device_is_there(rehearsed: Rehearse) -> None:
    """No disk can be opened, and none be made."""
    disk = next(iter(sorted(Path("/sys/class/block").iterdir()))).name
    major, minor = Path(f"/sys/class/block/{disk}/dev").read_text().strip().split(":")

    seen = rehearsed(
        f"ls /dev | sort | tr '\\n' ' '; mknod /tmp/disk b {major} {minor} && head -c 1 /tmp/disk && echo read; echo end > /dev/null; echo done"
    )

    assert f" {disk} " not in seen.output
    assert "read" not in seen.output.split("null")[-1]
    assert seen.output.endswith("done\n")


def test_the_network_ends_at_loopback(rehearsed: Rehearse) -> None:
    """Neither another machine nor a server on this machine's own loopback can be reached."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        seen = rehearsed(
            f"exec 3<>/dev/tcp/127.0.0.1/{port} && echo reached-here; exec 3<>/dev/tcp/192.0.2.1/80 && echo reached-there; "
            "ls /sys/class/net; grep -c : /proc/net/dev; echo end"
        )

        server.settimeout(0.2)
        with pytest.raises(TimeoutError):
            server.accept()
    assert "reached" not in seen.output
    assert "refused" in seen.output
    assert seen.output.endswith("1\nend\n")


def test_the_engine_cannot_be_reached_past_the_stand_in(rehearsed: Rehearse, tmp_path: Path) -> None:
    """By the socket, by another copy of the client or through another namespace, no container is made."""
    name = f"rehearsed-{secrets.token_hex(4)}"
    socket_file = docker_host().removeprefix("unix://")
    text = f"""
        curl -sS --max-time 3 --unix-socket {socket_file} http://d/containers/json && echo reached
        cp "$(command -v python3)" /tmp/copy
        python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect("{socket_file}")' && echo reached
        nsenter -t 1 -m -n true && echo entered
        DOCKER_HOST=unix://{socket_file} /usr/bin/env docker run -d --name {name} alpine
        for docker in $(type -ap docker); do $docker create --name {name} alpine; done
        exit 0
    """

    seen = rehearsed(text)

    assert "reached" not in seen.output
    with engine() as client:
        assert not client.containers.list(all=True, filters={"name": name})
    assert any("a socket file was tried, and refused: curl" in note for note in seen.notes)
    assert len([one for one in seen.calls if one.effect == "creates"]) >= 2
    assert any(one.effect == "unknown" and "--unix-socket" in one.argv[0] for one in seen.calls)


def test_processes_outside_cannot_be_ended(rehearsed: Rehearse) -> None:
    """A process outside cannot be seen, and so not be signalled, by number or by name."""
    word = f"{secrets.token_hex(6)}"
    with subprocess.Popen([sys.executable, "-c", f"import time; time.sleep(60) # {word}"]) as outside:
        try:
            seen = rehearsed(
                f"kill -9 {outside.pid} && echo hit; pkill -9 -f {word}x; kill -9 -1; echo $?; exit 0"
            )

            assert outside.poll() is None
        finally:
            outside.kill()
    assert "hit" not in seen.output


def test_nothing_outlives_the_script(rehearsed: Rehearse) -> None:
    """A process that the script leaves behind ends with the rehearsal, and is told."""
    word = f"left{secrets.token_hex(6)}"

    seen = rehearsed(
        f"setsid nohup bash -c 'exec -a {word} sleep 300' >/dev/null 2>&1 & sleep 0.3; echo done"
    )

    assert seen.output == "done\n"
    assert (seen.exit_code, seen.timed_out) == (0, False)
    assert not _processes(word)
    assert any(word in note and "left behind" in note for note in seen.notes)


def test_the_limit_ends_everything(rehearsed: Rehearse) -> None:
    """A script that never ends, and takes no signal, ends at its limit with all that it started."""
    word = f"left{secrets.token_hex(6)}"
    began = time.monotonic()

    seen = rehearsed(
        f"trap '' TERM INT HUP; bash -c 'exec -a {word} sleep 300' & echo begun; while :; do sleep 1; done",
        limit=1.0,
    )

    assert (seen.exit_code, seen.timed_out, seen.output) == (None, True, "begun\n")
    assert time.monotonic() - began < 10
    assert not _processes(word)


def test_an_interruption_ends_it_too(rehearsed: Rehearse) -> None:
    """Whoever ends the run ends its rehearsal, with everything in it."""
    word = f"left{secrets.token_hex(6)}"

    def poll() -> None:
        if _processes(word):
            raise Interrupted("it is enough")

    with pytest.raises(Interrupted):
        rehearsed(f"trap '' TERM INT HUP; bash -c 'exec -a {word} sleep 300'; sleep 300", poll=poll)

    wait_for(lambda: not _processes(word), "the script's processes to end", 10)


def test_many_processes_and_much_output_are_bounded(rehearsed: Rehearse) -> None:
    """Of what a script writes the end is kept, it cannot fill the disk, and what only multiplies is ended."""
    seen = rehearsed(
        "head -c 3000000 /dev/zero | tr '\\0' x; echo; head -c 200000000 /dev/zero > big; echo end=$?; ls -s big"
    )

    began = time.monotonic()
    # A flood that ebbs by itself, so that a suite that fails here harms nobody.
    bomb = rehearsed(
        "flood() { [ $1 = 0 ] || { flood $(($1 - 1)) & flood $(($1 - 1)) & }; sleep 5; }; flood 10"
    )

    assert len(seen.output) < 100_000
    assert "end=0" not in seen.output
    assert bomb.timed_out
    assert "it multiplies without an end" in bomb.notes
    assert time.monotonic() - began < 15


def test_colours_are_taken_out_and_streams_are_in_order(rehearsed: Rehearse) -> None:
    """The output is plain text, both streams as they came; the input is empty and no terminal."""
    seen = rehearsed(
        r"printf '\033[1;31mfirst\033[0m\n'; echo second >&2; read -r x; test -t 0 || echo third-$x; exit 7"
    )

    assert (seen.output, seen.exit_code) == ("first\nsecond\nthird-\n", 7)


@pytest.mark.parametrize(
    ("first", "code", "words"),
    [
        (b"#!/no/such/shell\n", 127, "No such file"),
        (b"#!/usr/bin/env bash\r\necho x\r\n", 127, ""),
        (b"#!/usr/bin/env bash\necho begun\nif true; then echo in; \n", 2, "unexpected end of file"),
    ],
)
def test_what_cannot_run_says_so(root: Path, home: Path, first: bytes, code: int, words: str) -> None:
    """A script without its interpreter, with foreign line ends or with a broken end fails in the rehearsal too."""
    file = root / "script.sh"
    file.write_bytes(first)
    file.chmod(0o755)

    seen = rehearse(
        ("./script.sh",),
        root,
        clean_environment(HOME=str(home)),
        root=root,
        limit=10,
        docker_host=docker_host(),
    )

    assert seen.exit_code == code
    assert words in seen.output


def test_where_there_is_no_place_it_is_said(root: Path, tmp_path: Path) -> None:
    """A root that cannot be copied is named; nothing is started then."""
    with pytest.raises(CannotObserve, match="cannot be copied") as caught:
        rehearse(("true",), root, {}, root=Path("/"), limit=5, docker_host=docker_host())

    assert "root" in caught.value.next_move


AS_SOMEBODY = """
import json, os, sys
from procedures.rehearsal.standin.__main__ import Stage
from procedures.rehearsal.standin.request import Request
request = Request.from_json(sys.stdin.read())
os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
print(json.dumps(Stage(request).play()), flush=True)
os._exit(0)
"""


def test_an_ordinary_user_has_the_same_place(root: Path, tmp_path: Path) -> None:
    """Without root's rights the place is the same, and what that user may not do he may not do in it."""
    script = "#!/usr/bin/env bash\nid -u; echo x > made; rm -f given; echo x > /etc/made; docker ps; exit 0\n"
    folder = tmp_path / "user"
    folder.mkdir()
    for name, text in (("script.sh", script), ("given", "as it was")):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    request = {
        "argv": ["./script.sh"],
        "cwd": str(folder),
        "environment": {"PATH": os.environ["PATH"], "HOME": str(folder)},
        "root": str(folder),
        "limit": 20,
        "docker_host": docker_host(),
    }
    program = AS_SOMEBODY
    if os.getuid() == 0:
        for one in (folder, *folder.iterdir()):
            os.chown(one, 65534, 65534)
        for above in (folder, *folder.parents):
            if above.stat().st_uid == 0 and above.is_relative_to("/tmp") and above != Path("/tmp"):
                above.chmod(above.stat().st_mode | 0o011)
    else:
        program = "\n".join(one for one in AS_SOMEBODY.splitlines() if "setres" not in one)

    done = subprocess.run(
        [sys.executable, "-c", program], input=json.dumps(request), capture_output=True, text=True, timeout=60,
        cwd=Path(__file__).parents[2], check=False,
    )  # fmt: skip

    told = json.loads(done.stdout)
    assert "cannot" not in told, told
    assert told["output"].startswith("65534\n" if os.getuid() == 0 else f"{os.getuid()}\n")
    assert sorted(told["wrote"]) == [f"{folder}/given (removed)", f"{folder}/made"]
    assert sorted(one.name for one in folder.iterdir()) == ["given", "script.sh"]
    assert [one["effect"] for one in told["calls"]] == ["looks"]


def test_rehearsals_at_the_same_time_do_not_meet(rehearsed: Rehearse, root: Path, home: Path) -> None:
    """Two rehearsals of one root each have a copy of their own."""
    outputs: list[str] = []
    file = root / "both.sh"
    file.write_text("#!/usr/bin/env bash\necho $1 >> notes; sleep 0.3; cat notes\n")
    file.chmod(0o755)

    def one(word: str) -> None:
        seen = rehearse(
            ("./both.sh", word),
            root,
            clean_environment(HOME=str(home)),
            root=root,
            limit=10,
            docker_host=docker_host(),
        )
        outputs.append(seen.output)

    threads = [threading.Thread(target=one, args=(word,)) for word in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(outputs) == ["one\n", "two\n"]


WITHOUT_A_PLACE = """
import pathlib, sys
from procedures.rehearsal.rehearsal import rehearse
from procedures.problems import CannotObserve
try:
    rehearse(("./script.sh",), pathlib.Path(sys.argv[1]), {}, root=pathlib.Path(sys.argv[1]), limit=5, docker_host="unix:///none")
except CannotObserve as problem:
    print(problem, "→", problem.next_move)
"""


def test_a_machine_that_forbids_it_is_told(root: Path) -> None:
    """Where the kernel lets nobody have namespaces, the reason is the kernel's own, and the script is not started."""
    script = root / "script.sh"
    script.write_text(f"#!/bin/sh\ntouch {root}/started\n")
    script.chmod(0o755)
    # Only in the namespace that is made for this, whose own limit it is.
    words = 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$@"'

    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "sh", "-c", words, "sh", sys.executable, "-c", WITHOUT_A_PLACE, str(root)],
        capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[2], check=False,
    )  # fmt: skip

    assert (
        "there is no place to rehearse ./script.sh in: no user namespace is to be had (unshare: "
        in done.stdout
    )
    assert "user namespaces are allowed" in done.stdout
    assert not (root / "started").exists()
