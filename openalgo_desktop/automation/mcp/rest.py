"""The way from a tool to the engine: one call of the local API, sent once.

A write is never sent twice. Whether it left is known only where no connection came about; a
connection that breaks, an answer that does not come or cannot be read means *unknown*.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import httpx
import msgspec

from openalgo_desktop.automation.mcp.envelope import Outcome, Said
from openalgo_desktop.automation.mcp.ports import Facts
from openalgo_desktop.core.tools import CALLER_HEADER, MCP_CALLER, ToolRow

#: Seconds that an answer may take. Closing a large book takes its time; the engine itself says
#: what is unknown long before.
READ_SECONDS, WRITE_SECONDS, CONNECT_SECONDS = 30.0, 90.0, 5.0
#: Bytes of an answer at most; of a symbol master only so much is read, and so many rows of that.
MOST_BYTES, MOST_OF_MASTER, MOST_ROWS = 32 * 2**20, 2**20, 500
_LIST = '"data":['
_JSON = json.JSONDecoder()
#: Bytes that are decoded beside the loop.
_LARGE = 2**17
#: Statuses of a write after which nobody knows: the engine's own "unknown", a crash inside it,
#: and whatever stands between.
_UNKNOWN = (500, 502, 504)


class Rest:
    """Calls the local API; closed at the end."""

    def __init__(
        self, read_seconds: float = READ_SECONDS, write_seconds: float = WRITE_SECONDS
    ) -> None:
        self._seconds = {False: read_seconds, True: write_seconds}
        self._client: httpx.AsyncClient | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _http(self) -> httpx.AsyncClient:
        # No proxy of the environment, no retries, and a connection for each call: one that was
        # kept may be closed by the other side just now, and then a write would be "unknown".
        if self._client is None:
            self._client = httpx.AsyncClient(
                transport=httpx.AsyncHTTPTransport(
                    retries=0, verify=False, limits=httpx.Limits(max_keepalive_connections=0)
                ),
                trust_env=False,
                follow_redirects=False,
            )
        return self._client

    async def send(self, facts: Facts, row: ToolRow, fields: dict[str, Any]) -> Said:
        """The answer of the endpoint of ``row`` to ``fields``."""
        request_id = uuid.uuid4().hex if row.writes else ""
        headers = {"X-API-KEY": facts.key.reveal(), CALLER_HEADER: MCP_CALLER}
        if request_id:
            headers["Idempotency-Key"] = request_id
        how: dict[str, Any] = {"params": fields} if row.method == "GET" else {"json": fields}
        try:
            async with self._http().stream(
                row.method,
                facts.rest_url + row.route,
                headers=headers,
                timeout=httpx.Timeout(self._seconds[row.writes], connect=CONNECT_SECONDS),
                **how,
            ) as response:
                content, whole = await _content(
                    response, MOST_OF_MASTER if row.master else MOST_BYTES
                )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            return Said(Outcome.NO_ENGINE, "The engine does not answer; nothing was sent.")
        except httpx.HTTPError as error:
            return _broken(row, type(error).__name__, request_id)
        if not whole:
            return _beginning(row, content)
        return await _read(row, response.status_code, content, request_id)


async def _content(response: httpx.Response, most: int) -> tuple[bytes, bool]:
    """The answer, and whether that is all of it: what is too large is not waited for."""
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_bytes():
        parts.append(part)
        size += len(part)
        if size > most:
            return b"".join(parts), False
    return b"".join(parts), True


def _beginning(row: ToolRow, content: bytes) -> Said:
    """The first rows of a symbol master: inside the engine decoding all of it would hold it up."""
    text = content.decode("utf-8", "ignore")
    head, found, _ = text.partition(_LIST)
    if not row.master or not found:
        return Said(Outcome.REFUSED, "The answer is too large; ask for less.")
    rows: list[Any] = []
    at = len(head) + len(found)
    while len(rows) < MOST_ROWS:
        try:
            value, at = _JSON.raw_decode(text, at)
        except ValueError:
            break
        rows.append(value)
        at += 1  # the comma
    data = msgspec.json.decode(head + _LIST + "]}") | {"data": rows}
    return Said(Outcome.OK, "", data, partly=True)


async def _read(row: ToolRow, status: int, content: bytes, request_id: str) -> Said:
    try:
        if len(content) > _LARGE:
            data = await asyncio.to_thread(msgspec.json.decode, content)
        else:
            data = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _broken(row, f"status {status}, no JSON", request_id)
    return _told(row, status, _newest_first(row.newest, data), request_id)


def _newest_first(field: str, value: Any) -> Any:
    """Lists of rows with that field in the order of its time; brokers have theirs. Rows whose time
    is not known come first: they may be the newest."""
    if not field:
        return value
    if isinstance(value, dict):
        return {name: _newest_first(field, part) for name, part in value.items()}
    if isinstance(value, list) and all(isinstance(row, dict) and field in row for row in value):
        return sorted(value, key=lambda row: (not row[field], str(row[field])), reverse=True)
    return value


def _told(row: ToolRow, status: int, data: Any, request_id: str) -> Said:
    """What the engine's answer means."""
    if row.writes and status in _UNKNOWN:
        message = "The engine does not know what became of it."
        return Said(Outcome.UNKNOWN, message, data, request_id)
    if status >= 400:
        message = "The engine refused; data has the reason." if row.writes else ""
        return Said(Outcome.REFUSED, message, data, request_id)
    if row.writes and isinstance(data, dict):
        if data.get("mode") == "semi_auto":
            return Said(Outcome.QUEUED, "", data, request_id)
        if _partly_failed(data):
            return Said(Outcome.PARTIAL, "", data, request_id)
    return Said(Outcome.OK, "", data, request_id)


def _partly_failed(data: dict[str, Any]) -> bool:
    """Whether a basket, a split, closing or cancelling all left something undone."""
    rows = data.get("results")
    refused = isinstance(rows, list) and any(row.get("status") == "error" for row in rows)
    return refused or bool(data.get("failed_closures") or data.get("failed_cancellations"))


def _broken(row: ToolRow, why: str, request_id: str) -> Said:
    if row.writes:
        return Said(Outcome.UNKNOWN, f"The answer was lost ({why}).", request_id=request_id)
    return Said(Outcome.REFUSED, f"The answer was lost ({why}); asking again may help.")
