"""The way of one REST request: host, origin, body, limit, schema, key, handler, answer."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError, RateLimited
from openalgo_desktop.core.stopwatch import Stopwatch
from openalgo_desktop.local_api import bodies
from openalgo_desktop.local_api.context import ApiContext
from openalgo_desktop.local_api.endpoints import endpoints
from openalgo_desktop.local_api.gate import Gate, approved_fields, source_of
from openalgo_desktop.local_api.http_server import web
from openalgo_desktop.local_api.monitor import ApiMonitor, RequestRecord
from openalgo_desktop.local_api.network import HostPolicy, sender_address
from openalgo_desktop.local_api.refusals import error_body, invalid, refusal
from openalgo_desktop.local_api.services import Services
from openalgo_desktop.local_api.table import (
    JSON_TYPE,
    TEXT_TYPE,
    ApiError,
    Call,
    Endpoint,
    ErrorForm,
    Handler,
    Need,
    Pieces,
    Reply,
    lane_of,
)
from openalgo_desktop.local_api.validation import InvalidFields, Validator
from openalgo_desktop.trading.idempotency import RequestMemory, client_id
from openalgo_desktop.trading.limits import one_request

log = logging.getLogger(__name__)


def _plain(value: Any) -> Any:
    """Numbers of numpy as those of Python."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is no JSON value")


_JSON = msgspec.json.Encoder(enc_hook=_plain)
_SLASHES = re.compile(r"/{2,}")
#: Bytes of an answer that leaves whole: less than a millisecond.
_WHOLE = 1 << 18


