"""What the server itself answers, asked inside its own network: past gateways, proxies and published ports.

The lookout there runs the database's image, which may hold neither curl nor wget, so bash opens the connection.
With HTTP/1.0 the server closes the connection at the end of its answer.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import docker.errors
import requests

from procedures.kestra.api import PONG, Paths
from procedures.observe.engine.engine import EngineObserver
from procedures.observe.engine.lookout import Lookout
from procedures.observe.outage import probe
from procedures.observe.patience import MUTE, Pace, Said, ask_the_mute_again
from procedures.problems import CannotObserve
from reports.record.observed import Answer, Direct
from reports.redaction import excerpt

_ASK = (
    'exec 2>/dev/null; exec 3<>"/dev/tcp/$1/$2" || exit 7; '
    'printf "GET %s HTTP/1.0\\r\\nHost: %s\\r\\n\\r\\n" "$3" "$1" >&3; exec cat <&3'
)
_REFUSED, _TIMED_OUT, _NO_BASH = 7, {124, 137, 143}, {126, 127}


def look(
    lookout: Lookout,
    address: str,
    http_port: str,
    management_port: str,
    limit: float,
    *,
    paths: Paths,
    pace: Pace | None = None,
) -> Direct:
    """Ask health and ping at a container's own address, in parallel.

    With a pace, a mute path is asked once more, alone; a caller that soon asks again gives none.
    """
    ports = {paths.health: _number(management_port), paths.ping: _number(http_port)}
    limits = {path: pace.limit(f"itself {path}", limit) if pace else limit for path in ports}

    def ask(path: str, patience: float) -> Said:
        return _ask(lookout, address, ports[path], path, patience), None

    with ThreadPoolExecutor(len(ports)) as pool:
        said = dict(zip(limits, pool.map(ask, limits, limits.values()), strict=True))
    if pace:
        ask_the_mute_again(said, ask, limit)
        for path, (answer, _) in said.items():
            pace.note(f"itself {path}", answer)
    return Direct(said[paths.health][0], said[paths.ping][0])


def address_of(engine: EngineObserver, container: str, network: str) -> str:
    """Return a container's address in a network."""
    try:
        said = engine.client.api.inspect_container(container)
    except (docker.errors.DockerException, requests.exceptions.RequestException) as error:
        raise CannotObserve(
            f"the container's address cannot be read: {excerpt.one_line(str(error), 200)}"
        ) from error
    if said["HostConfig"].get("NetworkMode") == "host":
        return "127.0.0.1"
    place = ((said.get("NetworkSettings") or {}).get("Networks") or {}).get(network) or {}
    address = place.get("IPAddress") or place.get("GlobalIPv6Address")
    if not address:
        raise CannotObserve(
            f"{said['Name'].lstrip('/')} has no address in the network {network}",
            "`docker inspect` of it shows its networks",
        )
    return str(address)


def _number(port: str) -> str:
    return port.partition("/")[0]


def _ask(lookout: Lookout, address: str, port: str, path: str, limit: float) -> Answer:
    host = f"[{address}]" if ":" in address else address
    url = f"http://{host}:{port}{path}"
    began = time.monotonic()
    argv = ("timeout", f"{limit:g}", "bash", "-c", _ASK, "bash", address, port, path)
    said = lookout.ask(argv, limit + 2)
    took = time.monotonic() - began
    if said.exit_code in _NO_BASH:
        raise CannotObserve(f"the image of the lookout {lookout.name} has no bash to ask {url} by")
    if said.exit_code in _TIMED_OUT:
        return Answer(url, 0, MUTE, took)
    if said.exit_code == _REFUSED or not said.text:
        return Answer(url, 0, "refused" if said.exit_code == _REFUSED else "accepted and closed", took)
    return _read(url, said.text.encode(), took)


def _read(url: str, text: bytes, took: float) -> Answer:
    try:
        reply = probe.reply_of(text, closed=True)
    except (ValueError, IndexError):
        reply = None
    if reply is None:
        return Answer(url, 0, "no HTTP", took)
    word = probe.health_word(reply.body)
    shown = word or (PONG if reply.body.strip() == PONG.encode() else "")
    return Answer(url, reply.status, f"{reply.status} {shown}".strip(), took, word)
