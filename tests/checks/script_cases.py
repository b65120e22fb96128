"""For every check of the operator's own scripts and validations what makes it fail, and what it lets pass."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from procedures.drivers.labels import PROJECT
from procedures.target.steps_by import START, STOP
from reports.record.claimed import Need
from reports.record.evidence import Outcome
from reports.record.observed import Image, Secret, Unseen
from reports.record.scripted import DockerCall, Hit
from reports.redaction.redact import Redaction
from tests.checks.cases import Case
from tests.checks.operators import RESULTS, STEPS, Change, rehearsal, run_by_hand, script, touched, validation
from tests.checks.world import World, answer, at, both, container, container_of, part

PRE, POST = "pre/test_scripts.py::", "post/test_scripts.py::"
STARTABLE = f"{PRE}test_every_script_can_be_started"
KNOWN = f"{PRE}test_what_the_scripts_do_is_known"
ONLY_OURS = f"{PRE}test_the_scripts_hit_this_service_only"
STOPS = f"{PRE}test_the_stop_script_stops_the_service"
ENV_FILES = f"{PRE}test_the_start_script_reads_the_named_env_files"
FETCH = f"{PRE}test_the_scripts_fetch_nothing"
ONCE = f"{PRE}test_the_start_script_starts_this_service_once"
IMAGE = f"{PRE}test_the_start_script_starts_the_image"
LEFT_OUT = f"{PRE}test_no_setting_leaves_the_service_out"
ALIKE = f"{PRE}test_no_setting_is_one_that_nobody_reads"
SECRETS = f"{PRE}test_the_scripts_show_no_secret"
WORDS = f"{PRE}test_the_server_gets_its_own_words"
DRIVER = f"{PRE}test_the_driver_knows_the_container"
OWNER = f"{PRE}test_the_owner_stays_the_same"
OWNER_AFTER = f"{POST}test_the_owner_is_the_one_expected"
CAME_TO_ITS_END = "pre/test_script_effects.py::test_every_rehearsal_came_to_its_end"
VOLUMES = "pre/test_script_effects.py::test_the_scripts_remove_no_volume"
READABLE = "ready/test_validation.py::test_the_validation_commands_can_be_read"
LOOKS = "ready/test_validation.py::test_the_validation_commands_look_at_something"
AGREES = "post/test_validation.py::test_the_operators_validation_agrees"
LOOKED = "post/test_validation.py::test_the_validation_looked_at_something"
SKIP = "SKIP_Kestra_AUTO_START"
GONE = Unseen("it could not be seen", "look by hand")


def _settings(**given: str) -> Change:
    return lambda world: replace(world, start_settings=given)


def _secret(name: str, value: str) -> Change:
    """Let the run know a secret of the target's by its name."""
    secret = Secret(value)
    return lambda world: replace(world, redaction=Redaction((secret,), names={secret: name}))


def _by(step: str, **fields: Any) -> Change:
    """Change how the target file has a step carried out."""

    def changed(world: World) -> World:
        others = tuple(one for one in world.target.steps if one.name != step)
        by = replace(next(one for one in STEPS if one.name == step), **fields)
        return replace(world, target=replace(world.target, steps=(*others, by)))

    return changed


def _compose(step: str, **fields: Any) -> Change:
    plain = {"driver": "compose", "command": ()}
    return _by(step, **{**plain, **fields})


def _without_labels(moment: str) -> Change:
    def changed(world: World) -> World:
        labels = {
            name: value for name, value in container_of(world, moment).labels.items() if name != PROJECT
        }
        return container(moment, labels=labels)(world)

    return changed


def _image_by_id(world: World) -> World:
    image = world.before.image
    assert isinstance(image, Image)
    return rehearsal(START, images=(image.id,))(world)


def _given(**values: str) -> Change:
    def changed(world: World) -> World:
        given = {**container_of(world, "after").environment, **values}
        return container("after", environment=given)(world)

    return changed


