"""What an account of Dhan does beyond the contract, against the emulator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from openalgo_desktop.core.enums import (
    AccountState,
    Action,
    FeedMode,
    GttType,
    Interval,
    PriceType,
    Product,
)
from openalgo_desktop.core.errors import (
    BadCredentials,
    InvalidOrder,
    NotSupported,
    OrderStateUnknown,
    ProtocolError,
    RejectedByBroker,
    SessionExpired,
)
from openalgo_desktop.core.gtt import GttRequest
from openalgo_desktop.core.model import OrderRequest
from tests.contract.rig import Rig, open_rig
from tests.emulators.dhan import CLIENT, CODE, PIN, TOTP_SECRET, DhanEmulator, DhanError
from tests.waiting import until


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with open_rig("dhan", tmp_path) as opened:
        await opened.login()
        yield opened


def emulator(rig: Rig) -> DhanEmulator:
    assert isinstance(rig.emulator, DhanEmulator)
    return rig.emulator


def fails(rig: Rig, path: str, error: DhanError) -> None:
    """The next answer there is this error."""
    emulator(rig).errors.append((path, error))


# -- logins ---------------------------------------------------------------------------------
async def test_pin_and_code_and_a_pasted_token_and_its_renewal(rig: Rig) -> None:
    account, one = rig.account, emulator(rig)
    await account.login({"client_id": CLIENT, "pin": PIN, "totp": CODE}, login_id="totp")
    assert account.status.client_id == CLIENT
    with pytest.raises(BadCredentials):
        await account.login({"pin": "000000", "totp": CODE}, login_id="totp")
    pasted = one.new_access_token()
    await account.login({"client_id": CLIENT, "access_token": pasted}, login_id="token")
    assert account.session.get("access_token") == pasted and account.session.ends is not None
    await account.login({}, login_id="renew")
    renewed = account.session.get("access_token")
    assert renewed != pasted and pasted not in one._tokens
    assert await rig.gateway.orders() == []
    await account.logout()
    with pytest.raises(BadCredentials, match="no token to renew"):
        await account.login({}, login_id="renew")


async def test_with_the_secret_of_its_codes_it_logs_in_alone(rig: Rig) -> None:
    account = rig.account
    given = {"client_id": CLIENT, "pin": PIN, "totp_secret": TOTP_SECRET}
    await account.login(given, login_id="totp")
    ends = account.session.ends
    assert ends is not None
    await account.disconnect()
    rig.clock.jump(ends + timedelta(minutes=1))
    await account.connect()
    assert account.status.state is AccountState.CONNECTED
    assert account.session.ends is not None and account.session.ends > ends
    assert await rig.gateway.orders() == []


# -- errors ---------------------------------------------------------------------------------
async def test_data_errors_have_numbers_and_sentences(rig: Rig) -> None:
    key = rig.row("NSE").key
    quote = "/v2/marketfeed/quote"
    fails(rig, quote, DhanError(400, "806", "Data APIs not Subscribed"))
    with pytest.raises(NotSupported, match="not Subscribed"):
        await rig.account.market.quotes([key])
    assert rig.account.status.state is AccountState.CONNECTED
    fails(rig, quote, DhanError(401, "807", "Access token expired"))
    with pytest.raises(SessionExpired, match="expired"):
        await rig.account.market.quotes([key])


async def test_no_candles_is_no_error(rig: Rig) -> None:
    words = "System is unable to fetch data due to incorrect parameters or no data present"
    fails(rig, "/v2/charts", DhanError(400, "DH-907", words))
    day = rig.clock.now().date()
    bars = await rig.account.market.history(rig.row("NSE").key, Interval.M5, day, day)
    assert len(bars) == 0
    with pytest.raises(ProtocolError, match="values missing"):
        rig.account.api.source_rows("candle", {"timestamp": [1, 2], "open": [1.0]})


async def test_an_error_in_place_of_a_book_is_no_empty_book(rig: Rig) -> None:
    fails(rig, "/v2/orders", DhanError(200, "DH-905", "Something is wrong"))
    with pytest.raises(Exception, match="Something is wrong"):
        await rig.gateway.orders()


# -- prices of books --------------------------------------------------------------------------
async def test_positions_and_holdings_get_prices_in_one_batch(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = emulator(rig)
    for name in ("SBIN", "INFY"):
        request = OrderRequest(name, "NSE", Action.BUY, 3, PriceType.MARKET, Product.MIS)
        await rig.gateway.place(request, f"O{name}")

    about = [one._about(("NSE", name)) for name in ("SBIN", "TCS")]
    book: dict[str, Any] = {}
    rows = await rig.account.rest.op("positions")
    book["positions"] = [{**row, "unrealizedProfit": 0.0} for row in rows]
    book["holdings"] = [
        {**row, "exchange": "ALL", "totalQty": 7, "t1Qty": 2, "avgCostPrice": 10.0} for row in about
    ]

    async def op(name: str, context: Any = None) -> Any:
        return book.get(name) or await call(name, context)

    call = rig.account.rest.op
    monkeypatch.setattr(rig.account.rest, "op", op)
    positions = await rig.gateway.positions()
    assert len(positions) == 2 and all(row.ltp > 0 for row in positions)
    assert all(abs(row.pnl) < 0.01 for row in positions)  # the broker's result stays
    assert one.calls("POST", "/v2/marketfeed/quote") == 1
    holdings = await rig.gateway.holdings()
    assert [(row.quantity, row.t1_quantity, row.exchange) for row in holdings] == [
        (7, 2, "NSE"), (7, 2, "NSE"),
    ]  # fmt: skip
    assert all(row.ltp > 0 for row in holdings)
    assert one.calls("POST", "/v2/marketfeed/quote") == 2
    fails(rig, "/v2/marketfeed/quote", DhanError(400, "806", "Data APIs not Subscribed"))
    assert [row.quantity for row in await rig.gateway.positions()] == [3, 3]


# -- forever orders ---------------------------------------------------------------------------
def pair(**changes: Any) -> GttRequest:
    values: dict[str, Any] = {
        "trigger_type": GttType.OCO, "symbol": "SBIN", "exchange": "NSE", "action": Action.SELL,
        "quantity": 5, "trigger_below": 700.0, "trigger_above": 900.0, "stoploss": 699.0,
        "target": 901.0,
    }  # fmt: skip
    return GttRequest(**{**values, **changes})


async def test_a_pair_is_changed_leg_by_leg_and_says_where_it_stopped(rig: Rig) -> None:
    ack = await rig.gateway.gtt_place(pair(), "O1")
    await rig.gateway.gtt_modify(ack.order_id, pair(stoploss=698.0, target=902.0))
    (book,) = await rig.gateway.gtt_orders()
    assert [(leg.price, leg.below) for leg in book.legs] == [(698.0, True), (902.0, False)]
    with pytest.raises(RejectedByBroker, match="not found") as caught:
        await rig.gateway.gtt_modify("1", pair())
    assert "was changed" not in caught.value.message
    real = emulator(rig)._forever[ack.order_id]
    target = real.pop("TARGET_LEG")
    with pytest.raises(RejectedByBroker, match="stop-loss leg was changed, the target leg was not"):
        await rig.gateway.gtt_modify(ack.order_id, pair(stoploss=697.0))
    real["TARGET_LEG"] = target
    emulator(rig).faults.lose_acks = 1
    with pytest.raises(OrderStateUnknown):
        await rig.gateway.gtt_modify(ack.order_id, pair())
    with pytest.raises(InvalidOrder):
        await rig.gateway.gtt_place(pair(trigger_below=950.0), "O2")


# -- feeds ----------------------------------------------------------------------------------
@pytest.mark.parametrize("levels", [20, 200])
async def test_deeper_books_come_from_sockets_of_their_own(rig: Rig, levels: int) -> None:
    row = rig.row("NSE")
    assert rig.account.market.depth_levels == (5, 20, 200)
    await rig.account.market.subscribe({row.key: FeedMode.DEPTH})
    await until(lambda: any(t.depth for t in rig.ticks), "the usual book")
    end = rig.account.market.deepen(row.key, levels)

    def deep() -> bool:
        return any(t.depth and len(t.depth.buy) == len(t.depth.sell) == levels for t in rig.ticks)

    await until(deep, "the deeper book")
    rig.ticks.clear()
    await until(lambda: len(rig.ticks) > 20, "more ticks")
    assert {len(t.depth.buy) for t in rig.ticks if t.depth} == {levels}  # they take no turns
    assert all(t.close > 0 for t in rig.ticks if t.ltp)
    end()
    await until(
        lambda: all(
            row.key not in socket.modes or not emulator(rig)._deep.get(socket)
            for socket in rig.emulator.sockets
        ),
        "the end of the deeper book",
    )
