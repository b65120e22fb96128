"""The target file: everything that is wrong with it is told at once, by key, with the next move."""

from __future__ import annotations

from pathlib import Path

import pytest

from procedures.problems import TypedWrong
from procedures.target import target as targets
from procedures.target.target import SUITE, Target

WHOLE = {
    "name": '"tools"',
    "compose_files": '["compose.yml"]',
    "service": '"kestra"',
    "database_service": '"postgres"',
}


def _written(folder: Path, more: str = "", **keys: str) -> Path:
    """Write a target file; a blank value takes a key away."""
    lines = [f"{key} = {value}" for key, value in {**WHOLE, **keys}.items() if value]
    file = folder / "target.toml"
    file.write_text("\n".join([*lines, more]) + "\n", encoding="utf-8")
    return file


def _refused(file: Path) -> str:
    with pytest.raises(TypedWrong) as raised:
        targets.read(file)
    assert raised.value.next_move
    return raised.value.what


def test_a_whole_file_is_a_target(tmp_path: Path) -> None:
    """Paths are absolute and relative to the root, the root is relative to the file, the rest are defaults."""
    file = _written(
        tmp_path,
        '[budgets]\nboot = "5m"\nsoak = "0s"\n[keys]\nhttp_port = "MY_PORT"',
        root='"stack"',
        env_files='[".env", "more.env"]',
        archive='"runs"',
        http_container_port="9080",
    )

    read = targets.read(file)

    assert tmp_path / "stack" == read.root
    assert (tmp_path / "stack" / "compose.yml",) == read.compose_files
    assert (tmp_path / "stack" / ".env", tmp_path / "stack" / "more.env") == read.env_files
    assert tmp_path / "runs" == read.archive
    assert (read.http_container_port, read.management_container_port) == ("9080/tcp", "8081/tcp")
    assert (
        read.budgets.boot, read.budgets.soak, read.budgets.drain, read.budgets.look,
    ) == (300.0, 0.0, None, 20.0)  # fmt: skip
    assert (read.keys.http_port, read.keys.db_host) == ("MY_PORT", "KESTRA_DB_HOST")


def test_the_bundled_target_is_whole() -> None:
    """The file that is used where none is named is a target."""
    assert isinstance(targets.read(SUITE / "stack" / "target.toml"), Target)


