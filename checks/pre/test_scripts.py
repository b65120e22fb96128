"""The operator's own scripts before any of them acts: they can be started, and what they will do."""

from __future__ import annotations

from pathlib import Path

from procedures.decide.check_files import check, seen
from procedures.drivers.labels import PROJECT
from procedures.kestra.words import LEAVES_OUT
from procedures.problems import CannotObserve
from procedures.target.steps_by import SAVE_LOGS, START, STATUS, STOP, find
from procedures.target.target import Target
from reports.record.observed import Container, Snapshot, Unseen
from reports.record.scripted import DockerCall, Rehearsal, ScriptSeen


def test_every_script_can_be_started(scripts: tuple[ScriptSeen, ...]) -> None:
    """Every script that carries out a step can be started and has no syntax error."""
    problems = [
        f"{script.file} ({script.step}): {script.problem or script.syntax}"
        for script in scripts
        if script.problem or script.syntax
    ]
    assert not problems, (
        f"{'; '.join(problems)} → correct the path in the target file, `chmod +x` the script, or fix its text; this is "
        "not Docker's own `permission denied`"
    )


@check(again=True)
def test_what_the_scripts_do_is_known(scripts: tuple[ScriptSeen, ...]) -> None:
    """A rehearsal has shown what every script does before it acts."""
    for script in scripts:
        if script.rehearsal is None:
            raise CannotObserve(
                f"{script.file} ({script.step}) may not be rehearsed, so what it will do is unknown",
                "read it, then let the target file have it rehearsed, or waive this check with a reason",
            )
        if isinstance(script.rehearsal, Unseen):
            raise CannotObserve(
                f"{script.file} ({script.step}): {script.rehearsal.sentence}",
                "read it, then waive this check with a reason",
            )
        unknown = [" ".join(call.argv) for call in script.rehearsal.calls if call.effect == "unknown"]
        if unknown:
            raise CannotObserve(
                f"{script.file} ({script.step}) calls docker in a way that cannot be judged: {'; '.join(unknown[:3])}",
                "try by hand what that does, then waive this check with a reason",
            )


@check(again=True)
def test_the_scripts_hit_this_service_only(rehearsals: dict[str, Rehearsal], before: Snapshot) -> None:
    """No rehearsed script stops, removes, restarts or recreates a container that is not this service's."""
    ours = {container.id for container in seen(before.containers)}
    foreign = [
        f"{step} {hit.effect} {hit.name} ({f'Compose project {hit.project}' if hit.project else 'no Compose project'})"
        for step, rehearsal in rehearsals.items()
        for hit in rehearsal.hits
        if hit.id not in ours or step in {STATUS, SAVE_LOGS}  # these scripts only look and must touch nothing
    ]
    assert not foreign, (
        f"{'; '.join(foreign)} → let the script match its container by labels or by its exact name"
    )


@check(again=True)
def test_the_stop_script_stops_the_service(stop_rehearsal: Rehearsal, before: Snapshot) -> None:
    """The stop script stops the service's container, if it runs."""
    rehearsal = stop_rehearsal
    running = {container.id: container.name for container in seen(before.containers) if container.running}
    missed = sorted(set(running) - {hit.id for hit in rehearsal.hits})
    assert not missed, (
        f"it would not touch {running[missed[0]]}; its rehearsal ended with {rehearsal.exit_code} and said: "
        f"{_last(rehearsal.output)} → see which container it looks for; a script that looks for an image's name misses "
        "the container once a pull has given that name to another image"
    )


def test_the_start_script_reads_the_named_env_files(start_rehearsal: Rehearsal, target: Target) -> None:
    """The start script reads the env files that the target file names, and no others."""
    rehearsal = start_rehearsal
    named = {file.resolve() for file in target.env_files}
    opened = {Path(file).resolve() for file in rehearsal.env_files if file not in rehearsal.missing_env_files}
    others = sorted(str(file) for file in opened - named)
    assert not others, (
        f"it also reads {', '.join(others)} → name that file in env_files, or take it out of the script"
    )
    missing = ", ".join(rehearsal.missing_env_files)
    assert named <= opened, (
        f"it does not read {', '.join(sorted(str(file) for file in named - opened))}"
        f"{f', but looks for {missing}, which does not exist' if missing else ''} → see where it computes its root"
    )


@check(again=True)
def test_the_scripts_fetch_nothing(rehearsals: dict[str, Rehearsal]) -> None:
    """No rehearsed script pulls or builds an image, so no registry can prolong the outage."""
    fetched = [
        f"{step} {what} {image}"
        for step, rehearsal in rehearsals.items()
        for what, images in (("pulls", rehearsal.pulls), ("builds", rehearsal.builds))
        for image in images
    ]
    assert not fetched, (
        f"{'; '.join(fetched)} → let the script start from what is here (--pull=never, no --build); a new image is "
        "pulled before the stop"
    )


@check(protects="data", again=True)
def test_the_start_script_starts_this_service_once(
    start_rehearsal: Rehearsal, before: Snapshot, target: Target
) -> None:
    """The start script creates the service's container under its own name, and no second Kestra."""
    rehearsal = start_rehearsal
    name = target.container or seen(before.operator_rendering).container_name
    images = {seen(before.operator_rendering).image, *(other.image for other in seen(before.containers))}
    others = [
        made
        for call in rehearsal.calls
        if _creates(call, images)
        if (made := _name_of(call)) not in {name, ""}
    ]
    assert not others, (
        f"it would create {', '.join(others)} from the service's image, beside {name} → give the script the name from the "
        "target file: two Kestras on one database run everything twice"
    )
    assert name in rehearsal.creates, (
        f"it would create {', '.join(rehearsal.creates) or 'nothing'}, not {name}; its rehearsal ended with "
        f"{rehearsal.exit_code} and said: {_last(rehearsal.output)} → fix that, then run again"
    )


