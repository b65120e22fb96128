"""The engine's SDK at an endpoint, with that endpoint's certificates."""

from __future__ import annotations

from typing import Any

import docker
from docker.tls import TLSConfig

from procedures.observe.engine.endpoint import Endpoint, Tls


class _Api(docker.APIClient):
    """The SDK's client, with the endpoint's own certificates and no others."""

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        # Requests prefers a bundle from the environment, which is for the web, to the session's own certificates.
        own = self.verify if verify is None else verify
        return super().merge_environment_settings(url, proxies, stream, own, cert)


class _Client(docker.DockerClient):
    """The SDK's objects on a client of ours; its own constructor would make another one."""

    def __init__(self, api: _Api) -> None:
        self.api = api


def client_of(where: Endpoint, limit: int) -> docker.DockerClient:
    """Return a client whose calls may each take `limit` seconds; it asks the engine for its version at once."""
    return _Client(_Api(base_url=where.url, timeout=limit, tls=_tls(where.tls)))


def _tls(material: Tls | None) -> TLSConfig | bool:
    """Return the certificates in the SDK's form; it raises if they cannot be read."""
    if material is None:
        return False
    certificate, key = material.existing("cert.pem"), material.existing("key.pem")
    return TLSConfig(
        client_cert=(certificate, key) if certificate and key else None,
        ca_cert=material.existing("ca.pem"),
        verify=material.verify,
    )