def _fell_back(world: World) -> World:
    assert world.our_start is not None
    return replace(world, our_start=replace(world.our_start, fell_back=True))


def _ended(reason: str) -> Change:
    return lambda world: replace(world, script_results=(replace(RESULTS[0], exit_code=2, reason=reason),))


FOREIGN = Hit("f" * 64, "kestra-dev", "stops", image="team/flows:3")
UNKNOWN_CALL = DockerCall(("docker", "buildx", "bake"), "/srv/tools", "unknown", "made up", 0)

FAILING = (
    Case(
        CAME_TO_ITS_END, "cut off", rehearsal(START, timed_out=True, notes=("it waits for what a rehearsal cannot bring: `docker ps`",)),
        "cut off after 0 s: it waits for", Outcome.UNKNOWN,
    ),
    Case(VOLUMES, "the database's", rehearsal(STOP, volumes=("kestra-postgres-data",)), "stop removes the volume kestra-postgres-data"),
    Case(STARTABLE, "missing", script(STOP, problem="missing"), "/srv/tools/tools/stop.sh (stop): missing"),
    Case(STARTABLE, "not executable", script(START, problem="not executable"), "chmod +x"),
    Case(STARTABLE, "a syntax error", script(START, syntax="line 420: syntax error near `)'"), "line 420"),
    Case(KNOWN, "not rehearsed", script(STOP, rehearsal=None), "may not be rehearsed", Outcome.UNKNOWN),
    Case(KNOWN, "no place", script(STOP, rehearsal=GONE), "could not be seen", Outcome.UNKNOWN),
    Case(KNOWN, "an unknown call", rehearsal(STOP, calls=(UNKNOWN_CALL,)), "docker buildx bake", Outcome.UNKNOWN),
    Case(ONLY_OURS, "somebody else's", rehearsal(STOP, hits=(FOREIGN,)), "stop stops kestra-dev"),
    Case(STOPS, "nothing", rehearsal(STOP, hits=()), "it would not touch tools-kestra"),
    Case(ENV_FILES, "another one", rehearsal(START, env_files=("/srv/tools/.env", "/srv/tools/tools/.env")), "it also reads /srv/tools/tools/.env"),
    Case(
        ENV_FILES, "one that is not there",
        rehearsal(START, env_files=("/srv/tools/tools/.env",), missing_env_files=("/srv/tools/tools/.env",)),
        "but looks for /srv/tools/tools/.env, which does not exist",
    ),
    Case(FETCH, "a pull", rehearsal(START, pulls=("kestra/kestra:latest",)), "start pulls kestra/kestra:latest"),
    Case(FETCH, "a build", rehearsal(START, builds=("agno-agents",)), "start builds agno-agents"),
    Case(ONCE, "a second one", run_by_hand(name="kestra"), "it would create kestra from the service's image"),
    Case(ONCE, "none", rehearsal(START, creates=(), exit_code=1, output="KESTRA_DB_PASSWORD não configurado\n"), "não configurado"),
    Case(IMAGE, "another one", rehearsal(START, images=("kestra/kestra:latest",)), "it would use kestra/kestra:latest"),
    Case(LEFT_OUT, "on purpose", both(_settings(**{SKIP: "1"}), rehearsal(START, creates=())), f"{SKIP}=1 is set"),
    Case(LEFT_OUT, "by a script that nobody rehearsed", both(_settings(**{SKIP: "0"}), script(START, rehearsal=None)), "0 too"),
    Case(ALIKE, "another spelling", _settings(SKIP_KESTRA_AUTO_START="1"), "nobody reads SKIP_KESTRA_AUTO_START"),
    Case(SECRETS, "a password", both(rehearsal(START, output="the password is hunter2hunter2"), _secret("KESTRA_DB_PASSWORD", "hunter2hunter2")), "start prints KESTRA_DB_PASSWORD"),
    Case(
        "pre/test_way_back.py::test_what_runs_can_be_brought_back", "its image has gone",
        lambda world: replace(world, unkept=("its image 1a2b is no longer on this engine",)), "its image 1a2b is no longer on this engine",
    ),
    Case(WORDS, "a mistyped option", run_by_hand("--detatch"), "it would run `--detatch`, now it is `server standalone`"),
    Case(
        DRIVER, "a stop by Compose", both(_without_labels("before"), _compose(STOP)), "which would stop nothing"
    ),
    Case(DRIVER, "a start by Compose", both(_without_labels("before"), _compose(START)), "is already in use"),
    Case(OWNER, "Compose's, by docker run", run_by_hand(), "loses its labels"),
    Case(
        OWNER, "Compose's, by docker run of a new image",
        both(part("before", "operator_rendering", image="kestra:new"), run_by_hand(image="kestra:new")), "loses its labels",
    ),
    Case(OWNER, "a script's, by Compose", _without_labels("before"), "would let Compose make it"),
    Case(
        "pre/test_needs.py::test_what_is_named_exists", "two are missing",
        at("before", needs=(Need("network", "kestra_internal", "does not exist"), Need("port", "9080", "nothing listens there"))),
        "network kestra_internal: does not exist; port 9080: nothing listens there",
    ),
    Case(READABLE, "it hangs", validation("ready", healthy=None, problem="it did not end within 5 s"), "did not end"),
    Case(LOOKS, "nothing", validation("ready", checked=0), "has looked at 0"),
    Case(AGREES, "it disagrees", validation("after", healthy=False, exit_code=1), "says not healthy, this run observed that the service is healthy"),
    Case(AGREES, "it is wrongly content", answer("after", "health", 503), "says healthy, this run observed that the service is not healthy"),
    Case(AGREES, "it contradicts itself", validation("after", exit_code=1), "ended with 1, which contradicts it"),
    Case(AGREES, "unreadable", validation("after", healthy=None, problem="what it printed is no JSON"), "no JSON", Outcome.UNKNOWN),
    Case(LOOKED, "nothing", validation("after", checked=0), "has looked at 0, at least 1"),
    Case(LOOKED, "unreadable", validation("after", checked=None, problem="no key"), "no key", Outcome.UNKNOWN),
    Case(f"{POST}test_the_scripts_touched_nothing_else", "a neighbour", touched, "(kill)"),
    Case(f"{POST}test_the_start_script_was_enough", "Compose stood in", _fell_back, "Compose had to start it"),
    Case(f"{POST}test_the_scripts_ended_well", "another status", _ended("it ended with 2"), "stop: it ended with 2"),
    Case(f"{POST}test_the_script_gave_what_was_checked", "another value", _given(JAVA_OPTS="-Xmx1g"), "JAVA_OPTS differ"),
    Case(OWNER_AFTER, "no longer Compose's", _without_labels("after"), "no longer belongs to Compose"),
)  # fmt: skip

PASSING = (
    Case(IMAGE, "by its id", _image_by_id),
    Case(ONCE, "its own helper", run_by_hand(image="postgres:15"), "no second Kestra"),
    Case(LEFT_OUT, "a no that is understood as one", _settings(**{SKIP: "0"})),
    Case(WORDS, "its own words", run_by_hand("server", "standalone")),
    Case(DRIVER, "to be taken over", both(_without_labels("before"), _compose(START, takes_over=True))),
    Case(OWNER, "to be taken over", both(run_by_hand(), _by(START, takes_over=True))),
    Case(OWNER, "docker run again", both(run_by_hand(), _without_labels("before"))),
    Case(OWNER_AFTER, "taken over", both(_without_labels("after"), _by(START, takes_over=True))),
    Case(AGREES, "both unwell", both(validation("after", healthy=False, exit_code=1), answer("after", "health", 503))),
)  # fmt: skip