@check(advisory=True)
def test_the_start_script_starts_the_image(start_rehearsal: Rehearsal, before: Snapshot) -> None:
    """The start script makes the container from the image that the files name."""
    image, wanted = seen(before.image), seen(before.file_rendering).image
    same = {
        image.id,
        *(container.image for container in seen(before.containers) if container.image_id == image.id),
    }
    assert wanted in start_rehearsal.images or (
        image.reference == wanted and same & set(start_rehearsal.images)
    ), (
        f"it would use {', '.join(start_rehearsal.images) or 'none'}, not {wanted} → the script chooses its own image, "
        "and this run goes by that image: editing the files alone changes nothing"
    )


def test_no_setting_leaves_the_service_out(
    start_settings: dict[str, str], scripts: tuple[ScriptSeen, ...]
) -> None:
    """No variable tells the start script to leave Kestra out."""
    value = start_settings.get(LEAVES_OUT, "")
    if not value:
        return
    started = [
        script.rehearsal
        for script in scripts
        if script.step == START and isinstance(script.rehearsal, Rehearsal)
    ]
    assert started and started[0].creates, (
        f"{LEAVES_OUT}={value} is set, so the script would leave Kestra out on purpose after the stop (for some scripts "
        "any value means yes, 0 too) → unset it, then run again"
    )


@check(advisory=True)
def test_no_setting_is_one_that_nobody_reads(start_settings: dict[str, str]) -> None:
    """No variable is a misspelling of the one that leaves Kestra out."""
    alike = [name for name in start_settings if name != LEAVES_OUT and name.upper() == LEAVES_OUT.upper()]
    assert not alike, (
        f"nobody reads {', '.join(alike)} → spell the variable {LEAVES_OUT}, in upper and lower case as here"
    )


def test_the_scripts_show_no_secret(secrets_shown: dict[str, tuple[str, ...]]) -> None:
    """No rehearsed script prints a secret, neither on the screen nor into a log."""
    shown = [f"{step} prints {', '.join(names)}" for step, names in secrets_shown.items() if names]
    assert not shown, (
        f"{'; '.join(shown)} → take it out of the script: this run's evidence would redact it, other screens would not"
    )


def test_the_server_gets_its_own_words(
    start_rehearsal: Rehearsal, before: Snapshot, container_before: Container
) -> None:
    """The start script gives the server the command that it runs with now, and no option that was meant for the script."""
    images = _images(before, container_before)
    for call in start_rehearsal.calls:
        if not _creates(call, images) or "compose" in call.argv:
            continue
        words = call.argv[next(at for at, word in enumerate(call.argv) if word in images) + 1 :]
        assert not words or words == container_before.command, (
            f"it would run `{' '.join(words)}`, now it is `{' '.join(container_before.command)}` → correct the option that "
            "the script does not know and passes on to Kestra"
        )


# Where no step is a script, the service's container is always Compose's.
@check(only_with=("scripts",))
def test_the_driver_knows_the_container(before: Snapshot, target: Target) -> None:
    """The driver of the stop and of the start knows the present container, or the target file asks for a take-over."""
    start, stop = find(target.steps, START), find(target.steps, STOP)
    for container in seen(before.containers):
        if PROJECT in container.labels:
            continue
        assert not (container.running and not stop.is_own), (
            f"{container.name} was not made by Compose, which would stop nothing and report success → let a script stop it: "
            '[steps.stop] driver = "scripts"'
        )
        assert start.is_own or start.takes_over, (
            f"{container.name} was not made by Compose, whose start would end with `The container name … is already in use` → "
            "to hand it over to Compose: [steps.start] takes_over = true"
        )


def test_the_owner_stays_the_same(
    start_rehearsal: Rehearsal, before: Snapshot, container_before: Container, target: Target
) -> None:
    """The start script makes the container as it was made before, by Compose or not, unless the target file asks for a take-over."""
    if find(target.steps, START).takes_over:
        return
    made = [call for call in start_rehearsal.calls if call.effect == "creates"]
    by_compose = any("compose" in call.argv[:2] or "docker-compose" in call.argv[0] for call in made)
    plainly = [
        call
        for call in made
        if _creates(call, _images(before, container_before)) and "compose" not in call.argv[:2]
    ]
    was = PROJECT in container_before.labels
    assert not (was and plainly), (
        f"{container_before.name} belongs to Compose now (project {container_before.labels.get(PROJECT)}); by a plain "
        "`docker run` it loses its labels, its health check and its restart policy, and Compose then neither stops nor "
        "starts it → if that is intended, set [steps.start] takes_over = true"
    )
    assert was or not by_compose, (
        f"{container_before.name} was not made by Compose, and the script would let Compose make it → if that is "
        "intended, set [steps.start] takes_over = true"
    )


def _images(before: Snapshot, container: Container) -> set[str]:
    """Return the names of the running image and of the image to be started: an update brings another."""
    return {container.image, seen(before.operator_rendering).image}


def _creates(call: DockerCall, images: set[str]) -> bool:
    """Whether a plain call makes a container from one of these images; Compose names its images in its files."""
    return call.effect == "creates" and bool(images & set(call.argv))


def _name_of(call: DockerCall) -> str:
    words = call.argv
    for at, word in enumerate(words):
        if word == "--name" and at + 1 < len(words):
            return words[at + 1]
        if word.startswith("--name="):
            return word.partition("=")[2]
    return "a container without a name"


def _last(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "nothing"
