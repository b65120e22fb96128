"""What makes the checks of the way from here to the server fail, and what they let pass."""

from __future__ import annotations

from dataclasses import replace

from procedures.target.target import Budgets
from reports.record.evidence import Outcome, Wait
from reports.record.observed import Binding, Direct, Unseen
from tests.checks.cases import ANSWERS, Case
from tests.checks.world import (
    Change,
    World,
    another_instance,
    answer,
    answer_here,
    both,
    container_of,
    instance,
    part,
)

ALONE = "pre/test_reach.py::test_no_needed_port_is_the_engines_alone"
LEAD_BEFORE = "pre/test_reach.py::test_the_addresses_lead_to_the_service"
WELL = "post/test_reach.py::test_the_server_itself_is_well"
LEAD = "post/test_reach.py::test_the_addresses_lead_to_the_server"
SILENT = "post/test_reach.py::test_what_answered_went_with_the_server"
READY = "post/test_server.py::test_it_became_ready"
HEALTH = "post/test_server.py::test_health_says_up"

_FAR = part("before", "engine", endpoint="tcp://10.1.2.3:2376", elsewhere=True)
_FORWARDED = part("before", "engine", endpoint="tcp://127.0.0.1:2376", elsewhere=True)


def _gateway(world: World) -> World:
    url = "http://127.0.0.1:{gateway_port}"
    target = replace(
        world.target,
        http_url=url,
        management_url=f"{url}/kestra-management",
        budgets=replace(Budgets(), gateway=30.0),
    )
    return replace(world, target=target)


def _published_on(host_ip: str) -> Change:
    def changed(world: World) -> World:
        rendering = world.before.operator_rendering
        assert rendering is not None
        assert not isinstance(rendering, Unseen)
        bindings = tuple(Binding(one.container_port, host_ip, one.host_port) for one in rendering.bindings)
        return part("before", "operator_rendering", bindings=bindings)(world)

    return changed


def _never_silent(world: World) -> World:
    """Let every path have answered well throughout."""
    outage = world.outage
    assert outage is not None
    paths = tuple(replace(one, length=0.0, first_good=None) for one in outage.paths)
    return replace(world, outage=replace(outage, paths=paths))


def _nobody_looked(world: World) -> World:
    assert world.outage is not None
    paths = tuple(replace(one, looks=0) for one in world.outage.paths)
    return replace(world, outage=replace(world.outage, paths=paths))


def _itself_down(moment: str) -> Change:
    def changed(world: World) -> World:
        itself = getattr(world, moment).direct
        assert isinstance(itself, Direct)
        refused = replace(itself.health, status=0, said="refused", body_status="")
        return part(moment, "direct", health=refused, ping=replace(refused, url=itself.ping.url))(world)

    return changed


def _late(world: World) -> World:
    wait = Wait("gateway", 1.0, 0.1, 1.0, ended=False, sentence="gateway: not within 1 s", attempts=())
    assert world.our_start is not None
    return replace(world, our_start=replace(world.our_start, gateway=wait))


def _unlearnt(moment: str) -> Change:
    return both(_gateway, answer_here(moment, "ping", 404), answer_here(moment, "health", 404))


def _stopped_one(state: str) -> Change:
    """Let the server that this run has stopped, and that was killed, have left a heartbeat that is young."""

    def changed(world: World) -> World:
        return another_instance("after", hostname=container_of(world, "before").id[:12], state=state)(world)

    return changed


FAILING = (
    Case(ALONE, "published on its loopback", both(_FAR, _published_on("127.0.0.1")), "forward the port to here"),
    Case(ALONE, "not published at all", both(_FAR, part("before", "operator_rendering", bindings=())), "http_url"),
    Case(LEAD_BEFORE, "another server's 404", answer_here("before", "ping", 404), "correct http_url"),
    Case(LEAD_BEFORE, "out of reach", both(_FAR, answer_here("before", "health", 0, "refused")), "forward the port"),
    Case(LEAD_BEFORE, "not learnt", _unlearnt("before"), "the gateway has not learnt this container"),
    Case(LEAD_BEFORE, "another server", part("before", "server", instance_id="x"), "leads to another server"),
    Case(WELL, "it does not answer", _itself_down("after"), "health refused, ping refused"),
    Case(WELL, "it says DOWN", answer("after", "health", 503, "503 DOWN", "DOWN"), "503 DOWN"),
    Case(LEAD, "not learnt", _unlearnt("after"), "the server itself is well"),
    Case(LEAD, "nothing to lead to", _itself_down("after"), "the server itself is not well", Outcome.UNKNOWN),
    Case(SILENT, "something else answers", _never_silent, "answered well throughout"),
    Case(SILENT, "nobody looked", _nobody_looked, "nobody looked", Outcome.UNKNOWN),
    Case(READY, "the gateway was late", _late, "the gateway has not learnt it"),
    Case(HEALTH, "a gateway's answer is not the server's", _unlearnt("after"), "the gateway", Outcome.UNKNOWN),
    Case(
        HEALTH, "a gateway answers for a server that is down", both(_unlearnt("after"), _itself_down("after")),
        "the gateway answers in the server's place", Outcome.UNKNOWN,
    ),
    Case(ANSWERS, "another database's server", both(_gateway, part("after", "server", instance_id="x")), "whose address"),
    Case(ANSWERS, "a second server", both(_gateway, another_instance("after")), "find which server"),
    Case(ANSWERS, "a second server that boots", both(_gateway, another_instance("after", state="CREATED")), "find which server"),
    Case(ANSWERS, "a second server that drains", both(_gateway, another_instance("after", state="TERMINATING")), "find which server"),
    Case(ANSWERS, "no server's heartbeat", both(_gateway, instance("after", age=1e6)), "no server"),
)  # fmt: skip

PASSING = (
    Case(ALONE, "a forwarded engine", both(_FORWARDED, _published_on("127.0.0.1"))),
    Case(ALONE, "published for everybody", both(_FAR, _published_on("0.0.0.0"))),
    Case(LEAD_BEFORE, "the server itself is down", both(_itself_down("before"), answer_here("before", "ping", 0))),
    Case(ANSWERS, "through a gateway", _gateway),
    Case(ANSWERS, "our own that was killed in its drain", both(_gateway, _stopped_one("TERMINATING"))),
    Case(ANSWERS, "our own that was killed", both(_gateway, _stopped_one("RUNNING"))),
)  # fmt: skip
