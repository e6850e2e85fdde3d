"""One odd value costs its row, never the book: it is listed as unreadable and said once."""

from __future__ import annotations

import copy
import json
import logging
from datetime import datetime
from typing import Any

import httpx
import msgspec
import pytest

from openalgo_desktop.brokers.kit.account.gateway import KitGateway
from openalgo_desktop.brokers.kit.account.session import Session
from openalgo_desktop.brokers.kit.books.times import moment
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.master.reading import read_file
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.brokers.kit.rest.values import OddValue, count, number
from openalgo_desktop.brokers.registry import Registry
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import Action, Interval, Product
from openalgo_desktop.core.errors import DataError, ProtocolError, SymbolUnknown
from openalgo_desktop.core.model import BookRows, Instrument, OrderRequest, OrderUpdate
from openalgo_desktop.core.ticks import Part, Tick

CLOCK = ManualClock(datetime(2026, 11, 27, 11, 0, tzinfo=IST))
KITE = Registry().get("zerodha")
OPENALGO = Registry().get("openalgo")
ROWS = [
    Instrument("SBIN", "NSE", token="779521::::3045", brsymbol="SBIN", brexchange="NSE"),
    Instrument("TCS", "NSE", token="2953217::::11536", brsymbol="TCS", brexchange="NSE"),
]
ORDER = {
    "order_id": "261127000000001",
    "tradingsymbol": "SBIN",
    "exchange": "NSE",
    "transaction_type": "BUY",
    "quantity": 10,
    "price": 800.05,
    "trigger_price": 0,
    "disclosed_quantity": 0,
    "order_type": "LIMIT",
    "product": "MIS",
    "status": "OPEN",
    "filled_quantity": 0,
    "pending_quantity": 10,
    "average_price": 0,
    "order_timestamp": "2026-11-27 10:00:00",
    "tag": "Otag1",
}
ODD_ORDERS: dict[str, dict[str, Any]] = {
    "text NaN": {"price": "NaN"},
    "bare NaN": {"average_price": float("nan")},
    "infinity": {"trigger_price": float("inf")},
    "no number": {"quantity": "ten"},
    "beyond sense": {"quantity": 10**30},
    "half a share": {"quantity": 1.5},
    "nanoseconds": {"order_timestamp": 1764216000000000000},
    "nanoseconds as text": {"order_timestamp": "1764216000000000000"},
    "unknown date form": {"order_timestamp": "Friday noon"},
    "a list for a number": {"price": [1]},
    "no id": {"order_id": None},
    "empty id": {"order_id": ""},
    "no status": {"status": None},
    "no quantity": {"quantity": None},
    "no side": {"transaction_type": ""},
    "no symbol": {"tradingsymbol": None},
}


def api_of(body: Any, broker: Any = KITE, seen: list[bytes] | None = None) -> Any:
    """An adapter whose every request is answered with ``body``; ``seen`` gets their contents."""

    async def serve(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request.content)
        return httpx.Response(200, content=json.dumps(body))  # writes NaN as some servers do

    session = Session(
        {"api_key": "k", "access_token": "t", "rest_url": "http://x", "served_intervals": "D"}
    )
    session.open = True
    rest = RestClient(broker.spec, session, CLOCK, transport=httpx.MockTransport(serve))
    return broker.api(broker.spec, rest, BrokerIndex(ROWS), CLOCK)


def good(data: Any) -> dict[str, Any]:
    return {"status": "success", "data": data}


@pytest.mark.parametrize("name", ODD_ORDERS)
async def test_an_odd_order_row_costs_that_row_only(name: str) -> None:
    odd = ORDER | {"order_id": "261127000000002"} | ODD_ORDERS[name]
    orders = await api_of(good([ORDER, odd, ORDER | {"order_id": "3"}])).orders()
    assert isinstance(orders, BookRows)
    assert [order.order_id for order in orders] == ["261127000000001", "3"]
    assert len(orders.unreadable) == 1 and orders.partial
    assert orders.unreadable[0].startswith("order ")


async def test_a_whole_book_is_not_partial() -> None:
    orders = await api_of(good([ORDER])).orders()
    assert (len(orders), orders.partial, orders.unreadable) == (1, False, ())


async def test_what_is_no_row_is_told_too() -> None:
    orders = await api_of(good([ORDER, None, "text", 5])).orders()
    assert len(orders) == 1 and len(orders.unreadable) == 3


async def test_what_is_no_list_is_no_empty_book() -> None:
    with pytest.raises(ProtocolError):
        await api_of(good({"orders": "gone"})).orders()
    assert await api_of(good(None)).orders() == []


