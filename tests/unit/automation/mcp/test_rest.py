"""What an answer of the engine means to a tool that writes and to one that reads."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import httpx
import msgspec
import pytest

from openalgo_desktop.automation.mcp.envelope import Outcome, Said, envelope
from openalgo_desktop.automation.mcp.ports import Facts
from openalgo_desktop.automation.mcp.rest import MOST_OF_MASTER, MOST_ROWS, Rest
from openalgo_desktop.core.enums import KeyRights
from openalgo_desktop.core.secret import Secret
from openalgo_desktop.core.tools import ToolRow, Toolset, Writes

FACTS = Facts(
    "http://127.0.0.1:1",
    Secret("k" * 64),
    KeyRights.TRADE,
    Writes.LIVE,
    frozenset(Toolset),
    "2026-11-25",
    "test",
)
Handler = Callable[[httpx.Request], httpx.Response]


class Faked(Rest):
    """Answers as ``handler`` says, and keeps what was asked."""

    def __init__(self, handler: Handler) -> None:
        super().__init__()
        self.asked: list[httpx.Request] = []

        def handle(request: httpx.Request) -> httpx.Response:
            self.asked.append(request)
            return handler(request)

        self._client = httpx.AsyncClient(transport=httpx.MockTransport(handle))


async def sent(
    handler: Handler, *, writes: bool = True, master: bool = False, newest: str = ""
) -> tuple[Said, Faked]:
    row = ToolRow("t", "", Toolset.ORDERS, {}, "/api/v1/placeorder", writes=writes)
    row = replace(row, master=master, newest=newest)
    rest = Faked(handler)
    said = await rest.send(FACTS, row, {"symbol": "SBIN"})
    await rest.close()
    return said, rest


def answers(status: int, **body: Any) -> Handler:
    return lambda _: httpx.Response(status, json=body)


def fails(error: type[httpx.TransportError]) -> Handler:
    def handle(request: httpx.Request) -> httpx.Response:
        raise error("gone", request=request)

    return handle


GONE = [httpx.ReadTimeout, httpx.WriteTimeout, httpx.ReadError, httpx.RemoteProtocolError]
RESULTS = [{"status": "success"}, {"status": "error", "message": "no"}]


@pytest.mark.parametrize(
    ("handler", "writing", "reading"),
    [
        (answers(200, orderid="1"), Outcome.OK, Outcome.OK),
        (answers(200, mode="semi_auto"), Outcome.QUEUED, Outcome.OK),
        (answers(200, results=RESULTS), Outcome.PARTIAL, Outcome.OK),
        (answers(200, failed_closures=1), Outcome.PARTIAL, Outcome.OK),
        (answers(200, failed_cancellations=[{"orderid": "1"}]), Outcome.PARTIAL, Outcome.OK),
        (answers(200, failed_closures=0, failed_cancellations=[]), Outcome.OK, Outcome.OK),
        (answers(400), Outcome.REFUSED, Outcome.REFUSED),
        (answers(403), Outcome.REFUSED, Outcome.REFUSED),
        (answers(429), Outcome.REFUSED, Outcome.REFUSED),
        (answers(500), Outcome.UNKNOWN, Outcome.REFUSED),
        (answers(504), Outcome.UNKNOWN, Outcome.REFUSED),
        (lambda _: httpx.Response(200, text="<html>"), Outcome.UNKNOWN, Outcome.REFUSED),
        (fails(httpx.ConnectError), Outcome.NO_ENGINE, Outcome.NO_ENGINE),
        (fails(httpx.ConnectTimeout), Outcome.NO_ENGINE, Outcome.NO_ENGINE),
        *((fails(error), Outcome.UNKNOWN, Outcome.REFUSED) for error in GONE),
    ],
)
async def test_outcomes(handler: Handler, writing: Outcome, reading: Outcome) -> None:
    said, rest = await sent(handler)
    assert (said.outcome, len(rest.asked)) == (writing, 1)
    said, rest = await sent(handler, writes=False)
    assert (said.outcome, len(rest.asked)) == (reading, 1)


async def test_the_key_travels_in_a_header_and_a_write_has_an_id() -> None:
    said, rest = await sent(answers(200))
    (request,) = rest.asked
    assert "k" * 64 not in str(request.url) + request.content.decode()
    assert request.headers["X-API-KEY"] == "k" * 64
    assert request.headers["Idempotency-Key"] == said.request_id != ""
    assert request.headers["X-OpenAlgo-Caller"] == "mcp"
    _, rest = await sent(answers(200), writes=False)
    assert "Idempotency-Key" not in rest.asked[0].headers


async def test_of_a_symbol_master_only_the_beginning_is_read() -> None:
    rows = [{"symbol": f"NIFTY{at}", "name": "x" * 100} for at in range(20_000)]
    master = {"status": "success", "message": "Found 20000 instruments", "data": rows}
    content = msgspec.json.encode(master)
    read = 0

    async def stream() -> AsyncIterator[bytes]:
        nonlocal read
        for at in range(0, len(content), 10_000):
            read += 10_000
            yield content[at : at + 10_000]

    said, _ = await sent(lambda _: httpx.Response(200, content=stream()), writes=False, master=True)
    assert said.data["data"] == rows[:MOST_ROWS]
    assert read < MOST_OF_MASTER + 20_000
    answer = envelope("get_instruments", replace(said, items=3))
    assert answer["cut"] == {"data.data": {"shown": 3, "of": "not counted", "part": "first"}}
    assert answer["data"]["message"] == "Found 20000 instruments"


async def test_the_newest_orders_come_first_whatever_order_the_broker_has() -> None:
    times = ["2026-11-25 09:15:00", "", "2026-11-25 10:00:00"]
    rows = [{"orderid": str(at), "timestamp": time} for at, time in enumerate(times)]
    said, _ = await sent(answers(200, data={"orders": rows}), writes=False, newest="timestamp")
    assert [row["orderid"] for row in said.data["data"]["orders"]] == ["1", "2", "0"]


async def test_a_long_book_is_read_to_its_end() -> None:
    rows = [
        {"orderid": str(at), "timestamp": f"{at:019}", "text": "x" * 99} for at in range(20_000)
    ]
    said, _ = await sent(answers(200, data={"orders": rows}), writes=False, newest="timestamp")
    assert said.data["data"]["orders"][0]["orderid"] == "19999"
