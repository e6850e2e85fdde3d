"""What can go wrong at Dhan between the answers: refusals with a good status, odd rows, halves of
books, prices that do not come."""

from __future__ import annotations

import asyncio
import random
import struct
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from openalgo_desktop.brokers.families.dhanhq import api as dhan_api
from openalgo_desktop.brokers.families.dhanhq.depth import DepthCodec
from openalgo_desktop.brokers.families.dhanhq.feed import ended
from openalgo_desktop.brokers.kit.feed.codec import Failure
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.conversion import ConvertRequest
from openalgo_desktop.core.enums import (
    AccountState,
    Action,
    FeedMode,
    GttType,
    Interval,
    OrderStatus,
    PriceType,
    Product,
)
from openalgo_desktop.core.errors import (
    AppError,
    BadCredentials,
    DataError,
    OrderStateUnknown,
    ProtocolError,
    RejectedByBroker,
)
from openalgo_desktop.core.gtt import GttRequest
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.core.ticks import Tick
from tests.contract.rig import Rig, open_rig
from tests.emulators.dhan import CLIENT, CODE, PIN, TOTP_SECRET, DhanEmulator, DhanError
from tests.unit.brokers.dhanhq.dhan_frames import book, index, row
from tests.waiting import until


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with open_rig("dhan", tmp_path) as opened:
        await opened.login()
        yield opened


def emulator(rig: Rig) -> DhanEmulator:
    assert isinstance(rig.emulator, DhanEmulator)
    return rig.emulator


def answers(rig: Rig, monkeypatch: pytest.MonkeyPatch, said: Mapping[str, Any]) -> None:
    """Operations of these names are answered with this."""
    call = rig.account.rest.op

    async def op(name: str, context: Any = None) -> Any:
        answer = said[name] if name in said else await call(name, context)
        if isinstance(answer, AppError):
            raise answer
        return answer

    monkeypatch.setattr(rig.account.rest, "op", op)


class Words(DhanError):
    """An answer of its own with a good status."""

    def __init__(self, said: dict[str, Any]) -> None:
        super().__init__(200, "", "")
        self.said = said

    @property
    def body(self) -> dict[str, Any]:
        return self.said


# -- logins ---------------------------------------------------------------------------------
async def test_a_refused_code_with_a_good_status_is_a_refusal(rig: Rig) -> None:
    refusal = Words({"status": "error", "message": f"Invalid Pin {PIN}"})
    emulator(rig).errors.append(("/app/generateAccessToken", refusal))
    with pytest.raises(BadCredentials, match="Invalid Pin") as caught:
        await rig.account.login({"client_id": CLIENT, "pin": PIN, "totp": CODE}, login_id="totp")
    assert PIN not in str(caught.value)


async def test_a_renewal_without_a_token_does_not_keep_the_dead_one(rig: Rig) -> None:
    account, one = rig.account, emulator(rig)
    one.errors.append(("/v2/RenewToken", Words({"status": "error"})))
    with pytest.raises(ProtocolError, match="gave no access_token"):
        await account.login({}, login_id="renew")


