"""The risk rules: each limit alone, scopes, exits, duplicates, prices that are not known."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec
import pytest

from openalgo_desktop.config.settings import Settings
from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import Action, Mode, OrderStatus, PriceType, Product
from openalgo_desktop.core.errors import ConfigError, NoHistory, RiskBlocked
from openalgo_desktop.core.model import (
    Instrument,
    Key,
    ModifyRequest,
    Order,
    OrderRequest,
    Position,
    Trade,
)
from openalgo_desktop.core.ticks import Part, Tick
from openalgo_desktop.trading.limits import RiskRules, one_request
from openalgo_desktop.trading.ownbook import OwnBook, PositionKey

BUY = OrderRequest("SBIN", "NSE", Action.BUY, 10, PriceType.LIMIT, Product.MIS, 800.0, strategy="s")
MARKET = OrderRequest("SBIN", "NSE", Action.BUY, 10)


class World:
    """Ticks, instruments and books in one stand-in."""

    def __init__(self) -> None:
        self.ltp: dict[Key, float] = {("NSE", "SBIN"): 800.0}
        self.old: set[Key] = set()  # their last price must not be traded on
        self.streamed: list[Key] = []
        self.asked: list[Key] = []
        self.own = OwnBook("sim:1", Mode.SANDBOX)
        self.own.day = date(2026, 11, 24)

    def latest(self, key: Key) -> Tick | None:
        return Tick(key[1], key[0], self.ltp[key]) if key in self.ltp else None

    def fresh(self, key: Key, need: int = Part.LTP, max_age: float | None = None) -> Tick | None:
        return None if key in self.old else self.latest(key)

    def watch(self, key: Key, mode: Any, listener: Any) -> Any:
        self.streamed.append(key)
        return lambda: self.streamed.remove(key)

    async def snapshot(self, key: Key, need: int = Part.QUOTE) -> Tick:
        self.asked.append(key)
        tick = self.latest(key)
        if tick is None:
            raise NoHistory("feed is silent")
        return tick

    def get(self, key: Key) -> Instrument | None:
        return self.require(key[1], key[0])

    def require(self, symbol: str, exchange: str) -> Instrument:
        return Instrument(symbol, exchange, lot_size=75 if exchange == "NFO" else 1)

    def book(self, mode: Mode) -> OwnBook:
        return self.own


class Rig:
    def __init__(self) -> None:
        self.clock = ManualClock(datetime(2026, 11, 24, 10, 0, tzinfo=IST))
        self.world = World()
        self.settings = Settings()
        self.open = True
        self.rules = RiskRules(
            self.clock,
            self.world,
            self.world,
            self.world,
            self.settings.__getitem__,
            lambda exchange: self.open,
            MarketCalendar(),
        )
        self.units: dict[str, dict[PositionKey, int]] = {}
        self.rules.own_units = lambda mode, name: self.units.get(name, {})

    def hold(self, quantity: int, average: float = 800.0, symbol: str = "SBIN") -> None:
        row = Position(symbol, "NSE", Product.MIS, quantity, average)
        self.world.own.positions[("NSE", symbol, Product.MIS)] = row

    def own_of(self, strategy: str, quantity: int) -> None:
        """What the strategy book says that the strategy holds of SBIN."""
        self.units[strategy] = {("NSE", "SBIN", Product.MIS): quantity}

    async def refused(self, request: OrderRequest, match: str) -> None:
        with pytest.raises(RiskBlocked, match=match):
            await self.rules.check(request, Mode.SANDBOX)


@pytest.fixture
def rig() -> Rig:
    return Rig()


async def test_nothing_is_refused_without_limits_and_no_price_is_asked(rig: Rig):
    rig.world.ltp.clear()
    for _ in range(100):
        await rig.rules.check(BUY, Mode.SANDBOX)


@pytest.mark.parametrize(
    ("limit", "good", "bad", "match"),
    [
        ("max_quantity=10", {}, {"quantity": 11}, "quantity 11 is above the limit of 10"),
        ("max_value=8000", {}, {"price": 800.05}, "value 8,000.50 is above the limit of 8,000.00"),
        ("max_value=8000", {"price_type": PriceType.MARKET, "price": 0.0}, {"quantity": 11}, "8,8"),
        ("max_lots=2", {"quantity": 150, "exchange": "NFO"}, {"quantity": 225}, "3 lots are above"),
        ("price_band=1", {"price": 808.0}, {"price": 808.05}, "1.01 % from the last one"),
        ("price_band=1", {"price": 792.0}, {"price": 791.0}, "1.12 % from the last one"),
    ],
)
async def test_size_and_price_limits(
    rig: Rig, limit: str, good: dict[str, Any], bad: dict[str, Any], match: str
):
    rig.world.ltp[("NFO", "SBIN")] = 800.0
    name, _, value = limit.partition("=")
    rig.settings.set(f"risk.{name}", value)
    fine = msgspec.structs.replace(BUY, **good)
    await rig.rules.check(fine, Mode.SANDBOX)
    await rig.refused(msgspec.structs.replace(fine, **bad), match)


async def test_a_market_order_has_no_distance_from_the_market(rig: Rig):
    rig.settings.set("risk.price_band", 5)
    rig.settings.set("risk.max_value", 50_000)
    await rig.rules.check(MARKET, Mode.SANDBOX)
    await rig.refused(msgspec.structs.replace(MARKET, quantity=63), "value 50,400")


async def test_a_sale_below_the_market_is_valued_at_the_market(rig: Rig):
    rig.settings.set("risk.max_value", 8_000)
    cheap = msgspec.structs.replace(BUY, action=Action.SELL, price=1.0)
    await rig.rules.check(cheap, Mode.SANDBOX)
    await rig.refused(msgspec.structs.replace(cheap, quantity=11), "value 8,800")


async def test_orders_per_minute(rig: Rig):
    rig.settings.set("risk.orders_per_minute", 2)
    await rig.rules.check(BUY, Mode.SANDBOX)
    await rig.rules.check(BUY, Mode.SANDBOX)
    await rig.refused(BUY, "order 3 within a minute")
    rig.clock.advance(59)
    await rig.refused(BUY, "order 3 within a minute")
    rig.clock.advance(2)
    await rig.rules.check(BUY, Mode.SANDBOX)


class OneProgram:
    """The quotas of the program ``s``."""

    def __init__(self) -> None:
        self.most, self.halted = (0, 0), ""
        self.passed: list[str] = []

    def knows(self, name: str) -> bool:
        return name == "s"

    def sizes(self, name: str) -> tuple[int, int]:
        return self.most if name == "s" else (0, 0)

    def check(self, name: str, mode: Mode) -> None:
        if self.halted and name == "s":
            raise RiskBlocked(self.halted)

    def sent(self, name: str, mode: Mode) -> None:
        self.passed.append(name)


async def test_quotas_of_a_program_hold_its_orders_only_and_let_it_out(rig: Rig):
    program = rig.rules.programs = OneProgram()
    program.most = (1, 1)
    two = msgspec.structs.replace(BUY, symbol="NIFTY", exchange="NFO", quantity=150)
    await rig.refused(two, "2 lots are above the limit of 1")
    await rig.rules.check(msgspec.structs.replace(two, strategy="by hand"), Mode.SANDBOX)
    program.most, program.halted = (0, 0), "s may only close today."
    await rig.refused(BUY, "s may only close today")
    rig.hold(10)
    rig.own_of("s", 10)
    await rig.rules.check(msgspec.structs.replace(BUY, action=Action.SELL), Mode.SANDBOX)
    assert program.passed == ["by hand", "s"]


async def test_a_program_that_may_only_close_closes_its_own_and_nobody_elses(rig: Rig):
    program = rig.rules.programs = OneProgram()
    program.halted = "s may only close today."
    sale = msgspec.structs.replace(BUY, action=Action.SELL)
    rig.hold(30)  # ten of them are of the program, the rest of others
    await rig.refused(sale, "s may only close today")  # its book is known, and has nothing
    rig.own_of("s", 10)
    await rig.rules.check(sale, Mode.SANDBOX)
    await rig.refused(msgspec.structs.replace(sale, quantity=11), "s may only close today")
    # What rests of it counts, what rests of others does not.
    other = resting("1", "by hand", 15)
    rig.world.own.put(other)
    await rig.rules.check(sale, Mode.SANDBOX)
    rig.world.own.put(resting("2", "s", 1))
    await rig.refused(sale, "s may only close today")
    await rig.rules.check(msgspec.structs.replace(sale, strategy="by hand"), Mode.SANDBOX)
    # A position of its book that the account does not have any more would be opened anew.
    rig.hold(-5)
    await rig.refused(msgspec.structs.replace(sale, quantity=1), "s may only close today")


async def test_delivered_shares_are_sold_whatever_the_limits_say(rig: Rig):
    """From the next day on they are holdings and no position any more."""
    program = rig.rules.programs = OneProgram()
    rig.settings.set("risk.max_quantity", 5)
    sale = msgspec.structs.replace(BUY, action=Action.SELL, product=Product.CNC)
    await rig.refused(msgspec.structs.replace(sale, action=Action.BUY), "quantity 10")
    await rig.rules.check(msgspec.structs.replace(sale, strategy="by hand"), Mode.SANDBOX)
    program.halted = "s may only close today."
    await rig.refused(sale, "quantity 10|s may only close today")  # the program has none of them
    rig.units["s"] = {("NSE", "SBIN", Product.CNC): 10}
    await rig.rules.check(sale, Mode.SANDBOX)


async def test_limits_of_a_programs_name_are_judged_by_its_own_position(rig: Rig):
    rig.rules.programs = OneProgram()
    rig.rules.set_scope("strategy:s", {"max_quantity": 5})
    sale = msgspec.structs.replace(BUY, action=Action.SELL)
    rig.hold(10)
    await rig.refused(sale, "quantity 10 is above the limit of 5")
    with pytest.raises(RiskBlocked, match="quantity 10"):
        await rig.rules.check_whole(sale, Mode.SANDBOX)
    rig.own_of("s", 10)
    await rig.rules.check(sale, Mode.SANDBOX)
    await rig.rules.check_whole(sale, Mode.SANDBOX)
    # The limits of all are judged by the account, as ever: it is a position that gets smaller.
    rig.settings.set("risk.max_quantity", 5)
    rig.rules.set_scope("strategy:s", {})
    rig.own_of("s", 0)
    await rig.rules.check(sale, Mode.SANDBOX)


async def test_an_order_of_a_program_does_not_grow_into_what_others_hold(rig: Rig):
    program = rig.rules.programs = OneProgram()
    program.halted = "s may only close today."
    rig.hold(30)
    rig.own_of("s", 10)
    order = resting("1", "s", 5)
    rig.world.own.put(order)
    await rig.rules.check_modify(order, ModifyRequest("1", quantity=10), Mode.SANDBOX)
    with pytest.raises(RiskBlocked, match="only close today"):
        await rig.rules.check_modify(order, ModifyRequest("1", quantity=11), Mode.SANDBOX)


async def test_before_its_book_was_read_what_may_be_its_own_of_earlier_days_gets_out(rig: Rig):
    program = rig.rules.programs = OneProgram()
    program.halted = "s may only close today."
    rig.rules.own_units = lambda mode, name: None
    rig.hold(10)
    sale = msgspec.structs.replace(BUY, action=Action.SELL)
    await rig.rules.check(sale, Mode.SANDBOX)
    await rig.refused(msgspec.structs.replace(sale, quantity=11), "s may only close today")


def resting(order_id: str, strategy: str, quantity: int) -> Order:
    return Order(
        order_id, "SBIN", "NSE", Action.SELL, quantity, PriceType.LIMIT, Product.MIS, price=810.0,
        status=OrderStatus.OPEN, strategy=strategy,
    )  # fmt: skip


async def test_open_positions(rig: Rig):
    rig.settings.set("risk.open_positions", 2)
    rig.hold(10)
    rig.hold(5, symbol="INFY")
    await rig.rules.check(BUY, Mode.SANDBOX)  # adds to one that is open
    await rig.refused(msgspec.structs.replace(BUY, symbol="TCS"), "open position 3")
    rig.hold(0, symbol="INFY")
    await rig.rules.check(msgspec.structs.replace(BUY, symbol="TCS"), Mode.SANDBOX)


@pytest.mark.parametrize(
    ("limit", "ltp", "match"),
    [("day_loss", 790.0, "today's loss is 1,000.00"), ("day_profit", 810.0, "profit is 1,000.00")],
)
async def test_day_loss_and_profit_stop_new_positions_not_exits(
    rig: Rig, limit: str, ltp: float, match: str
):
    rig.hold(100)
    rig.settings.set(f"risk.{limit}", 1000)
    await rig.rules.check(BUY, Mode.SANDBOX)
    rig.world.ltp[("NSE", "SBIN")] = ltp
    await rig.refused(BUY, match)
    sell = msgspec.structs.replace(
        BUY, action=Action.SELL, quantity=100, price_type=PriceType.MARKET
    )
    await rig.rules.check(sell, Mode.SANDBOX)
    await rig.refused(msgspec.structs.replace(sell, quantity=101), match)  # would turn the position


async def test_a_days_result_is_never_worked_out_from_an_old_price(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("openalgo_desktop.trading.valuing.STREAM_WAIT", 0.01)
    infy = ("NSE", "INFY")
    rig.hold(100, symbol="INFY")
    rig.settings.set("risk.day_loss", 1000)
    rig.world.ltp[infy], rig.world.old = 790.0, {infy}
    await rig.refused(BUY, "today's loss is 1,000.00")  # the price was asked
    assert rig.world.asked == rig.world.streamed == [infy]
    del rig.world.ltp[infy]
    await rig.refused(BUY, "The price of INFY, which is held, is not known")
    sell = msgspec.structs.replace(BUY, symbol="INFY", action=Action.SELL, quantity=100)
    await rig.rules.check(sell, Mode.SANDBOX)  # an exit waits for no price
    rig.world.ltp[infy], rig.world.old = 800.0, set()
    rig.world.asked.clear()
    await rig.rules.check(BUY, Mode.SANDBOX)
    assert rig.world.asked == [] and rig.world.streamed == [infy]  # one stream, nothing asked
    rig.hold(0, symbol="INFY")
    await rig.rules.check(msgspec.structs.replace(BUY, quantity=11), Mode.SANDBOX)
    rig.settings.set("risk.day_loss", 0)
    await rig.rules.check(msgspec.structs.replace(BUY, quantity=12), Mode.SANDBOX)
    assert rig.world.streamed == []


async def test_a_closing_sale_waits_for_no_price_that_only_its_value_needs(rig: Rig):
    rig.hold(10)
    rig.settings.set("risk.max_value", 1)
    rig.world.ltp.clear()
    await rig.rules.check(msgspec.structs.replace(MARKET, action=Action.SELL), Mode.SANDBOX)
    await rig.refused(MARKET, "is not known")


async def test_an_exit_counts_exits_that_rest_already(rig: Rig):
    rig.hold(100)
    rig.settings.set("risk.max_quantity", 5)
    sell = msgspec.structs.replace(BUY, action=Action.SELL, quantity=60)
    await rig.rules.check(sell, Mode.SANDBOX)
    order = Order("1", "SBIN", "NSE", Action.SELL, 60, PriceType.LIMIT, Product.MIS)
    rig.world.own.update(order, None)
    await rig.refused(sell, "quantity 60")
    rig.world.own.update(msgspec.structs.replace(order, status=OrderStatus.CANCELLED), None)
    await rig.rules.check(sell, Mode.SANDBOX)


async def test_scopes_hold_for_their_account_symbol_and_strategy_only(rig: Rig):
    for scope in ("symbol:NSE:SBIN", "strategy:s", "account:sim:1"):
        rig.rules.set_scope(scope, {"max_quantity": 5})
        await rig.refused(BUY, scope)
        rig.rules.set_scope(scope, {})
        await rig.rules.check(BUY, Mode.SANDBOX)
    for scope in ("symbol:NSE:INFY", "strategy:other", "account:sim:2"):
        rig.rules.set_scope(scope, {"max_quantity": 5})
    await rig.rules.check(BUY, Mode.SANDBOX)


async def test_strategy_loss_comes_from_the_trades_of_the_strategy(rig: Rig):
    rig.rules.set_scope("strategy:s", {"day_loss": 500, "open_positions": 1})
    at = rig.clock.now()

    def fill(number: str, action: Action, price: float, strategy: str) -> None:
        order = Order(number, "SBIN", "NSE", action, 100, PriceType.MARKET, Product.MIS)
        order.status, order.filled_quantity = OrderStatus.COMPLETE, 100
        trade = Trade(number, number, "SBIN", "NSE", action, Product.MIS, 100, price, at, strategy)
        rig.world.own.update(order, trade)

    fill("1", Action.BUY, 800.0, "s")
    fill("1", Action.BUY, 800.0, "s")  # told twice
    rig.world.ltp[("NSE", "SBIN")] = 796.0
    await rig.rules.check(BUY, Mode.SANDBOX)
    await rig.refused(msgspec.structs.replace(BUY, symbol="INFY"), "open position 2")
    fill("2", Action.SELL, 795.0, "s")
    fill("3", Action.BUY, 900.0, "other")
    await rig.refused(BUY, "loss is 500.00")
    await rig.rules.check(msgspec.structs.replace(BUY, strategy="other"), Mode.SANDBOX)


async def test_a_price_that_is_not_known_refuses_where_a_rule_needs_it(rig: Rig):
    rig.settings.set("risk.price_band", 1)
    rig.world.ltp.clear()
    await rig.refused(BUY, "price of SBIN is not known")
    await rig.rules.check(MARKET, Mode.SANDBOX)  # has no price that could be off


async def test_limits_that_need_the_books_refuse_until_they_were_read(rig: Rig):
    rig.world.own.day = None
    await rig.rules.check(BUY, Mode.SANDBOX)
    rig.settings.set("risk.day_loss", 1000)
    await rig.refused(BUY, "positions of sim:1 are not known yet")
    rig.world.own.day = date(2026, 11, 24)
    await rig.rules.check(BUY, Mode.SANDBOX)


async def test_trading_hours_and_square_off_lock(rig: Rig):
    rig.settings.set("risk.trading_hours", True)
    await rig.rules.check(BUY, Mode.SANDBOX)
    rig.open = False
    await rig.refused(BUY, "market NSE is closed")
    rig.open = True
    rig.settings.set("risk.square_off_lock", "15:10")
    rig.hold(10)
    rig.clock.jump(datetime(2026, 11, 24, 15, 9, 59, tzinfo=IST))
    await rig.rules.check(BUY, Mode.SANDBOX)
    rig.clock.advance(1)
    await rig.refused(BUY, "after 15:10")
    await rig.rules.check(msgspec.structs.replace(BUY, product=Product.CNC), Mode.SANDBOX)
    await rig.rules.check(msgspec.structs.replace(BUY, action=Action.SELL), Mode.SANDBOX)


async def test_duplicates_are_refused_except_within_one_request(rig: Rig):
    rig.settings.set("risk.duplicate_ms", 500)
    await rig.rules.check(BUY, Mode.SANDBOX)
    await rig.refused(BUY, "same order of SBIN was sent 0 ms ago")
    await rig.rules.check(msgspec.structs.replace(BUY, quantity=11), Mode.SANDBOX)
    rig.clock.advance(0.6)
    await rig.rules.check(BUY, Mode.SANDBOX)
    rig.clock.advance(0.6)
    token = one_request.set(object())  # a split order repeats itself on purpose
    await rig.rules.check(BUY, Mode.SANDBOX)
    await rig.rules.check(BUY, Mode.SANDBOX)
    one_request.reset(token)
    await rig.refused(BUY, "same order")


async def test_an_order_in_slices_is_held_to_the_limits_of_size_as_a_whole(rig: Rig):
    rig.settings.set("risk.max_quantity", 20)
    rig.settings.set("risk.orders_per_minute", 1)
    whole = msgspec.structs.replace(BUY, quantity=20)
    await rig.rules.check_whole(whole, Mode.SANDBOX)
    await rig.rules.check_whole(whole, Mode.SANDBOX)  # does not count
    with pytest.raises(RiskBlocked, match="quantity 21"):
        await rig.rules.check_whole(msgspec.structs.replace(BUY, quantity=21), Mode.SANDBOX)
    rig.hold(-21)
    await rig.rules.check_whole(
        msgspec.structs.replace(BUY, quantity=21), Mode.SANDBOX
    )  # it closes


async def test_a_change_is_held_to_size_and_price_limits(rig: Rig):
    rig.settings.set("risk.max_quantity", 20)
    rig.settings.set("risk.price_band", 1)
    rig.settings.set("risk.orders_per_minute", 1)
    await rig.rules.check(BUY, Mode.SANDBOX)
    order = Order("1", "SBIN", "NSE", Action.BUY, 10, PriceType.LIMIT, Product.MIS, price=800.0)
    await rig.rules.check_modify(order, ModifyRequest("1", quantity=20, price=801.0), Mode.SANDBOX)
    with pytest.raises(RiskBlocked, match="quantity 21"):
        await rig.rules.check_modify(order, ModifyRequest("1", quantity=21), Mode.SANDBOX)
    with pytest.raises(RiskBlocked, match="from the last one"):
        await rig.rules.check_modify(order, ModifyRequest("1", price=700.0), Mode.SANDBOX)
    big = msgspec.structs.replace(order, quantity=100)
    await rig.rules.check_modify(
        big, ModifyRequest("1", quantity=50), Mode.SANDBOX
    )  # smaller is always right


async def test_who_may_only_close_does_not_open_by_making_an_order_larger(rig: Rig):
    program = rig.rules.programs = OneProgram()
    program.halted = "s may only close today."
    order = Order("1", "SBIN", "NSE", Action.BUY, 10, PriceType.LIMIT, Product.MIS, price=800.0)
    order = msgspec.structs.replace(order, strategy="s")
    with pytest.raises(RiskBlocked, match="only close today"):
        await rig.rules.check_modify(order, ModifyRequest("1", quantity=500), Mode.SANDBOX)
    await rig.rules.check_modify(order, ModifyRequest("1", price=801.0), Mode.SANDBOX)
    rig.own_of("s", -12)
    rig.hold(-12)  # it is an exit: by its rest, its own place in the book not counted
    rig.world.own.put(msgspec.structs.replace(order, status=OrderStatus.OPEN))
    part = msgspec.structs.replace(order, filled_quantity=3)
    await rig.rules.check_modify(part, ModifyRequest("1", quantity=15), Mode.SANDBOX)
    with pytest.raises(RiskBlocked, match="only close today"):
        await rig.rules.check_modify(part, ModifyRequest("1", quantity=16), Mode.SANDBOX)


async def test_an_order_does_not_grow_after_the_days_loss_or_the_square_off_lock(rig: Rig):
    order = Order("1", "INFY", "NSE", Action.BUY, 10, PriceType.LIMIT, Product.MIS, price=800.0)
    larger = ModifyRequest("1", quantity=11)
    rig.hold(100)
    rig.settings.set("risk.day_loss", 1000)
    await rig.rules.check_modify(order, larger, Mode.SANDBOX)
    rig.world.ltp[("NSE", "SBIN")] = 790.0
    with pytest.raises(RiskBlocked, match=r"today's loss is 1,000\.00"):
        await rig.rules.check_modify(order, larger, Mode.SANDBOX)
    rig.settings.set("risk.day_loss", 0)
    rig.settings.set("risk.square_off_lock", "15:10")
    rig.clock.jump(datetime(2026, 11, 24, 15, 10, tzinfo=IST))
    with pytest.raises(RiskBlocked, match="after 15:10"):
        await rig.rules.check_modify(order, larger, Mode.SANDBOX)


@pytest.mark.parametrize(
    ("scope", "limits", "match"),
    [
        ("galaxy:x", {"max_lots": 1}, "galaxy:x"),
        ("symbol", {"max_lots": 1}, "symbol"),
        ("symbol:NSE:SBIN", {"max_lotz": 1}, "max_lotz"),
        ("symbol:NSE:SBIN", {"max_lots": "many"}, "int"),
        ("symbol:NSE:SBIN", {"max_lots": -1}, "max_lots cannot be negative"),
    ],
)
def test_bad_limits_name_the_scope_or_the_field(
    rig: Rig, scope: str, limits: dict[str, Any], match: str
):
    with pytest.raises(ConfigError, match=match):
        rig.rules.set_scope(scope, limits)


def test_limits_are_kept_and_damaged_ones_stop_the_start(rig: Rig):
    kept: dict[str, Any] = {}
    rig.rules.on_store = kept.__setitem__
    rig.rules.set_scope("strategy:s", {"max_lots": 3})
    again = Rig().rules
    again.load({**kept, "strategy:gone": {}})
    assert again.scopes == rig.rules.scopes
    with pytest.raises(ConfigError):
        again.load({"strategy:s": {"max_lots": "x"}})