class Dispatcher:
    """Answers requests from the endpoint table."""

    def __init__(self, ctx: ApiContext) -> None:
        self._ctx = ctx
        self.access = HostPolicy(ctx.settings)
        self.monitor = ApiMonitor(ctx.clock)
        self._gate = Gate(ctx)
        self.services = Services(ctx)
        #: Address of the WebSocket server, once it is known.
        self.stream_url: Callable[[], str] = lambda: ""
        self._exact: dict[tuple[str, str], Endpoint] = {}
        self._prefixes: list[tuple[str, str, Endpoint]] = []
        self.rows: list[Endpoint] = [*endpoints(ctx), _document_row(self._document)]
        for row in self.rows:
            self._add(row)
        self._validator = Validator({row.schema for row in self.rows if row.schema is not None})

    def _add(self, row: Endpoint) -> None:
        if row.queued and self._ctx.approvals is not None:
            self._ctx.approvals.run_with(row.path, self._runner(row))
        if row.route.endswith("/*"):
            self._prefixes.append((row.method, row.route[:-1], row))
            return
        self._exact[row.method, row.route] = row
        if row.both_slashes:
            self._exact[row.method, row.route + "/"] = row

    async def _document(self, call: Call) -> dict[str, Any]:
        from openalgo_desktop.local_api.openapi import document

        return document(self.rows, "/", self.stream_url())

    async def start(self) -> None:
        """Begin background work of the handlers."""
        await self.services.start()
        self._validator.start()

    async def stop(self) -> None:
        """End background work of the handlers."""
        await self._validator.stop()
        await self.services.stop()

    # -- one request ------------------------------------------------------------------------
    async def handle(
        self, request: web.BaseRequest, has_key: Callable[[], None] = lambda: None
    ) -> web.StreamResponse:
        """Answer ``request``; never raises except when the client goes away. ``has_key`` is
        called once the request has shown a valid key."""
        record = RequestRecord(started=time.perf_counter())
        record.queued = max(
            0.0, record.started - getattr(request.protocol, "received_at", record.started)
        )
        record.client = request.remote or ""
        origin = request.headers.get("Origin")
        watch = Stopwatch.begin()
        reply = await self._answer(request, origin, record)
        if record.key:
            has_key()
        record.broker = watch.seconds
        body = reply.payload
        if isinstance(body, Pieces):
            if body.size <= _WHOLE:
                body = b"".join(body)
        elif not isinstance(body, bytes):
            try:
                body = _JSON.encode(body)
            except (TypeError, ValueError, OverflowError):
                log.exception("the answer of %s cannot be written as JSON", record.endpoint)
                reply = Reply(b'{"status":"error","message":"An unexpected error occurred"}', 500)
                body = reply.payload
        size = body.size if isinstance(body, Pieces) else len(body)
        self.monitor.finish(record, reply.status, size)
        headers = dict(reply.headers)
        if origin is not None:
            headers |= self.access.cors_headers(origin)
        headers["Content-Type"] = reply.content_type
        if isinstance(body, Pieces):
            return await _in_pieces(request, body, reply.status, headers)
        return web.Response(body=body, status=reply.status, headers=headers)

    async def _answer(
        self, request: web.BaseRequest, origin: str | None, record: RequestRecord
    ) -> Reply:
        if not self.access.host_allowed(request.headers.get("Host")):
            text = "This Host name is not allowed. Add it to the setting api.allowed_hosts."
            return Reply(error_body(text), 403)
        if request.method == "OPTIONS":
            headers = self.access.cors_headers(origin, preflight=True)
            return Reply(b"", 200, TEXT_TYPE, headers)
        path = _path(request)
        row, path_arg = self._find(request.method, path)
        if row is None:
            return _to_the_page(request) or self._not_found(request, path)
        record.endpoint, record.method = row.name, row.method
        query = request.query if row.method == "GET" else {}
        plain = any(query.get(name) == text for name, text in row.text_errors.items())
        record.mode = self._ctx.desk.mode
        try:
            self._check_origin(request, row, origin)
            if row.alert:
                return await self._alert(request, row, path_arg, record)
            data = dict(query) if row.method == "GET" else await self._body(request, row)
            return await self._run(request, row, path_arg, data, record)
        except AppError as error:
            return refusal(row, error, record.mode, plain)
        except InvalidFields as error:
            return invalid(row, error, record.mode, plain)
        except Exception:
            log.exception("%s failed", row.name)
            return refusal(row, ApiError(500, row.crash), record.mode, plain)

    def _find(self, method: str, path: str) -> tuple[Endpoint | None, str]:
        row = self._exact.get((method, path))
        if row is not None:
            return row, ""
        for wanted, prefix, candidate in self._prefixes:
            if method == wanted and path.startswith(prefix) and len(path) > len(prefix):
                rest = path[len(prefix) :]
                if not candidate.both_slashes:
                    return (None, "") if rest.endswith("/") else (candidate, rest)
                return candidate, rest.rstrip("/")
        return None, ""

    def _not_found(self, request: web.BaseRequest, path: str) -> Reply:
        """Also for a wrong method, but where clients know 405."""
        other = self._exact.get(("POST", path))
        if other is not None and other.form is ErrorForm.FAILED:
            return Reply({"message": "The method is not allowed for the requested URL."}, 405)
        return Reply(error_body("Not found", path=request.path), 404)

    def _check_origin(self, request: web.BaseRequest, row: Endpoint, origin: str | None) -> None:
        if row.foreign_form or self.access.origin_allowed(origin):
            return
        media = bodies.media_type(request.headers.get("Content-Type", ""))
        json_body = row.method == "GET" or media == JSON_TYPE
        raise ApiError(
            403 if json_body else 415,
            "This Origin is not allowed. Add it to the setting api.cors_origins.",
            with_mode=False,
        )

    async def _body(self, request: web.BaseRequest, row: Endpoint) -> dict[str, Any]:
        raw, kind = await bodies.read(request), request.headers.get("Content-Type", "")
        if row.foreign_form:
            return {**request.query, **bodies.foreign_fields(raw)}
        return bodies.order_fields(raw, kind) if row.forms else bodies.json_fields(raw, kind)

    async def _alert(
        self, request: web.BaseRequest, row: Endpoint, path_arg: str, record: RequestRecord
    ) -> Reply:
        """An alert has no key; its handler says when it is one too many."""
        body = await bodies.Body.of(request)
        call = Call(
            self._ctx,
            self.services,
            row,
            {},
            self._ctx.desk.mode,
            "webhook",
            path_arg=path_arg,
            client_id=request.headers.get("Idempotency-Key", ""),
            client=sender_address(request, str(self._ctx.settings["webhooks.sender_header"])),
            body=body,
        )
        record.client = call.client
        return await self._handled(call)

    async def _run(
        self,
        request: web.BaseRequest,
        row: Endpoint,
        path_arg: str,
        data: dict[str, Any],
        record: RequestRecord,
    ) -> Reply:
        gate = self._gate
        asked = _to_remember(request, data)
        if row.need is not Need.NOTHING and "apikey" not in data:
            header = request.headers.get("X-API-KEY")
            if header:
                data["apikey"] = header
        key = gate.cached(data)
        gate.limit(row, record.client, known=key is not None)
        began = self._ctx.desk.mode
        if key is None and (key := await gate.recognised(row, data)) is not None:
            gate.limit(row, record.client, known=True)
        lane = lane_of(self._ctx, key if row.need is not Need.NOTHING else None)
        if lane is self._ctx.desk:
            lane.still(began)  # the switch may have been moved while the key was verified
        record.mode = lane.mode
        if row.sandbox_only and lane.mode is not Mode.SANDBOX:
            raise ApiError(400, "This endpoint is only available in sandbox/analyzer mode")
        request_id = _request_id(request, row, data)
        if row.prepare is not None:
            data = row.prepare(self._ctx, data, path_arg)
        if row.schema is not None:
            data = await self._validator.load(row.schema, data)
        mode = record.mode = lane.mode  # of now: the schema may have been waited for
        source = "api"
        if row.need is not Need.NOTHING:
            if key is None or not self._ctx.keys.works(key):
                raise gate.wrong_key(row, data, mode)
            gate.check_rights(row, key, lane)
            if key.strategy and "strategy" in data:
                data["strategy"] = key.strategy
            source, record.key = source_of(request.headers, key), key.name
            gate.check_caller(row, source, mode)
            record.body = asked
        data.pop("apikey", None)
        client_id = request.headers.get("Idempotency-Key", "")
        call = Call(self._ctx, self.services, row, data, mode, source, key, path_arg, client_id)
        if request_id and self._ctx.requests is not None:
            return await self._once(self._ctx.requests, request_id, call)
        return await self._handled(call)

    async def _handled(self, call: Call) -> Reply:
        one_request.set(object())  # repetitions inside one request are meant
        answer: Any = await self._gate.semi_auto(call)
        if answer is None:
            # The rights were judged in the mode of before the waits (key, request id).
            if call.endpoint.need is not Need.STRATEGY:  # a run has a mode of its own
                call.desk.still(call.mode)
            answer = await call.endpoint.handler(call)
        return answer if isinstance(answer, Reply) else Reply(answer)

    async def _once(self, memory: RequestMemory, request_id: str, call: Call) -> Reply:
        """The first answer to this request id, a refusal too; carried out at most once. What was
        too much for now, and of which nothing left, may come again."""
        again = False

        async def run() -> dict[str, Any]:
            nonlocal again
            try:
                reply = await self._handled(call)
            except AppError as error:
                again = isinstance(error, RateLimited) and not error.sent
                reply = refusal(call.endpoint, error, call.mode, plain=False)
            return {"status": reply.status, "payload": reply.payload}

        body = {"endpoint": call.endpoint.name, **call.data}
        first = await memory.once(call.source, request_id, body, run, lambda _: not again)
        return Reply(first["payload"], first["status"])

    def _runner(self, row: Endpoint) -> Any:
        """How a queued request becomes orders once a human said yes."""

        async def run(payload: dict[str, Any], source: str) -> Any:
            key = await self._gate.key_of_queued(payload)
            mode = lane_of(self._ctx, key).mode
            data = approved_fields(payload, mode)
            call = Call(self._ctx, self.services, row, data, mode, source, key, decided=True)
            return await row.handler(call)

        return run


