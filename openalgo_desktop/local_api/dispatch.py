"""The way of one REST request: host, origin, body, limit, schema, key, handler, answer."""

from __future__ import annotations

import logging
import math
import time
from typing import Any

import msgspec
from aiohttp import web
from marshmallow import Schema, ValidationError

from openalgo_desktop.core.enums import KeyRights, Mode
from openalgo_desktop.core.errors import AppError, RateLimited, RejectedByBroker
from openalgo_desktop.core.model import ApiKey
from openalgo_desktop.local_api.context import ApiContext
from openalgo_desktop.local_api.endpoints import endpoints
from openalgo_desktop.local_api.limits import RateLimiter
from openalgo_desktop.local_api.monitor import ApiMonitor, RequestRecord
from openalgo_desktop.local_api.network import HostPolicy
from openalgo_desktop.local_api.table import (
    JSON_TYPE,
    ApiError,
    Call,
    Endpoint,
    ErrorForm,
    Need,
    Reply,
)

log = logging.getLogger(__name__)

_JSON = msgspec.json.Encoder()
_DECODE = msgspec.json.Decoder()
MALFORMED = "The browser (or proxy) sent a request that this server could not understand."
#: Wrong keys are counted and told in one log line per this many seconds.
WRONG_KEY_LOG_SECONDS = 60.0


class _Refused(Exception):
    """A request that ends before its handler."""

    def __init__(
        self, status: int, payload: dict[str, Any], headers: dict[str, str] | None = None
    ) -> None:
        super().__init__()
        self.reply = Reply(payload, status, headers=headers or {})


def _error(message: Any, **fields: Any) -> dict[str, Any]:
    return {"status": "error", "message": message, **fields}


