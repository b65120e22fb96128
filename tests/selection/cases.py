"""What somebody may type or set that could bypass the gate; each is refused with nothing touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

USAGE = 4
SOME_CHECK = "checks/pre/test_engine.py::test_the_engine_answers"
LATE_CHECK = "checks/post/test_server.py::test_health_says_up"
SERVICE_CHECK = "pre/test_room.py::test_the_engine_has_room"
DATA_CHECK = "post/test_server.py::test_it_is_the_same_instance"


@dataclass(frozen=True, slots=True)
class Case:
    """A command line, what it says, and the exit statuses that are right; `{folder}` is a folder of its own.

    `says` must stand in what is printed.
    """

    arguments: tuple[str, ...]
    says: str
    statuses: tuple[int, ...] = (USAGE,)
    environment: Mapping[str, str] = field(default_factory=dict)
    targeted: bool = True

    @property
    def name(self) -> str:
        words = [f"{key}={value}" for key, value in self.environment.items()] + list(self.arguments)
        return " ".join(words) or "nothing"


def _restart(*arguments: str, says: str, **environment: str) -> Case:
    return Case(("-m", "restart", *arguments), says, environment=environment)


def _untargeted(*arguments: str, says: str, statuses: tuple[int, ...] = (USAGE,), **environment: str) -> Case:
    """Return a case without a target: under CI it cannot fall back on the bundled stack."""
    return Case(arguments, says, statuses, {"CI": "1", **environment}, targeted=False)


_BYPASS = "could bypass the gate"
_SETTINGS = "pytest has its settings from"

NARROWED = tuple(
    _restart(*typed, says=f"{_BYPASS}: {option}")
    for typed, option in (
        (("-k", "engine"), "keyword"),
        (("--deselect", SOME_CHECK), "deselect"),
        (("--ignore=checks/pre",), "ignore"),
        (("--ignore-glob=*pre*",), "ignore_glob"),
        (("--lf",), "lf"),
        (("--ff",), "failedfirst"),
        (("--nf",), "newfirst"),
        (("--sw",), "stepwise"),
        (("-o", "python_files=test_engine.py"), "override_ini"),
        (("-x",), "maxfail"),
        (("--continue-on-collection-errors",), "continue_on_collection_errors"),
        (("--import-mode=prepend",), "importmode"),
        (("--runxfail",), "runxfail"),
    )
)

NOT_RUN = tuple(
    _restart(*typed, says=f"{_BYPASS}: {option}")
    for typed, option in (
        (("--setup-only",), "setuponly"),
        (("--setup-plan",), "setup"),
        (("--co",), "collectonly"),
        (("--pdb",), "usepdb"),
        (("--fixtures",), "showfixtures"),
        (("-W", "error"), "pythonwarnings"),
        (("--assert=plain",), "assertmode"),
    )
)

TAKEN_AWAY = (
    *(
        _restart("-p", f"no:{name}", says=says)
        for name, says in (
            ("html", _BYPASS),
            ("pytest_html.plugin", "html was taken away"),
            ("pytest_metadata.plugin", "pytest_metadata was taken away"),
            ("junitxml", "junitxml was taken away"),
            ("terminal", "terminal was taken away"),
            ("python", "python was taken away"),
            ("assertion", "assertion was taken away"),
            ("reports.plugin", "reports was taken away"),
            ("procedures.plugin", "unrecognized arguments"),
            ("capture", _BYPASS),
            ("runner", "cannot be disabled"),
            ("cacheprovider", _BYPASS),
        )
    ),
    _restart("-o", "addopts=", says="html was taken away"),
    _restart("--noconftest", says="unrecognized arguments"),
    _restart("--confcutdir=/", says=_BYPASS),
    _restart("--rootdir=/tmp", says=_BYPASS),
    _restart("-c", "/dev/null", says=_SETTINGS),
    _restart("-c", "{folder}/other.ini", says=_SETTINGS),
    _restart("-c{folder}/other.ini", says=_SETTINGS),
)

ADDED = (
    _restart("-p", "xdist", "-n", "2", says=_BYPASS),
    _restart("-p", "xdist", "-n0", says=_BYPASS),
    _restart("-n", "2", says=_BYPASS, PYTEST_PLUGINS="xdist.plugin"),
    _restart("-n0", says=_BYPASS, PYTEST_PLUGINS="xdist.plugin"),
    _restart("--dist=loadfile", "-n1", says=_BYPASS, PYTEST_PLUGINS="xdist.plugin"),
    _restart("-p", "pytest_rerunfailures", "--reruns", "2", says=_BYPASS),
    _restart("--reruns", "2", says=_BYPASS, PYTEST_PLUGINS="pytest_rerunfailures"),
    _restart("-p", "pytest_randomly", says=_BYPASS),
    _restart("-p", "randomly", says=_BYPASS),
    _restart("-p", "no_such_plugin", says="no_such_plugin"),
    _restart("@{folder}/arguments", says=_BYPASS),
    _restart(says=_BYPASS, PYTEST_ADDOPTS="-k engine"),
    _restart(says=_BYPASS, PYTEST_ADDOPTS="--lf"),
    _restart(says="junitxml was taken away", PYTEST_ADDOPTS="-p no:junitxml"),
    _restart(says=_BYPASS, PYTEST_ADDOPTS="--deselect checks/pre"),
    _restart(says="one procedure a run", PYTEST_ADDOPTS="-m recover"),
)

_TYPED = "is typed each time"

PRESET = (
    *(
        _restart(says=f"--{option} {_TYPED}", PYTEST_ADDOPTS=preset)
        for option, preset in (
            ("plan", "--plan"),
            ("waive", f"--waive {SERVICE_CHECK} --reason x"),
            ("reason", "--reason 'as always'"),
            ("reason", "--reason=x -v"),
            ("ticket", "--ticket T-1"),
            ("operator", "--operator ada"),
            ("approved-by", "--approved-by ada"),
            ("take-over", "--take-over"),
            ("record-anomalies", "--record-anomalies"),
            ("waive", "@{folder}/waived"),
        )
    ),
    _restart("--plan", says=f"--waive {_TYPED}", PYTEST_ADDOPTS=f"--waive={SERVICE_CHECK} --reason=x"),
    _restart("--reason", "typed", says=f"--reason {_TYPED}", PYTEST_ADDOPTS="--reason=preset"),
    _untargeted("-m", "status", says=f"--target {_TYPED}", PYTEST_ADDOPTS="--target=/nowhere.toml"),
    _untargeted(says="--plan goes with a procedure", PYTEST_ADDOPTS="--plan"),
)

WRITTEN = (
    _restart(
        "--waive", "\n\x1b[32mACCEPTED", "--reason=x", says=r"--waive \n\x1b[32mACCEPTED: there is no such"
    ),
    _restart("\u202edetpecca", says=r"leave \u202edetpecca out"),
    _untargeted(
        "-m", "restart", "--target=/no\x07\nexit status 0", says=r"--target /no\x07\nexit status 0: there is"
    ),
)

NAMED = (
    Case(("-m", "restart", "-m", "recover"), "one procedure a run"),
    Case(("-m", "", "-m", "restart or recover"), "one procedure a run"),
    Case(("-m", "restart or recover"), "one procedure a run"),
    Case(("-m", "not restart"), "more than a procedure's name"),
    Case(("-m", "restart and not post"), "more than a procedure's name"),
    Case(("-m", "restart", "-m", "not slow"), "one procedure a run"),
    Case(("-m", "restart", "-m", ""), "more than a procedure's name"),
    Case(("-m", "recover", "-k", "engine"), _BYPASS),
    Case(("-m", "recover", "--co"), _BYPASS),
    Case(("-m", "restart", "checks/post"), "leave checks/post out"),
    Case(("-m", "restart", LATE_CHECK), "a procedure chooses its checks itself"),
    Case(("-m", "restart", "tests/unit"), "a procedure chooses its checks itself"),
    Case(("-m", "restrat"), "did you mean -m restart?"),
    Case(("-m", "Restart"), "did you mean -m restart?"),
    Case(("-m", "recovery"), "did you mean -m recover?"),
    Case(("--plan",), "--plan goes with a procedure"),
    _untargeted("-m", "restrat", says="did you mean -m restart?"),
    _untargeted("@{folder}/procedure", says="a procedure is typed each time"),
    _untargeted(says="a procedure is typed each time", PYTEST_ADDOPTS="-m restart"),
    _untargeted("--plan", says="--plan goes with a procedure"),
    _untargeted("--take-over", says="--take-over goes with a procedure"),
    _untargeted("--record-anomalies", says="--record-anomalies goes with a procedure"),
    _untargeted("-m", "", "checks", says="only a procedure can ask it"),
    _untargeted("checks", says="only a procedure can ask it"),
    _untargeted(LATE_CHECK, says="only a procedure can ask it"),
    _untargeted("checks", "-p", "no:procedures.plugin", says="", statuses=(1, 2, 3, 4, 5)),
    _untargeted("checks", "--noconftest", says="", statuses=(1, 2, 3, 4, 5)),
    _untargeted("checks", "--setup-only", "-p", "no:procedures.plugin", says="", statuses=(1, 2, 3, 4, 5)),
)

TARGETED = (
    _untargeted("-m", "restart", says="with CI set the target must be named"),
    _untargeted("-m", "restart", "--plan", says="with CI set the target must be named"),
    _untargeted("-m", "restart", "--target=/nowhere/target.toml", says="there is no such file"),
    _untargeted("-m", "restart", "--target={folder}/empty.toml", says="key 'service' is missing"),
    _untargeted("-m", "restart", "--target={folder}/arguments", says="cannot be read as a target file"),
    _restart("--record-anomalies", says="names no list of anomalies"),
    _restart("--waive", SERVICE_CHECK, says="--waive needs a reason"),
    _restart("--waive", "pre/test_moon.py::test_it_is_full", "--reason=x", says="there is no such check"),
    _restart("--waive", DATA_CHECK, "--reason=x", says="protects data and is never waived"),
    _restart("--waive", SERVICE_CHECK, "--waive", DATA_CHECK, "--reason=x", says="protects data"),
)

GROUPS: dict[str, tuple[Case, ...]] = {
    "options that leave checks out": NARROWED,
    "options by which checks do not run": NOT_RUN,
    "a plugin that the gate needs is taken away": TAKEN_AWAY,
    "plugins or options that repeat, spread or reorder checks": ADDED,
    "options of ours that nobody has typed": PRESET,
    "signs that steer a terminal, in what was typed": WRITTEN,
    "no procedure, two of them, or half of one": NAMED,
    "a target or a waiver that is none": TARGETED,
}
"""What somebody has typed wrong, by its kind."""
ALL = tuple(case for cases in GROUPS.values() for case in cases)