@pytest.mark.parametrize("key", sorted(WHOLE))
def test_a_missing_key_is_named(key: str, tmp_path: Path) -> None:
    """Every required key is missed by its name."""
    assert f"key '{key}' is missing" in _refused(_written(tmp_path, **{key: ""}))


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("name", "7", "key 'name' must be a text"),
        ("name", '" "', "key 'name' must be a text, and not a blank one"),
        ("service", "[]", "key 'service' must be a text"),
        ("http_url", "8080", "key 'http_url' must be a text"),
        ("http_url", '"http://{http_port[0]}"', "key 'http_url' must be an http:// address, with nothing in braces but"),
        ("http_url", '"http://{http_port.real}"', "key 'http_url' must be an http:// address, with nothing in braces"),
        ("http_url", '"http://{http_port!r}"', "key 'http_url' must be an http:// address, with nothing in braces but"),
        ("http_url", '"http://{http_port:>9}"', "key 'http_url' must be an http:// address, with nothing in braces but"),
        ("http_url", '"http://{http_port"', "key 'http_url' must be an http:// address, with nothing in braces but"),
        ("root", "true", "key 'root' must be a text"),
        ("root", '"/srv\\u0000/x"', "key 'root' contains a NUL character"),
        ("archive", '"\\u0000"', "key 'archive' contains a NUL character"),
        ("compose_files", '["a.yml", "b\\u0000.yml"]', "key 'compose_files' contains a NUL character"),
        ("env_files", '["\\u0000"]', "key 'env_files' contains a NUL character"),
        ("project", '"p\\u0000"', "key 'project' contains a NUL character"),
        ("root", '"~nobody-here/x"', "key 'root' begins with a home folder that nobody here has"),
        ("archive", '"~nobody-here"', "key 'archive' begins with a home folder that nobody here has"),
        ("anomalies", '"~nobody-here/a.md"', "key 'anomalies' begins with a home folder that nobody here has"),
        ("archive", "1", "key 'archive' must be a text"),
        ("compose_files", '"compose.yml"', "key 'compose_files' must be a list of texts"),
        ("compose_files", "[1]", "key 'compose_files' must be a list of texts"),
        ("compose_files", '[""]', "key 'compose_files' must be a list of texts"),
        ("compose_files", "[]", "key 'compose_files' is empty"),
        ("env_files", "1", "key 'env_files' must be a list of texts"),
        ("secret_keys", "{}", "key 'secret_keys' must be a list of texts"),
        ("log_bytes", "0", "key 'log_bytes' must be a whole number above zero"),
        ("log_bytes", "true", "key 'log_bytes' must be a whole number above zero"),
        ("archive_keep", "-1", "key 'archive_keep' must be a whole number above zero"),
        ("disk_free", "1.5", "key 'disk_free' must be a whole number above zero"),
        ("http_container_port", "65536", "key 'http_container_port' must be a port number"),
        ("http_container_port", '"8080"', "key 'http_container_port' must be a port number"),
        ("management_container_port", "0", "key 'management_container_port' must be a port number"),
        ("http_container_port", "true", "key 'http_container_port' must be a port number"),
        ("budgets", "1", "key 'budgets' must be a table"),
        ("keys", "[]", "key 'keys' must be a table"),
    ],
)  # fmt: skip
def test_a_wrong_type_is_named(key: str, value: str, said: str, tmp_path: Path) -> None:
    """A value of another type is told with its key and what it must be."""
    assert said in _refused(_written(tmp_path, **{key: value}))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('servce = "x"', "key 'servce' is unknown (did you mean service?)"),
        ('colour = "x"', "key 'colour' is unknown"),
        ('[[dashboards]]\nurl = "http://x/\\u0000"', "key 'dashboards[0].url' contains a NUL character"),
        ('[keys]\nhttp_port = "\\u0000"', "key 'keys.http_port' contains a NUL character"),
        ('[budgets]\nbot = "5s"', "key 'budgets.bot' is unknown (did you mean budgets.boot?)"),
        ('[keys]\nhttp_prt = "X"', "key 'keys.http_prt' is unknown (did you mean keys.http_port?)"),
        ('[keys]\nhttp_port = "a-b"', "key 'keys.http_port' must be the name of a variable"),
        ("[keys]\nhttp_port = 1", "key 'keys.http_port' must be the name of a variable"),
        ("[budgets]\nboot = 90", "key 'budgets.boot' must be a duration such as '90s' or '5m', not 90"),
        ('[budgets]\nboot = "90"', "key 'budgets.boot' must be a duration"),
        ('[budgets]\nboot = "soon"', "key 'budgets.boot' must be a duration"),
        ('[budgets]\nboot = ""', "key 'budgets.boot' must be a duration"),
        ('[budgets]\nboot = "0s"', "key 'budgets.boot' must be a duration"),
        ('[budgets]\nboot = "-5s"', "key 'budgets.boot' must be a duration"),
    ],
)
def test_an_unfit_key_is_named(more: str, said: str, tmp_path: Path) -> None:
    """What no target file has is told with the key that it resembles; a duration needs its unit."""
    assert said in _refused(_written(tmp_path, more))


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    """A file with several problems is told all of them in one message."""
    said = _refused(_written(tmp_path, '[budgets]\nboot = "soon"', service="", log_bytes="0", colour='"red"'))

    assert str(tmp_path / "target.toml") in said
    for key in ("'service'", "'log_bytes'", "'colour'", "'budgets.boot'"):
        assert key in said


@pytest.mark.parametrize("content", [b"name = ", b"\xff\xfe", b"= 1"])
def test_a_file_that_is_no_toml_is_told_so(content: bytes, tmp_path: Path) -> None:
    """A file that cannot be parsed is told with its path."""
    file = tmp_path / "target.toml"
    file.write_bytes(content)

    assert f"{file}: cannot be read as a target file" in _refused(file)


