"""The HTTP port: ping, the place of the UI, configs, flows, executions and logs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes
from typing import TYPE_CHECKING

from . import execution as executions
from . import flow as flows
from . import queues, store
from .database import LOST
from .http_server import Answer, Request, json_answer
from .problem import Problem
from .queues import Kind
from .routes import Route, admitted, dispatch, error, route, unauthorised

if TYPE_CHECKING:
    from .configuration import BasicAuth
    from .database import Pool
    from .document import Document
    from .queues import Bell
    from .release import Release

_PAGE = b"<!DOCTYPE html><html><head><title>Understudy</title></head><body>the understudy has no UI</body></html>\n"
_FORM = "multipart/form-data"


class NumberInvalid(Problem):
    """A parameter of a request that should be a number."""


@dataclass(slots=True)
class HttpApi:
    """What is asked on the HTTP port."""

    release: Release
    auth: BasicAuth | None
    auth_is_asked_for: bool
    instance_id: str
    reports_usage: bool
    url: str
    pool: Pool
    bell: Bell
    is_held: Callable[[], bool]
    api_opens: float
    """The moment, on the monotonic clock, from which `/api` answers: a server needs a while after its ports."""
    on_failure: Callable[[Exception], None]
    _routes: tuple[Route, ...] = ()

    def __post_init__(self) -> None:
        self._routes = self._table()

    def held(self, path: str) -> bool:
        return self.is_held() or (path.startswith("/api/") and time.monotonic() < self.api_opens)

    def answer(self, request: Request) -> Answer:
        if self.auth and self.auth_is_asked_for and not admitted(self.auth, request):
            return unauthorised(self.auth)
        try:
            return dispatch(self._routes, request)
        except flows.FlowInvalid as invalid:
            return error(422, f"Invalid entity: {invalid.message}", request.path, invalid.errors)
        except NumberInvalid as invalid:
            return error(422, f"Internal server error: {invalid}", request.path)
        except LOST as lost:
            self.on_failure(lost)
            raise ConnectionAbortedError from lost

    def _table(self) -> tuple[Route, ...]:
        # Documented only: later versions have the tenant in the path, and still take it without.
        api = "/api/v1(?:/main)?" if self.release.has_tenant_in_path else "/api/v1"
        return (
            route("GET", "/ping", lambda _: Answer(200, b"pong", {"content-type": "application/json"})),
            route("GET", "/", lambda _: Answer(307, b"", {"location": "/ui/"})),
            route("GET", "/ui/.*", lambda _: Answer(200, _PAGE, {"content-type": "text/html"})),
            route("GET", "/api/v1/configs", self._configs),
            route("GET", f"{api}/flows/search", self._search_flows),
            route("POST", f"{api}/flows", self._create_flow),
            route("GET", f"{api}/flows/{{namespace}}/{{key}}", self._flow),
            route("PUT", f"{api}/flows/{{namespace}}/{{key}}", self._replace_flow),
            route("DELETE", f"{api}/flows/{{namespace}}/{{key}}", self._delete_flow),
            route("GET", f"{api}/executions/search", self._search_executions),
            route("GET", f"{api}/executions/{{key}}", self._execution),
            route("POST", f"{api}/executions/{{namespace}}/{{key}}", self._execute),
            route("DELETE", f"{api}/executions/{{key}}/kill", self._kill),
            route("GET", f"{api}/logs/search", self._search_logs),
            route("GET", f"{api}/logs/{{key}}", self._logs),
        )

    def _configs(self, _: Request) -> Answer:
        return json_answer(
            200,
            {
                "uuid": self.instance_id,
                "version": self.release.name,
                "commitId": "understudy",
                "commitDate": self.release.commit_date,
                "isCustomDashboardsEnabled": False,
                "isTaskRunEnabled": False,
                "isAnonymousUsageEnabled": self.reports_usage,
                "isTemplateEnabled": False,
                "preview": {"initial": 100, "max": 5000},
                "isBasicAuthEnabled": self.auth is not None,
                "systemNamespace": "system",
                "hiddenLabelsPrefixes": ["system.", "internal."],
            },
        )

    def _search_flows(self, request: Request) -> Answer:
        with self.pool.transaction() as cursor:
            namespace = request.parameter("namespace") or None
            found, total = store.search_flows(
                cursor, namespace, request.parameter("q").strip("*"), _page(request)
            )
        return json_answer(200, {"results": found, "total": total})

    def _create_flow(self, request: Request) -> Answer:
        source = request.body.decode()
        flow = flows.parse(source)
        with self.pool.transaction() as cursor:
            if store.find_flow(cursor, flow["namespace"], flow["id"]):
                message = "Flow id already exists"
                raise flows.FlowInvalid(f"flow.id: {message}", ((message, "flow.id"),))
            return json_answer(200, store.save_flow(cursor, flow, source).with_source())

    def _flow(self, request: Request, namespace: str, key: str) -> Answer:
        with self.pool.transaction() as cursor:
            found = store.find_flow(cursor, namespace, key)
        if found is None:
            return error(404, "Not Found", request.path)
        return json_answer(200, found.with_source() if request.parameter("source") == "true" else found.value)

    def _replace_flow(self, request: Request, namespace: str, key: str) -> Answer:
        source = request.body.decode()
        flow = flows.parse(source)
        with self.pool.transaction() as cursor:
            old = store.find_flow(cursor, namespace, key)
            if old is None:
                return error(404, "Not Found", request.path)
            for name, wanted in (("namespace", namespace), ("id", key)):
                if flow[name] != wanted:
                    raise flows.FlowInvalid(f"flow.{name}: Illegal flow {name} update", ())
            new = old if old.source == source else store.save_flow(cursor, flow, source)
        return json_answer(200, new.with_source())

    def _delete_flow(self, request: Request, namespace: str, key: str) -> Answer:
        with self.pool.transaction() as cursor:
            found = store.find_flow(cursor, namespace, key)
            if found is None:
                return error(404, "Not Found", request.path)
            store.delete_flow(cursor, found)
        return Answer(204)

    def _search_executions(self, request: Request) -> Answer:
        wanted = store.ExecutionFilter(
            namespace=request.parameter("namespace") or None,
            flow_id=request.parameter("flowId") or None,
            states=tuple(request.query.get("state", ())),
            newest_first=request.parameter("sort").endswith("Date:desc"),
        )
        with self.pool.transaction() as cursor:
            found, total = store.search_executions(cursor, wanted, _page(request))
        return json_answer(200, {"results": found, "total": total})

    def _execution(self, request: Request, key: str) -> Answer:
        with self.pool.transaction() as cursor:
            found = store.find_execution(cursor, key)
        return json_answer(200, found) if found else error(404, "Not Found", request.path)

    def _execute(self, request: Request, namespace: str, key: str) -> Answer:
        kind = (request.header("content-type") or "application/x-www-form-urlencoded").partition(";")[0]
        if kind != _FORM:
            message = f"Unsupported Media Type: Content Type [{kind}] not allowed. Allowed types: [{_FORM}]"
            return error(415, message, request.path)
        with self.pool.transaction() as cursor:
            found = store.find_flow(cursor, namespace, key)
            if found is None or found.value["disabled"]:
                return error(404, "Not Found: Requested Flow is not found.", request.path)
            execution = executions.create(
                found.value, _labels(request, found.value), _inputs(request, found.value)
            )
            store.save_execution(cursor, execution)
            queues.emit(cursor, Kind.EXECUTION, execution["id"], {"executionId": execution["id"]})
        self.bell.ring()
        if request.parameter("wait") == "true":
            execution = self._at_its_end(execution)
        url = f"{self.url}/ui/executions/{namespace}/{key}/{execution['id']}"
        return json_answer(200, {**execution, "url": url})

    def _at_its_end(self, execution: Document) -> Document:
        seen = 0
        while not executions.ended(execution):
            seen = self.bell.wait(seen, 0.5)
            with self.pool.transaction() as cursor:
                execution = store.find_execution(cursor, execution["id"]) or execution
        return execution

    def _kill(self, request: Request, key: str) -> Answer:
        with self.pool.transaction() as cursor:
            found = store.find_execution(cursor, key)
            if found is None:
                return error(404, "Not Found", request.path)
            queues.emit(cursor, Kind.KILLED, key, {"executionId": key, "state": "REQUESTED"})
        self.bell.ring()
        return Answer(202)

    def _logs(self, _: Request, key: str) -> Answer:
        with self.pool.transaction() as cursor:
            return json_answer(200, store.logs_of(cursor, key))

    def _search_logs(self, request: Request) -> Answer:
        namespace, flow = request.parameter("namespace") or None, request.parameter("flowId") or None
        with self.pool.transaction() as cursor:
            found, total = store.search_logs(cursor, namespace, flow, _page(request))
        return json_answer(200, {"results": found, "total": total})


def _page(request: Request) -> store.Page:
    return store.Page(_number(request, "page", 1), _number(request, "size", 10))


def _number(request: Request, name: str, default: int) -> int:
    text = request.parameter(name, str(default))
    if not text.isdecimal():
        why = f'For input string: "{text}"'
        raise NumberInvalid(f"Failed to convert argument [{name}] for value [{text}] due to: {why}")
    return max(1, int(text))


def _labels(request: Request, flow: Document) -> list[Document]:
    given = flow.get("labels") or {}
    labels = given if isinstance(given, list) else [{"key": k, "value": str(v)} for k, v in given.items()]
    pairs = (text.partition(":") for text in request.query.get("labels", ()))
    return [*labels, *({"key": key, "value": value} for key, _, value in pairs)]


def _inputs(request: Request, flow: Document) -> Document:
    declared = flow.get("inputs") or []
    given = _form(request)
    inputs = {each["id"]: given.get(each["id"], each.get("defaults")) for each in declared}
    missing = [name for each in declared if inputs[name := each["id"]] is None and each.get("required", True)]
    if missing:
        told = f"inputs.{missing[0]}: Invalid input for `{missing[0]}`, missing required input, but received `null`"
        raise flows.FlowInvalid(told, ())
    return inputs


def _form(request: Request) -> dict[str, str]:
    head = f"Content-Type: {request.header('content-type')}\r\n\r\n".encode()
    message = message_from_bytes(head + request.body)
    parts = message.get_payload() if message.is_multipart() else []
    fields = {}
    for part in parts if isinstance(parts, list) else []:
        name = part.get_param("name", header="content-disposition")  # type: ignore[union-attr] # a list holds messages
        fields[str(name)] = part.get_payload(decode=True).decode()  # type: ignore[union-attr]
    return fields