#: Fields that are secrets: keys, and the token of the Telegram bot.
_SECRETS = frozenset({"apikey", "token"})
#: Larger bodies are not kept by the monitor, bytes.
_MOST_REMEMBERED = 4096


async def _in_pieces(
    request: web.BaseRequest, pieces: Pieces, status: int, headers: dict[str, str]
) -> web.StreamResponse:
    response = web.StreamResponse(status=status, headers=headers)
    response.content_length = pieces.size
    await response.prepare(request)
    for piece in pieces:
        await response.write(piece)
        await asyncio.sleep(0)
    await response.write_eof()
    return response


def _document_row(handler: Handler) -> Endpoint:
    return Endpoint(
        "/openapi.json",
        handler,
        None,
        "This document.",
        "System",
        method="GET",
        need=Need.NOTHING,
        both_slashes=False,
    )


def _request_id(request: web.BaseRequest, row: Endpoint, data: dict[str, Any]) -> str:
    """The client's own id of an order write: field ``request_id`` or header ``Idempotency-Key``."""
    if row.need not in (Need.TRADE, Need.STRATEGY):
        return ""
    return client_id(data.pop("request_id", None)) or request.headers.get("Idempotency-Key", "")


def _path(request: web.BaseRequest) -> str:
    """The path; a slash too many (``http://host:5000/`` + ``/api/v1``) is read as one."""
    path = request.path
    return _SLASHES.sub("/", path) if "//" in path else path


def _to_remember(request: web.BaseRequest, data: dict[str, Any]) -> dict[str, Any] | None:
    """What the monitor may show and ask again: the fields as they came, never the key. Large ones
    are not kept."""
    if (request.content_length or 0) > _MOST_REMEMBERED:
        return None
    return {name: value for name, value in data.items() if name not in _SECRETS}


def _to_the_page(request: web.BaseRequest) -> Reply | None:
    """A person who opens the address in a browser is led to the interactive page; programs get
    the documented 404."""
    wants_page = "text/html" in request.headers.get("Accept", "")
    if request.method == "GET" and wants_page and request.path.rstrip("/") in ("", "/api/v1"):
        return Reply(b"", 302, TEXT_TYPE, {"Location": "/docs"})
    return None