async def test_it_is_said_once_and_names_field_and_order(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    api = api_of(good([ORDER | {"price": "NaN"}]))
    for _ in range(3):
        await api.orders()
    said = [r.getMessage() for r in caplog.records if "unreadable" in r.getMessage()]
    assert len(said) == 1
    assert "261127000000001" in said[0] and "price" in said[0] and "'NaN'" in said[0]


async def test_an_odd_push_is_dropped_and_the_book_is_asked() -> None:
    api = api_of(good([]))
    gateway = KitGateway(KITE.spec, api, CLOCK, lambda: None)
    told: list[OrderUpdate] = []
    asked: list[bool] = []
    gateway.set_listener(told.append)
    gateway.on_odd_push = lambda: asked.append(True)
    gateway.pushed(ORDER | {"filled_quantity": "NaN"})
    assert (told, asked) == ([], [True])
    gateway.pushed(ORDER)
    assert [update.order.order_id for update in told] == ["261127000000001"]


@pytest.mark.parametrize(
    ("book", "row", "wrong"),
    [
        (
            "trades",
            ORDER | {"trade_id": "7", "average_price": 800.0},
            [{"average_price": None}, {"quantity": "NaN"}, {"fill_timestamp": 10**19}],
        ),
        (
            "holdings",
            {"tradingsymbol": "SBIN", "exchange": "NSE", "quantity": 4, "average_price": 1.5},
            [{"quantity": None}, {"average_price": float("nan")}, {"t1_quantity": "?"}],
        ),
    ],
)
async def test_the_other_books(book: str, row: dict[str, Any], wrong: list[Any]) -> None:
    data = good([row, *(row | change for change in wrong)])
    rows = await getattr(api_of(data), book)()
    assert (len(rows), len(rows.unreadable)) == (1, len(wrong))


POSITION = {
    "tradingsymbol": "SBIN",
    "exchange": "NSE",
    "product": "MIS",
    "quantity": 5,
    "average_price": 800.0,
    "last_price": 801.0,
    "pnl": 5.0,
    "multiplier": 1,
}


async def test_positions_and_money_with_an_odd_position() -> None:
    odd = POSITION | {"quantity": "NaN"}
    nameless = POSITION | {"product": None}
    positions = await api_of(good({"net": [POSITION, odd, nameless]})).positions()
    assert (len(positions), len(positions.unreadable)) == (1, 2)
    flat = POSITION | {"quantity": 0, "average_price": None}
    assert not (await api_of(good({"net": [flat]})).positions()).partial
    # An amount that cannot be read is not 0: the whole answer about money is refused.
    with pytest.raises(ProtocolError):
        await api_of(good({"equity": {"net": "NaN"}, "net": []})).funds()


async def test_an_odd_quote_is_the_error_of_its_instrument() -> None:
    data = {"NSE:SBIN": {"last_price": 800.5}, "NSE:TCS": {"last_price": float("nan")}}
    answers = await api_of(good(data)).quotes([("NSE", "SBIN"), ("NSE", "TCS")])
    sbin = answers["NSE", "SBIN"]
    assert isinstance(sbin, Tick) and sbin.ltp == 800.5
    assert isinstance(answers["NSE", "TCS"], DataError)
    remote = {"status": "success", "results": ["?", {"symbol": "SBIN", "exchange": "NSE"}]}
    answers = await api_of(remote, OPENALGO).quotes([("NSE", "SBIN")])
    assert isinstance(answers["NSE", "SBIN"], DataError)


async def test_a_quote_without_a_price_has_no_price_of_0() -> None:
    answers = await api_of(good({"NSE:SBIN": {"volume": 5}})).quotes([("NSE", "SBIN")])
    tick = answers["NSE", "SBIN"]
    assert isinstance(tick, Tick) and tick.volume == 5 and tick.unknown & Part.LTP
    answers = await api_of(good({"NSE:SBIN": {"last_price": 0}})).quotes([("NSE", "SBIN")])
    tick = answers["NSE", "SBIN"]
    assert isinstance(tick, Tick) and not tick.unknown & Part.LTP  # said in so many words


@pytest.mark.parametrize("answer", [7, [None], {"NSE:SBIN": 7, "NSE:TCS": [7]}])
async def test_quotes_in_another_form_are_an_error_that_callers_know(answer: Any) -> None:
    class Rash(KITE.api):  # type: ignore[misc,name-defined]
        async def quote_call(self, batch: Any) -> Any:
            data = await self.rest.op("quotes", {"keys": ["NSE:SBIN"]})
            return {("NSE", "SBIN"): dict(data["NSE:SBIN"].items())}

    made = msgspec.structs.replace(KITE, api=Rash)
    with pytest.raises(ProtocolError, match="quotes that cannot be read"):
        await api_of(good(answer), made).quotes([("NSE", "SBIN"), ("NSE", "TCS")])


async def test_an_odd_candle_is_left_out() -> None:
    candles = [["2026-11-26T00:00:00+0530", 1, 2, 1, 2, 10], ["x", 1, 2, 1, 2, 10]]
    candles.append(["2026-11-27T00:00:00+0530", 1, "NaN", 1, 2, 10])
    day = CLOCK.now().date()
    bars = await api_of(good({"candles": candles})).history(("NSE", "SBIN"), Interval.DAY, day, day)
    assert len(bars) == 1
    rows = [{"timestamp": 1, "open": 1, "high": 2, "low": 1, "close": 2}, {"timestamp": 2}]
    bars = await api_of(good(rows), OPENALGO).history(("NSE", "SBIN"), Interval.DAY, day, day)
    assert bars.time.tolist() == [1]


async def test_an_odd_trigger_is_left_out() -> None:
    gtts = await api_of(good([{"status": "active", "id": 7}, {"status": "deleted"}])).gtt_orders()
    assert gtts == [] and len(gtts.unreadable) == 1


def test_odd_master_rows(tmp_path: Any) -> None:
    head = (
        "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,"
        "tick_size,lot_size,instrument_type,segment,exchange\n"
    )
    line = "{0},{0},S{0},S{0},0,,0,{1},{2},EQ,NSE,NSE\n"
    rows = [line.format(n, "0.05", 1) for n in range(500)]
    rows += [line.format(900, "nan", 1), line.format(901, "inf", 1), line.format(902, "0.05", -4)]
    path = tmp_path / "instruments.csv"
    path.write_text(head + "".join(rows))
    master = KITE.spec.master
    assert len(read_file(master, master.files[0], path)) == 500


@pytest.mark.parametrize("value", ["NaN", "inf", "x", float("nan"), 10**40, "1e99", {}, True])
def test_numbers_are_read_or_refused(value: Any) -> None:
    with pytest.raises(OddValue):
        number(value)


def test_absent_values_are_zero() -> None:
    assert [number(value) for value in (None, "", "-", "NA", "null")] == [0.0] * 5
    assert (number("1,234.50"), count("12.0"), count(7)) == (1234.5, 12, 7)


@pytest.mark.parametrize(
    "value", ["Friday", 10**18, "20261127101010123456", "17001122334455", "99-99-9999 10:00:00", -5]
)
def test_times_are_read_or_refused(value: Any) -> None:
    with pytest.raises(OddValue):
        moment(value, CLOCK)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (1795757400, datetime(2026, 11, 27, 11, 0, tzinfo=IST)),
        ("1795757400000", datetime(2026, 11, 27, 11, 0, tzinfo=IST)),
        (1795757400.5, datetime(2026, 11, 27, 11, 0, 0, 500_000, tzinfo=IST)),
        ("10:15:00", datetime(2026, 11, 27, 10, 15, tzinfo=IST)),
        ("27-11-2026 11:00:00", datetime(2026, 11, 27, 11, 0, tzinfo=IST)),
        ("2026-11-27T05:30:00+00:00", datetime(2026, 11, 27, 11, 0, tzinfo=IST)),
        ("0001-01-01T00:00:00Z", None),
        ("01-Jan-1970 05:30:00", None),
        ("1970-01-01T00:00:00Z", None),
        ("01-Jan-1980 00:00:00", None),
        ("0000-00-00 00:00:00", None),
        (None, None),
        ("-", None),
    ],
)
def test_times(value: Any, wanted: datetime | None) -> None:
    assert moment(copy.copy(value), CLOCK) == wanted