# -- books ----------------------------------------------------------------------------------
async def test_a_holding_is_the_share_of_its_own_exchange(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An id of the one exchange may be that of another share at the other."""
    one, listed = rig.account.index.require("SBIN", "NSE"), rig.row("BSE")
    rows = [
        {"tradingSymbol": listed.brsymbol, "securityId": listed.token, "exchange": "BSE"},
        {"tradingSymbol": listed.brsymbol, "securityId": listed.token, "exchange": "ALL"},
        {"tradingSymbol": one.brsymbol, "securityId": one.token, "exchange": "ALL"},
        {"tradingSymbol": one.brsymbol, "securityId": one.token, "exchange": "NSE_EQ"},
    ]
    book = [{**each, "totalQty": 3, "t1Qty": 1, "avgCostPrice": 5.0} for each in rows]
    book.append({**book[0], "totalQty": None})
    by_token = rig.account.index.by_token

    def found(token: str, exchange: str) -> Any:  # the BSE share's id is a share of NSE too
        return one if (token, exchange) == (listed.token, "NSE") else by_token(token, exchange)

    monkeypatch.setattr(rig.account.index, "by_token", found)
    answers(rig, monkeypatch, {"holdings": book})
    held = await rig.gateway.holdings()
    assert [(h.exchange, h.symbol, h.quantity) for h in held] == [
        ("BSE", listed.symbol, 3), ("BSE", listed.symbol, 3),
        ("NSE", one.symbol, 3), ("NSE", one.symbol, 3),
    ]  # fmt: skip
    assert len(held.unreadable) == 1 and "quantity is missing" in held.unreadable[0]


async def test_positions_do_not_wait_for_quotes(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    about = emulator(rig)._about(("NSE", "SBIN"))
    held = {**about, "productType": "INTRADAY", "netQty": 5, "costPrice": 10.0}

    async def never(batch: Any) -> Any:
        await asyncio.Event().wait()

    answers(rig, monkeypatch, {"positions": [held]})
    monkeypatch.setattr(rig.account.api, "quotes", never)
    monkeypatch.setattr(dhan_api, "_PATIENCE", 0.01)
    positions = await asyncio.wait_for(rig.gateway.positions(), 60)
    assert [(p.quantity, p.ltp) for p in positions] == [(5, 0.0)]


async def test_without_a_data_plan_books_do_not_ask_again_and_again(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, quote = emulator(rig), "/v2/marketfeed/quote"
    held = {**one._about(("NSE", "SBIN")), "productType": "INTRADAY", "netQty": 5, "costPrice": 9.0}
    answers(rig, monkeypatch, {"positions": [held]})
    one.errors.append((quote, DhanError(400, "806", "Data APIs not Subscribed")))
    for _ in range(3):
        assert [(p.quantity, p.ltp) for p in await rig.gateway.positions()] == [(5, 0.0)]
    assert one.calls("POST", quote) == 1
    assert isinstance(rig.account.api, dhan_api.DhanApi)
    rig.account.api._unpriced -= 601  # ten minutes later
    assert [p.ltp > 0 for p in await rig.gateway.positions()] == [True]


async def test_a_refused_conversion_is_one_whatever_its_status(rig: Rig) -> None:
    request = ConvertRequest("SBIN", "NSE", Action.BUY, 1, Product.MIS, Product.CNC)
    error = DhanError(200, "DH-906", "No such position")
    emulator(rig).errors.append(("/v2/positions/convert", error))
    with pytest.raises(RejectedByBroker, match="No such position"):
        await rig.gateway.convert(request, "O1")


# -- orders ---------------------------------------------------------------------------------
def order() -> OrderRequest:
    return OrderRequest("SBIN", "NSE", Action.BUY, 3, PriceType.LIMIT, Product.MIS, price=700.0)


@pytest.mark.parametrize(
    "said",
    [
        {"orderId": "1", "orderStatus": "NEW"},
        {"orderId": "1", "orderStatus": "Pending"},
        {"orderId": "1"},
        {"orderStatus": "PENDING"},
        {},
    ],
)
async def test_an_order_of_a_state_that_nobody_knows_is_not_refused(
    rig: Rig, said: dict[str, Any]
) -> None:
    """Who is told of a refusal sends it again, and has two."""
    emulator(rig).errors.append(("/v2/orders", Words(said)))
    with pytest.raises(OrderStateUnknown) as caught:
        await rig.gateway.place(order(), "OTAG")
    assert caught.value.tag == "OTAG"


async def test_an_order_that_is_rejected_at_once_has_its_id(rig: Rig) -> None:
    emulator(rig).errors.append(("/v2/orders", Words({"orderId": "1", "orderStatus": "REJECTED"})))
    assert (await rig.gateway.place(order(), "OTAG")).order_id == "1"


@pytest.mark.parametrize("said", [None, {}, {"availabelBalance": None}, {"availabelBalance": "x"}])
async def test_money_that_nobody_tells_is_not_0(rig: Rig, said: Any) -> None:
    emulator(rig).errors.append(("/v2/fundlimit", Words(said)))
    with pytest.raises(ProtocolError if said and said["availabelBalance"] else DataError):
        await rig.gateway.funds()


@pytest.mark.parametrize("said", [{}, {"errorCode": "DH-905", "errorMessage": "Wrong dates"}])
async def test_an_error_in_place_of_candles_is_no_empty_chart(
    rig: Rig, said: dict[str, Any]
) -> None:
    emulator(rig).errors.append(("/v2/charts", Words(said)))
    day = rig.clock.now().date()
    with pytest.raises(ProtocolError, match=said.get("errorMessage", "no candles")):
        await rig.account.market.history(("NSE", "SBIN"), Interval.M5, day, day)


@pytest.mark.parametrize(
    ("filled", "status"), [(0, OrderStatus.TRIGGER_PENDING), (4, OrderStatus.OPEN)]
)
def test_a_stop_that_is_filled_in_part_waits_for_no_trigger(
    rig: Rig, filled: int, status: OrderStatus
) -> None:
    row = {
        **emulator(rig)._about(("NSE", "SBIN")), "orderId": "9", "orderStatus": "PENDING",
        "transactionType": "BUY", "productType": "INTRADAY", "orderType": "STOP_LOSS",
        "quantity": 10, "filledQty": filled, "price": 5.0, "triggerPrice": 4.0,
    }  # fmt: skip
    assert [order.status for order in rig.account.api.read_orders([row])] == [status]


# -- forever orders ---------------------------------------------------------------------------
def trigger(**changes: Any) -> GttRequest:
    values: dict[str, Any] = {
        "trigger_type": GttType.OCO, "symbol": "SBIN", "exchange": "NSE", "action": Action.SELL,
        "quantity": 5, "trigger_below": 700.0, "trigger_above": 900.0, "stoploss": 699.0,
        "target": 901.0,
    }  # fmt: skip
    return GttRequest(**{**values, **changes})


async def test_odd_rows_cost_no_other_trigger(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    await rig.gateway.gtt_place(trigger(), "O1")
    rows = await rig.account.rest.op("gtt_orders")
    lost = {**rows[0], "orderId": None}
    answers(rig, monkeypatch, {"gtt_orders": [None, "odd", lost, {**lost}, *rows]})
    found = await rig.gateway.gtt_orders()
    assert len(found) == 1 and len(found.unreadable) == 4


async def test_of_a_pair_half_changed_the_message_says_which(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    ack = await rig.gateway.gtt_place(trigger(), "O1")
    call, sent = rig.account.rest.op, []

    async def op(name: str, context: Any = None) -> Any:
        sent.append(name)
        if sent.count("gtt_modify") == 2:
            raise OrderStateUnknown("No answer.", tag="")
        return await call(name, context)

    monkeypatch.setattr(rig.account.rest, "op", op)
    with pytest.raises(OrderStateUnknown, match="stop-loss leg was changed, of the target leg"):
        await rig.gateway.gtt_modify(ack.order_id, trigger(stoploss=698.0))


async def test_a_single_trigger_of_elsewhere_gets_its_side_by_the_price(rig: Rig) -> None:
    """A sale above the price (a target) waits for a rise."""
    key = ("NSE", "SBIN")
    tick = (await rig.account.market.quotes([key]))[key]
    assert isinstance(tick, Tick)
    one = trigger(
        trigger_type=GttType.SINGLE, trigger_below=None, stoploss=None, target=None,
        trigger_above=round(tick.ltp * 1.1, 0), price=round(tick.ltp * 1.1, 0),
    )  # fmt: skip
    await rig.gateway.gtt_place(one, "O1")
    assert [leg.below for gtt in await rig.gateway.gtt_orders() for leg in gtt.legs] == [False]
    assert isinstance(rig.account.api, dhan_api.DhanApi)
    rig.account.api._below.clear()  # after a restart
    assert [leg.below for gtt in await rig.gateway.gtt_orders() for leg in gtt.legs] == [False]


# -- feeds ----------------------------------------------------------------------------------
def test_half_a_book_of_before_is_no_half_of_a_later_one() -> None:
    clock = ManualClock(datetime(2026, 12, 1, 11, 0, tzinfo=IST))
    codec, rng = DepthCodec(index([(1, 7)]), clock), random.Random(1)
    key = row(1, 7).key
    first, later = book(20, 1, 7, rng), book(20, 1, 7, rng)
    half = len(first) // 2
    codec.subscribe({key: FeedMode.DEPTH})
    assert codec.decode(first[:half]) == []
    codec.unsubscribe([key])
    codec.subscribe({key: FeedMode.DEPTH})
    assert codec.decode(later[half:]) == []  # a book has both sides
    (tick,) = codec.decode(later[:half])
    assert isinstance(tick, Tick) and tick.depth is not None
    assert tick.bid == struct.unpack_from("<d", later, 12)[0]


def test_an_odd_price_costs_its_own_book_only() -> None:
    clock = ManualClock(datetime(2026, 12, 1, 11, 0, tzinfo=IST))
    codec, rng = DepthCodec(index([(1, 7), (1, 8)]), clock), random.Random(1)
    codec.subscribe({row(1, number).key: FeedMode.DEPTH for number in (7, 8)})
    odd, good = bytearray(book(20, 1, 7, rng)), book(20, 1, 8, rng)
    half = len(odd) // 2
    struct.pack_into("<d", odd, half + 12, float("nan"))
    failure, tick = codec.decode(bytes(odd) + good)
    assert isinstance(failure, Failure) and "no number" in failure.error.message
    assert isinstance(tick, Tick) and tick.symbol == row(1, 8).symbol
    assert codec.decode(bytes(odd[:half])) == []  # its bids stand alone


async def test_why_the_feed_ends_is_told(rig: Rig) -> None:
    assert ended(806).ends and ended(805).ends
    await until(lambda: rig.account.status.state is AccountState.CONNECTED, "the feed")
    await rig.account.market.subscribe({rig.row("NSE").key: FeedMode.LTP})
    said: list[str] = []
    rig.account.set_status_listener(lambda status: said.append(status.message))
    head = struct.pack("<BHBIH", 50, 10, 0, 0, 806)
    sockets = [s for s in emulator(rig).sockets if not emulator(rig)._deep.get(s)]
    for socket in sockets:
        if not socket.orders:
            await socket.send(head)
    await until(lambda: any("data plan" in text for text in said), "the reason")


async def test_an_unanswered_code_is_tried_later(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """That the next way to log in has nothing to go by is no refusal."""
    account = rig.account
    given = {"client_id": CLIENT, "pin": PIN, "totp_secret": TOTP_SECRET}
    await account.login(given, login_id="totp")
    assert account.session.ends is not None
    emulator(rig).errors.append(("/app/generateAccessToken", DhanError(503, "DH-909", "Down")))
    rig.clock.jump(account.session.ends + timedelta(minutes=1))
    account._expired("")
    assert not await account._unattended()
    assert account._relogin  # it is tried again, minutes later
    assert await account._unattended()
