"""Market-price protection and slices below the freeze quantity."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from openalgo_desktop.core.enums import Action, Exchange, PriceType, Product
from openalgo_desktop.core.errors import InvalidOrder, NetTimeout, NoPrice
from openalgo_desktop.core.model import Instrument, OrderRequest
from openalgo_desktop.core.protection import ALWAYS, protect, protected_price, protection_percent
from openalgo_desktop.core.ticks import Part, Tick
from openalgo_desktop.core.traits import Traits
from openalgo_desktop.trading import policies as policies_module
from openalgo_desktop.trading.policies import OrderPolicies

EQUITY = Instrument("SBIN", "NSE", tick_size=0.05)
OPTION = Instrument(
    "NIFTY29DEC2626000CE",
    "NFO",
    instrument_type="CE",
    lot_size=75,
    tick_size=0.05,
    freeze_qty=1800,
)
ORDER = OrderRequest("SBIN", "NSE", Action.BUY, 10, PriceType.MARKET, Product.MIS)


class Prices:
    """A source with one price."""

    def __init__(self, ltp: float) -> None:
        self.ltp = ltp

    async def snapshot(self, key: tuple[str, str], need: int = Part.QUOTE) -> Tick:
        return Tick(key[1], key[0], self.ltp)


class Gateway:
    """A broker that takes market orders, or none."""

    def __init__(self, needs: bool) -> None:
        self.traits = Traits(protect=ALWAYS if needs else {})


def policies(ltp: float = 800.0, **values: Any) -> OrderPolicies:
    """Policies with these settings."""
    settings = {"trading.freeze_split": False, "trading.market_protection": "needed"}
    settings |= {f"trading.{name}": value for name, value in values.items()}
    return OrderPolicies(Prices(ltp), settings.__getitem__)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("price", "option", "percent"),
    [
        (99.95, False, 2.0),
        (100.0, False, 1.0),
        (499.95, False, 1.0),
        (500.0, False, 0.5),
        (9.95, True, 5.0),
        (10.0, True, 3.0),
        (100.0, True, 2.0),
        (500.0, True, 1.0),
    ],
)
def test_the_slabs(price: float, option: bool, percent: float) -> None:
    assert protection_percent(price, option) == percent


@pytest.mark.parametrize(
    ("price", "action", "row", "limit"),
    [
        (820.0, Action.BUY, EQUITY, 824.1),
        (820.0, Action.SELL, EQUITY, 815.9),
        (140.0, Action.SELL, OPTION, 137.2),
        (0.1, Action.BUY, OPTION, 0.15),
        (0.1, Action.SELL, OPTION, 0.05),
        (0.05, Action.SELL, OPTION, 0.05),
    ],
)
def test_limits_lie_on_the_tick_and_through_the_price(
    price: float, action: Action, row: Instrument, limit: float
) -> None:
    assert protected_price(price, action, row) == pytest.approx(limit)


@pytest.mark.parametrize(
    ("setting", "needs", "changed"),
    [
        ("never", True, False),
        ("needed", False, False),
        ("needed", True, True),
        ("always", False, True),
    ],
)
async def test_when_a_market_order_becomes_a_limit(
    setting: str, needs: bool, changed: bool
) -> None:
    gateway: Any = Gateway(needs)
    result = await policies(market_protection=setting).protect(ORDER, EQUITY, gateway)
    if changed:
        assert (result.price_type, result.price) == (PriceType.LIMIT, pytest.approx(804.0))
    else:
        assert result is ORDER


async def test_a_stop_market_is_protected_from_its_trigger() -> None:
    stop = msgspec.structs.replace(
        ORDER, price_type=PriceType.SLM, trigger_price=820.0, action=Action.SELL
    )
    gateway: Any = Gateway(True)
    result = await policies(ltp=900.0).protect(stop, EQUITY, gateway)
    assert (result.price_type, result.trigger_price) == (PriceType.SL, 820.0)
    assert result.price == pytest.approx(815.9)
    limit = msgspec.structs.replace(ORDER, price_type=PriceType.LIMIT, price=1.0)
    assert await policies().protect(limit, EQUITY, gateway) is limit
    with pytest.raises(InvalidOrder):
        await policies(ltp=0.0).protect(ORDER, EQUITY, gateway)


SEGMENTS = {
    PriceType.MARKET: frozenset({Exchange.NSE}),
    PriceType.SLM: frozenset({Exchange.NFO}),
}


@pytest.mark.parametrize(
    ("row", "kind", "setting", "sent"),
    [
        (EQUITY, PriceType.MARKET, "needed", PriceType.LIMIT),
        (EQUITY, PriceType.SLM, "needed", PriceType.SLM),
        (OPTION, PriceType.MARKET, "needed", PriceType.MARKET),
        (OPTION, PriceType.SLM, "needed", PriceType.SL),
        (OPTION, PriceType.MARKET, "always", PriceType.LIMIT),
        (EQUITY, PriceType.MARKET, "never", PriceType.MARKET),
        (EQUITY, PriceType.LIMIT, "always", PriceType.LIMIT),
    ],
)
async def test_the_rule_is_by_price_type_and_exchange(
    row: Instrument, kind: PriceType, setting: str, sent: PriceType
) -> None:
    gateway: Any = Gateway(True)
    gateway.traits = Traits(protect=SEGMENTS)
    order = OrderRequest(
        row.symbol, row.exchange, Action.BUY, 75, kind, Product.MIS, price=1.0, trigger_price=5.0
    )
    result = await policies(market_protection=setting).protect(order, row, gateway)
    assert result.price_type is sent


def test_the_end_of_a_symbol_says_nothing() -> None:
    """The reference takes RELIANCE for a call (1 %)."""
    reliance = msgspec.structs.replace(EQUITY, symbol="RELIANCE")
    order = msgspec.structs.replace(ORDER, symbol="RELIANCE")
    assert protect(order, reliance, 1400.0, ALWAYS).price == pytest.approx(1407.0)


async def test_a_change_that_keeps_the_type_is_held_to_the_brokers_rule_only() -> None:
    needs: Any = Gateway(True)
    free: Any = Gateway(False)
    always = policies(market_protection="always")
    assert (await always.protect(ORDER, EQUITY, free, retyped=False)).price_type is ORDER.price_type
    for gateway, retyped in ((needs, False), (needs, True), (free, True)):
        result = await always.protect(ORDER, EQUITY, gateway, retyped=retyped)
        assert result.price_type is PriceType.LIMIT


async def test_a_price_that_does_not_come_refuses_the_order() -> None:
    class Mute(Prices):
        async def snapshot(self, key: tuple[str, str], need: int = Part.QUOTE) -> Tick:
            raise NetTimeout("No answer.")

    ticks: Any = Mute(0.0)
    silent = OrderPolicies(ticks, {"trading.market_protection": "needed"}.__getitem__)
    gateway: Any = Gateway(True)
    with pytest.raises(InvalidOrder, match=r"No price of SBIN .* No answer\."):
        await silent.protect(ORDER, EQUITY, gateway)


def test_slices() -> None:
    big = OrderRequest(OPTION.symbol, "NFO", Action.BUY, 4500, PriceType.MARKET, Product.NRML)
    assert policies().split(big, OPTION) == [big]
    parts = policies(freeze_split=True).split(big, OPTION)
    assert [part.quantity for part in parts] == [1800, 1800, 900]
    assert {part.symbol for part in parts} == {OPTION.symbol}
    small = msgspec.structs.replace(big, quantity=75)
    assert policies(freeze_split=True).split(small, OPTION) == [small]
    with pytest.raises(InvalidOrder, match="not sent at once"):
        policies(freeze_split=True).split(
            msgspec.structs.replace(big, quantity=75 * 24 * 200), OPTION
        )


class Market:
    """A market that answers some, counts what it is asked, and may be over its limit."""

    def __init__(self, known: dict[tuple[str, str], Tick], limit: int = 100) -> None:
        self.known, self.limit, self.asked = known, limit, 0
        self.old: dict[tuple[str, str], Tick] = {}

    def fresh(self, key: tuple[str, str], need: int = 0, age: float | None = None) -> None:
        return None

    def latest(self, key: tuple[str, str]) -> Tick | None:
        return self.old.get(key)

    async def quotes(self, keys: Any) -> dict[Any, Any]:
        self.asked += 1
        if self.asked > self.limit:
            raise NetTimeout("rate limit")
        return {key: self.known.get(key, NetTimeout("nothing")) for key in keys}

    async def snapshot(self, key: tuple[str, str], need: int = 0) -> Tick:
        answer = (await self.quotes([key]))[key]
        if isinstance(answer, Exception):
            raise answer
        return answer


def over(market: Market) -> OrderPolicies:
    return OrderPolicies(market, {"trading.market_protection": "needed"}.__getitem__)  # type: ignore[arg-type]


async def test_exits_that_go_out_together_are_priced_in_one_question() -> None:
    rows = [Instrument(f"S{n}", "NSE", tick_size=0.05) for n in range(20)]
    market = Market({row.key: Tick(row.symbol, "NSE", 800.0) for row in rows}, limit=1)
    policy, gateway = over(market), Gateway(True)
    await policy.prepare([row.key for row in rows], {}, gateway)  # type: ignore[arg-type]
    for row in rows:
        order = msgspec.structs.replace(ORDER, symbol=row.symbol, action=Action.SELL)
        sent = await policy.protect(order, row, gateway, closing=True)  # type: ignore[arg-type]
        assert (sent.price_type, sent.price) == (PriceType.LIMIT, 796.0)
    assert market.asked == 1
    policy.prepared_over()
    with pytest.raises(NoPrice):
        await policy.protect(ORDER, EQUITY, gateway, closing=True)  # type: ignore[arg-type]


async def test_closings_of_two_modes_do_not_take_each_others_prices() -> None:
    rows = [Instrument(f"S{n}", "NSE", tick_size=0.05) for n in range(4)]
    market = Market({row.key: Tick(row.symbol, "NSE", 800.0) for row in rows}, limit=2)
    policy, gateway = over(market), Gateway(True)
    for some in (rows[:2], rows[2:]):
        await policy.prepare([row.key for row in some], {}, gateway)  # type: ignore[arg-type]
    policy.prepared_over()
    for row in rows:
        order = msgspec.structs.replace(ORDER, symbol=row.symbol, action=Action.SELL)
        sent = await policy.protect(order, row, gateway, closing=True)  # type: ignore[arg-type]
        assert sent.price == 796.0
    assert market.asked == 2
    policy.prepared_over()
    with pytest.raises(NoPrice):
        await policy.protect(ORDER, EQUITY, gateway, closing=True)  # type: ignore[arg-type]


async def test_an_exit_gets_out_with_an_old_price_and_no_other_order_does() -> None:
    market, gateway = Market({}), Gateway(True)
    policy = over(market)
    sell = msgspec.structs.replace(ORDER, action=Action.SELL)
    await policy.prepare([EQUITY.key], {EQUITY.key: 800.0}, gateway)  # type: ignore[arg-type]
    sent = await policy.protect(sell, EQUITY, gateway, closing=True)  # type: ignore[arg-type]
    assert sent.price == 788.0  # three times half a per cent
    market.old[EQUITY.key] = Tick("SBIN", "NSE", 810.0)
    sent = await policy.protect(sell, EQUITY, gateway, closing=True)  # type: ignore[arg-type]
    assert sent.price == pytest.approx(797.85)
    with pytest.raises(NoPrice, match="nothing"):
        await policy.protect(sell, EQUITY, gateway)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("action", "ltp", "limit"),
    [(Action.SELL, 95.0, 95.0), (Action.BUY, 105.0, 105.0), (Action.SELL, 100.0, 99.0)],
)
async def test_a_protected_limit_stays_within_the_circuits(
    action: Action, ltp: float, limit: float
) -> None:
    tick = Tick("SBIN", "NSE", ltp, upper_circuit=105.0, lower_circuit=95.0)
    order = msgspec.structs.replace(ORDER, action=action)
    sent = await over(Market({EQUITY.key: tick})).protect(order, EQUITY, Gateway(True))  # type: ignore[arg-type]
    assert sent.price == pytest.approx(limit)


@pytest.mark.parametrize(
    ("row", "ltp", "limit"),
    [
        (EQUITY, 800.0, 804.0),
        (EQUITY, 2900.0, 2914.5),
        (EQUITY, 7123.45, 7159.0),
        (EQUITY, 12_345.6, 12_407.0),
        (EQUITY, 48_123.45, 48_365.0),
        (Instrument("CRUDEOIL18DEC26FUT", "MCX", instrument_type="FUT"), 5255.0, 5281.0),
        (OPTION, 140.0, 142.8),
    ],
)
async def test_where_ticks_are_not_told_a_protected_limit_fits_any(
    row: Instrument, ltp: float, limit: float
) -> None:
    order = msgspec.structs.replace(ORDER, symbol=row.symbol, exchange=row.exchange)
    gateway = Gateway(True)
    gateway.traits = Traits(protect=ALWAYS, ticks=False)
    sent = await over(Market({row.key: Tick(row.symbol, row.exchange, ltp)})).protect(
        order,
        row,
        gateway,  # type: ignore[arg-type]
    )
    assert sent.price == pytest.approx(limit)


async def test_exits_do_not_wait_long_for_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(Market):
        async def quotes(self, keys: Any) -> dict[Any, Any]:
            await asyncio.Event().wait()
            return {}

    monkeypatch.setattr(policies_module, "PREPARE_SECONDS", 0.01)
    other = Instrument("TCS", "NSE", tick_size=0.05)
    policy = over(Silent({}))
    async with asyncio.timeout(60):
        await policy.prepare([EQUITY.key, other.key], {}, Gateway(True))  # type: ignore[arg-type]
    assert policy._prepared(EQUITY.key) is None