async def test_what_is_held_and_left_the_master_goes_out_as_the_book_names_it() -> None:
    """Only after the position book has told of it: nothing else is known of it."""
    held = {
        "tradingsymbol": "CRUDEOIL26NOVFUT",
        "instrument_token": 1,
        "exchange": "MCX",
        "product": "NRML",
        "quantity": 2,
        "average_price": 5210.0,
        "last_price": 5200.0,
        "pnl": 0,
    }
    sent: list[bytes] = []
    api = api_of(good({"net": [held], "order_id": "261127000000009"}), seen=sent)
    order = OrderRequest("CRUDEOIL26NOVFUT", "MCX", Action.SELL, 200, product=Product.NRML)
    with pytest.raises(SymbolUnknown):
        await api.place(order, "T1")
    (row,) = await api.positions()
    sent.clear()
    await api.place(order, "T1")
    assert row.quantity == 200  # in units: 100 barrels each
    assert b"quantity=2&" in sent[0] and b"tradingsymbol=CRUDEOIL26NOVFUT" in sent[0]


@pytest.mark.parametrize("text", ["OPEN PENDING", "Open Pending", " open pending "])
async def test_a_status_settles_however_it_is_spelled(text: str) -> None:
    (order,) = await api_of(good([ORDER | {"status": text}])).orders()
    assert order.settling


@pytest.mark.parametrize("data", [None, [], [{"total": None}], [{"total": 5.0}, {}]])
async def test_a_margin_that_is_not_told_is_not_nothing(data: Any) -> None:
    with pytest.raises(DataError, match="told no margin"):
        api_of(good([])).read_margin(data)
    assert api_of(good([])).read_margin([{"total": 5.0}, {"total": 0}]).total == 5.0