class Dispatcher:
    """Answers requests from the endpoint table."""

    def __init__(self, ctx: ApiContext) -> None:
        self._ctx = ctx
        self.access = HostPolicy(ctx.settings)
        self.monitor = ApiMonitor(ctx.clock)
        self._limiter = RateLimiter(time.monotonic)
        self._exact: dict[tuple[str, str], Endpoint] = {}
        self._prefixes: list[tuple[str, str, Endpoint]] = []
        self._schemas: dict[str, Schema] = {}
        self._wrong_keys = 0
        self._wrong_keys_told = -WRONG_KEY_LOG_SECONDS
        self.rows: list[Endpoint] = list(endpoints(ctx))
        for row in self.rows:
            self._add(row)

    def _add(self, row: Endpoint) -> None:
        if row.schema is not None:
            self._schemas[row.method + row.path] = row.schema()
        if row.route.endswith("/*"):
            self._prefixes.append((row.method, row.route[:-1], row))
            return
        self._exact[row.method, row.route] = row
        if row.both_slashes:
            self._exact[row.method, row.route + "/"] = row

    async def stop(self) -> None:
        """Forget the windows of the rate limits."""
        self._limiter = RateLimiter(time.monotonic)

    # -- one request ------------------------------------------------------------------------
    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer ``request``; never raises except when the client goes away."""
        record = RequestRecord(started=time.perf_counter())
        record.queued = max(
            0.0, record.started - getattr(request.protocol, "received_at", record.started)
        )
        origin = request.headers.get("Origin")
        try:
            reply = await self._answer(request, origin, record)
        except _Refused as refused:
            reply = refused.reply
        body = reply.payload
        if not isinstance(body, bytes):
            body = _JSON.encode(body)
        self.monitor.finish(record, reply.status, len(body))
        headers = dict(reply.headers)
        if origin is not None:
            headers |= self.access.cors_headers(origin)
        headers["Content-Type"] = reply.content_type
        return web.Response(body=body, status=reply.status, headers=headers)

    async def _answer(
        self, request: web.BaseRequest, origin: str | None, record: RequestRecord
    ) -> Reply:
        record.client = request.remote or ""
        if not self.access.host_allowed(request.headers.get("Host")):
            raise _Refused(
                403,
                _error("This Host name is not allowed. Add it to the setting api.allowed_hosts."),
            )
        if request.method == "OPTIONS":
            headers = self.access.cors_headers(origin, preflight=True)
            return Reply(b"", 200, "text/plain; charset=utf-8", headers)
        row, path_arg = self._find(request.method, request.path)
        if row is None:
            return Reply(_error("Not found", path=request.path), 404)
        record.endpoint, record.method = row.name, row.method
        if not self.access.origin_allowed(origin):
            json_body = row.method == "GET" or _media_type(request) == JSON_TYPE
            raise _Refused(
                403 if json_body else 415,
                _error("This Origin is not allowed. Add it to the setting api.cors_origins."),
            )
        data = await self._data(request, row)
        return await self._run(request, row, path_arg, data, record)

    def _find(self, method: str, path: str) -> tuple[Endpoint | None, str]:
        row = self._exact.get((method, path))
        if row is not None:
            return row, ""
        for wanted, prefix, candidate in self._prefixes:
            if method == wanted and path.startswith(prefix) and len(path) > len(prefix):
                return candidate, path[len(prefix) :]
        return None, ""

    async def _data(self, request: web.BaseRequest, row: Endpoint) -> dict[str, Any]:
        if row.method == "GET":
            return dict(request.query)
        media = _media_type(request)
        try:
            raw = await request.read()
        except web.HTTPRequestEntityTooLarge:
            raise _Refused(413, _error("The request body is too large.")) from None
        if media not in (JSON_TYPE, "text/plain") and not media.endswith("+json"):
            raise _Refused(415, _error("Send a JSON object with Content-Type application/json."))
        try:
            data = _DECODE.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            if media == "text/plain":
                raise _Refused(415, _error("A text/plain body must be a JSON object.")) from None
            raise _Refused(400, {"message": MALFORMED}) from None
        if not isinstance(data, dict):
            raise _Refused(400, _error("The request body must be a JSON object."))
        return data

    async def _run(
        self,
        request: web.BaseRequest,
        row: Endpoint,
        path_arg: str,
        data: dict[str, Any],
        record: RequestRecord,
    ) -> Reply:
        if row.need is not Need.NOTHING and "apikey" not in data:
            header = request.headers.get("X-API-KEY")
            if header:
                data["apikey"] = header
        text = data.get("apikey")
        key = self._ctx.keys.cached(text) if isinstance(text, str) else None
        mode = self._ctx.desk.mode
        # Callers without a known key share a window of their own: a flood of wrong keys cannot
        # starve good clients.
        self._limit(row, record.client, known=key is not None)
        data = self._validated(row, data, mode)
        if row.need is not Need.NOTHING:
            if key is None:
                key = await self._verify(row, data, mode)
                self._limit(row, record.client, known=True)
            self._check_rights(row, key, mode)
            record.key = key.name
        data.pop("apikey", None)
        call = Call(self._ctx, row, data, key, mode, record.client, path_arg)
        try:
            answer = await row.handler(call)
        except AppError as error:
            return self._refusal(row, error, mode)
        except Exception:
            log.exception("%s failed", row.name)
            return Reply(self._with_mode(row, _error(row.crash), mode), 500)
        return answer if isinstance(answer, Reply) else Reply(answer)

    # -- steps ------------------------------------------------------------------------------
    def _limit(self, row: Endpoint, client: str, *, known: bool) -> None:
        limit = row.limit
        text = self._ctx.settings[limit] if limit.startswith("limits.") else limit
        wait = self._limiter.take((client, row.method, row.path, known), text)
        if wait:
            seconds = max(1, math.ceil(wait))
            raise _Refused(
                429,
                _error("Rate limit exceeded. Please slow down your requests.", retry_after=seconds),
                {"Retry-After": str(seconds)},
            )

    def _validated(self, row: Endpoint, data: dict[str, Any], mode: Mode) -> dict[str, Any]:
        schema = self._schemas.get(row.method + row.path)
        if schema is None:
            return data
        try:
            loaded: dict[str, Any] = schema.load(data)
        except ValidationError as error:
            payload = validation_payload(row.form, error.messages)
            if row.mode_in_validation and mode is Mode.SANDBOX:
                payload["mode"] = mode.api_text
            raise _Refused(400, payload) from None
        return loaded

    async def _verify(self, row: Endpoint, data: dict[str, Any], mode: Mode) -> ApiKey:
        text = data.get("apikey")
        key = await self._ctx.keys.verify(text) if isinstance(text, str) and text else None
        if key is not None:
            return key
        self._count_wrong_key()
        status, message = row.bad_key
        payload = _error(message.format_map(data) if "{" in message else message)
        if row.name == "pnl/symbols":
            payload["mode"] = mode.api_text
        raise _Refused(status, payload)

    def _check_rights(self, row: Endpoint, key: ApiKey, mode: Mode) -> None:
        if row.need is Need.TRADE:
            if key.rights is KeyRights.READ:
                raise _Refused(403, _error(f"API key '{key.name}' may only read."))
            if key.rights is KeyRights.SANDBOX and mode is not Mode.SANDBOX:
                raise _Refused(403, _error(f"API key '{key.name}' may trade in the sandbox only."))
        if row.need in (Need.TRADE, Need.ACCOUNT) and key.account_id:
            active = self._ctx.account_status().account_id
            if key.account_id != active:
                raise _Refused(
                    403,
                    _error(f"API key '{key.name}' belongs to account {key.account_id}."),
                )

    def _count_wrong_key(self) -> None:
        self._wrong_keys += 1
        now = time.monotonic()
        if now - self._wrong_keys_told >= WRONG_KEY_LOG_SECONDS:
            log.warning("%d request(s) with a wrong API key", self._wrong_keys)
            self._wrong_keys, self._wrong_keys_told = 0, now

    def _refusal(self, row: Endpoint, error: AppError, mode: Mode) -> Reply:
        message: Any = error.message
        fields: dict[str, Any] = {}
        headers: dict[str, str] = {}
        with_mode = True
        if isinstance(error, ApiError):
            message, fields, with_mode = error.body_message, error.fields, error.with_mode
        elif isinstance(error, RejectedByBroker) and error.order_id:
            fields["orderid"] = error.order_id
        elif isinstance(error, RateLimited):
            seconds = max(1, math.ceil(error.retry_after))
            fields["retry_after"] = seconds
            headers["Retry-After"] = str(seconds)
        payload = _error(message, **fields)
        if with_mode:
            self._with_mode(row, payload, mode)
        return Reply(payload, error.http_status, headers=headers)

    @staticmethod
    def _with_mode(row: Endpoint, payload: dict[str, Any], mode: Mode) -> dict[str, Any]:
        if row.mode_in_errors and mode is Mode.SANDBOX:
            payload["mode"] = mode.api_text
        return payload


def _media_type(request: web.BaseRequest) -> str:
    return request.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def validation_payload(form: ErrorForm, errors: Any) -> dict[str, Any]:
    """The body of a validation error in the form of its endpoint."""
    if form is ErrorForm.TEXT:
        return _error(str(errors))
    if form is ErrorForm.OBJECT:
        return _error(_text_keys(errors))
    message = "Validation error" if form is ErrorForm.ERRORS else "Validation failed"
    return _error(message, errors=_text_keys(errors))


def _text_keys(errors: Any) -> Any:
    """List positions are numbers in marshmallow and texts in JSON."""
    if isinstance(errors, dict):
        return {str(name): _text_keys(value) for name, value in errors.items()}
    return errors
