"""Routes, and the answers that do not depend on them: 401, 404, 405 and other errors in Kestra's form."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .configuration import BasicAuth
from .document import Document
from .http_server import Answer, Request, json_answer

OPEN_URLS = ("/ping", "/api/v1/executions/webhook/")
_LINK = ("templated", "profile", "deprecation", "title", "hreflang", "type", "name")

Action = Callable[..., Answer]


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    action: Action
    """Called with the request and the variables of the path."""


def route(method: str, path: str, action: Action) -> Route:
    """Make a route of a path like /flows/{namespace}/{id}."""
    return Route(method, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)), action)


def matching(routes: Sequence[Route], path: str) -> list[tuple[Route, dict[str, str]]]:
    """Every route of this path, whatever its method."""
    found = ((route, route.pattern.fullmatch(path)) for route in routes)
    return [(route, match.groupdict()) for route, match in found if match]


def dispatch(routes: Sequence[Route], request: Request) -> Answer:
    """Answer with the first route that fits, else 404 or 405."""
    method = "GET" if request.method == "HEAD" else request.method
    fitting = matching(routes, request.path)
    for candidate, variables in fitting:
        if candidate.method == method:
            return candidate.action(request, **variables)
    if not fitting:
        return error(404, "Not Found", request.path)
    methods = dict.fromkeys(candidate.method for candidate, _ in fitting)
    allowed = ", ".join(methods).replace("GET", "HEAD, GET")
    message = f"Method Not Allowed: Method [{method}] not allowed for URI [{request.path}]. Allowed methods: [{allowed}]"
    return error(405, message, request.path)


def error(status: int, message: str, path: str, errors: Sequence[tuple[str, str]] = ()) -> Answer:
    """Make an error in the form that all of Kestra's have."""
    body: Document = {
        "message": message,
        "logref": None,
        "path": None,
        "_links": {"self": {"href": path, **{key: False if key == "templated" else None for key in _LINK}}},
        "_embedded": {},
    }
    if errors:
        each: list[Document] = [
            {"message": told, "logref": None, "path": at, "_links": {}, "_embedded": {}}
            for told, at in errors
        ]
        body["_embedded"] = {"errors": each}
    return json_answer(status, body)


def unauthorised(auth: BasicAuth) -> Answer:
    return Answer(401, b"", {"WWW-Authenticate": f"Basic realm={auth.realm}"})


def admitted(auth: BasicAuth | None, request: Request) -> bool:
    """Say whether the credentials are right, or none are needed."""
    if auth is None or request.path.startswith(OPEN_URLS):
        return True
    scheme, _, token = request.header("authorization").partition(" ")
    wanted = base64.b64encode(f"{auth.username}:{auth.password}".encode()).decode()
    return scheme.lower() == "basic" and hmac.compare_digest(token.strip().encode(), wanted.encode())