def test_the_named_file_wins(tmp_path: Path) -> None:
    """The file that was named is used, under CI too."""
    file = _written(tmp_path)

    assert file == targets.find(str(file), {"CI": "true"})


def test_a_file_that_is_not_there_is_told_so(tmp_path: Path) -> None:
    """A named file that does not exist is an error of typing."""
    with pytest.raises(TypedWrong, match="there is no such file"):
        targets.find(str(tmp_path / "none.toml"), {})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("a\0b.toml", "--target 'a\\x00b.toml' contains a NUL character"),
        (
            "~nobody-here/a.toml",
            "--target ~nobody-here/a.toml: begins with a home folder that nobody here has",
        ),
    ],
)
def test_a_typed_path_that_cannot_be_one_is_told_so(given: str, said: str) -> None:
    """What no file can be called is an error of typing, with what to do."""
    with pytest.raises(TypedWrong) as refused:
        targets.find(given, {})

    assert said in refused.value.what
    assert refused.value.next_move == "name an existing target file"


def test_ci_must_name_its_target(tmp_path: Path) -> None:
    """Under CI there is no default: a job operates on what it names."""
    with pytest.raises(TypedWrong, match="must be named"):
        targets.find(None, {"CI": "true"}, tmp_path)


def test_the_roots_own_file_comes_before_the_bundled_one(tmp_path: Path) -> None:
    """Without a name the root's own file is taken, else the bundled stack's."""
    bundled = targets.find(None, {}, tmp_path)
    own = _written(tmp_path)

    assert tmp_path / "stack" / "target.toml" == bundled
    assert own == targets.find(None, {"CI": ""}, tmp_path)


@pytest.mark.parametrize(
    ("keys", "flags"),
    [
        ({}, ()),
        ({"endpoint": '"unix:///run/other.sock"'}, ("--host", "unix:///run/other.sock")),
        ({"endpoint": '"tcp://far:2376"'}, ("--host", "tcp://far:2376")),
        ({"endpoint": '"tcp://[fd00::2]:2376"'}, ("--host", "tcp://[fd00::2]:2376")),
        ({"context": '"far"'}, ("--context", "far")),
    ],
)
def test_the_engine_can_be_named(tmp_path: Path, keys: dict[str, str], flags: tuple[str, ...]) -> None:
    """By an address or by a context; typed commands then carry it."""
    assert targets.read(_written(tmp_path, **keys)).engine_flags == flags


@pytest.mark.parametrize(
    ("endpoint", "says"),
    [
        ('"ssh://root@far"', "let ssh forward its socket"),
        ('"tcp://far"', "tcp://HOST:PORT"),
        ('"tcp://far:99999"', "tcp://HOST:PORT"),
        ('"unix://run/docker.sock"', "unix:///PATH"),
        ('"far:2375"', "tcp://HOST:PORT"),
        ('" "', "must be a text"),
        ("2375", "must be a text"),
    ],
)
def test_an_address_of_an_engine_that_is_none_is_refused(tmp_path: Path, endpoint: str, says: str) -> None:
    """The key, what it must be, and for ssh the way to it."""
    told = _refused(_written(tmp_path, endpoint=endpoint))
    assert "'endpoint'" in told
    assert says in told


def test_two_engines_are_one_too_many(tmp_path: Path) -> None:
    """Address and context together leave open which is meant."""
    told = _refused(_written(tmp_path, endpoint='"tcp://far:2375"', context='"far"'))
    assert "keys 'endpoint' and 'context' both name an engine" in told


@pytest.mark.parametrize("name", ["gateway", "remote"])
def test_the_examples_are_whole(name: str) -> None:
    """Each example is a target file that can be read, with files that are there."""
    read = targets.read(SUITE / "stack" / "examples" / name / "target.toml")
    assert read.root == SUITE / "stack"
    assert all(one.is_file() for one in read.compose_files)
