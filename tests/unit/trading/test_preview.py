"""What an order would mean, told before it is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from openalgo_desktop.config.resources import resource_text
from openalgo_desktop.config.settings import Settings
from openalgo_desktop.core.enums import Action, FeedMode, Mode, PriceType, Product
from openalgo_desktop.core.errors import NetTimeout
from openalgo_desktop.core.model import Instrument, Key, Margin, OrderRequest, Position
from openalgo_desktop.core.preview import Caution
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.core.traits import Traits
from openalgo_desktop.exchange.charges import ChargeTable
from openalgo_desktop.exchange.estimate import Estimator
from openalgo_desktop.trading.preview import OrderPreviews
from tests.unit.trading.test_desk import Gateway, Rig

TABLE = ChargeTable(resource_text("charges/rates.json"))
FUTURE = Instrument(
    "NIFTY29DEC26FUT", "NFO", "NIFTY", "FUT", lot_size=75, tick_size=0.05, freeze_qty=1800
)
SELL_SBIN = OrderRequest("SBIN", "NSE", Action.SELL, 10)


class Market:
    """Fresh ticks by instrument."""

    def __init__(self) -> None:
        self.ticks: dict[Key, Tick] = {}

    def set(self, row: Instrument, ltp: float) -> None:
        tick = Tick(row.symbol, row.exchange, ltp, FeedMode.QUOTE, bid=ltp - 0.1, ask=ltp + 0.1)
        self.ticks[row.key] = tick

    def fresh(self, key: Key, need: int = 0, max_age: float | None = None) -> Tick | None:
        return self.ticks.get(key)


class World(Rig):
    """A desk whose gateways tell margins."""

    def __init__(self) -> None:
        super().__init__()
        self.settings = Settings()
        self.market = Market()
        self.lookup.rows[FUTURE.key] = FUTURE
        self.market.set(self.lookup.rows[("NSE", "SBIN")], 800.0)
        self.market.set(FUTURE, 24_000.0)
        self.asked: list[list[OrderRequest]] = []
        self.teach(self.paper, Traits(margin=True, frees=True))
        self.teach(self.live, Traits(margin=True))
        ticks: Any = self.market
        self.previews = OrderPreviews(
            self.clock,
            self.desk,
            ticks,
            self.lookup,
            lambda: Estimator(TABLE, "discount"),
            self.settings.__getitem__,
        )

    def teach(self, gateway: Gateway, traits: Traits) -> None:
        """Thousand rupees a unit; the one that knows the positions frees 700 in all."""
        gateway.traits = traits

        async def margin(legs: Sequence[OrderRequest]) -> Margin:
            self.asked.append(list(legs))
            total = 1000.0 * sum(leg.quantity for leg in legs)
            return Margin(total, released=700.0 if traits.frees else None)

        gateway.margin = margin  # type: ignore[attr-defined]

    def hold(self, mode: Mode, quantity: int) -> None:
        row = Position("SBIN", "NSE", Product.MIS, quantity, 790.0)
        self.desk.books.book(mode).adopt_positions([row])


@pytest.fixture
def world() -> World:
    return World()


async def test_an_entry_needs_margin_has_charges_and_a_break_even(world: World):
    order = OrderRequest("SBIN", "NSE", Action.BUY, 10, PriceType.LIMIT, price=799.0)
    found = await world.previews.of([order], Mode.SANDBOX, available=4000.0)
    (leg,) = found.legs
    assert found.margin is not None and found.margin.total == 10_000.0
    assert found.frees is None
    assert (leg.value, leg.opens, leg.closes) == (7990.0, 10, 0)
    assert leg.charges == found.charges and found.charges is not None and found.charges > 0
    assert leg.break_even is not None and leg.break_even > 799.0
    assert leg.percent == pytest.approx(-0.125)
    assert [warned.kind for warned in found.warnings] == [Caution.MARGIN]
    assert "₹ 6,000 more" in found.warnings[0].text


async def test_an_exit_shows_what_it_frees_and_what_it_books(world: World):
    world.hold(Mode.SANDBOX, 30)
    found = await world.previews.of([SELL_SBIN], Mode.SANDBOX)
    (leg,) = found.legs
    assert (found.frees, found.frees_about) == (700.0, False)
    assert (leg.closes, leg.opens, leg.break_even) == (10, 0, None)
    assert leg.books == pytest.approx((799.9 - 790.0) * 10)


async def test_live_a_broker_is_asked_about_what_opens_and_about_what_is_freed(world: World):
    world.hold(Mode.LIVE, 4)
    found = await world.previews.of([SELL_SBIN], Mode.LIVE)
    (opening,), (back,) = world.asked
    assert (opening.action, opening.quantity) == (Action.SELL, 6)
    assert (back.action, back.quantity) == (Action.BUY, 4)
    assert found.margin is not None
    assert (found.margin.total, found.frees, found.frees_about) == (6000.0, 4000.0, True)


async def test_a_pure_exit_needs_nothing_live(world: World):
    world.hold(Mode.LIVE, 10)
    found = await world.previews.of([SELL_SBIN], Mode.LIVE)
    assert found.margin == Margin(0.0) and found.frees == 10_000.0
    assert len(world.asked) == 1


async def test_the_position_of_the_other_mode_does_not_count(world: World):
    world.hold(Mode.LIVE, 10)
    assert world.previews.leg(SELL_SBIN, Mode.SANDBOX).closes == 0


async def test_a_broker_that_tells_no_margin_and_one_that_fails(world: World):
    world.live.traits = Traits()
    found = await world.previews.of([SELL_SBIN], Mode.LIVE)
    assert found.margin is None and "does not tell margins" in found.margin_note
    world.live.traits = Traits(margin=True)

    async def margin(legs: Sequence[OrderRequest]) -> Margin:
        raise NetTimeout("kite did not answer")

    world.live.margin = margin  # type: ignore[attr-defined]
    found = await world.previews.of([SELL_SBIN], Mode.LIVE)
    assert (found.margin, found.margin_note) == (None, "kite did not answer")
    assert found.legs[0].charges is not None  # ours, whatever the broker does


@pytest.mark.parametrize("split", [True, False])
async def test_slices_as_the_corridor_would_send_them(world: World, split: bool):
    world.settings.set("trading.freeze_split", split)
    order = OrderRequest(FUTURE.symbol, "NFO", Action.BUY, 4500, product=Product.NRML)
    leg = world.previews.leg(order, Mode.SANDBOX)
    assert (leg.slices, leg.splits, leg.lots) == ((1800, 1800, 900), split, 60)
    told = [warned for warned in leg.warnings if warned.kind is Caution.FREEZE]
    assert bool(told) is not split
    assert all(warned.field == "quantity" and "3 orders" in warned.text for warned in told)


async def test_without_a_fresh_price_nothing_is_made_up(world: World):
    world.market.ticks.clear()
    leg = world.previews.leg(SELL_SBIN, Mode.SANDBOX)
    assert (leg.price, leg.value, leg.charges, leg.break_even) == (None, None, None, None)
    assert (leg.percent, leg.spread, leg.warnings) == (None, None, ())
    found = await world.previews.of([SELL_SBIN], Mode.SANDBOX)
    assert found.charges is None
    # The paper account would count a price of 0; a dash and the reason instead.
    assert (found.margin, found.margin_note) == (None, "The last price is not known.")
    assert world.asked == []
    world.hold(Mode.SANDBOX, 30)
    assert (await world.previews.of([SELL_SBIN], Mode.SANDBOX)).frees == 700.0


async def test_a_basket_adds_up(world: World):
    buy = OrderRequest(FUTURE.symbol, "NFO", Action.BUY, 75, product=Product.NRML)
    found = await world.previews.of([SELL_SBIN, buy], Mode.SANDBOX)
    assert found.margin is not None and found.margin.total == 85_000.0
    assert len(world.asked) == 1  # one question, so that hedges count
    assert found.charges == pytest.approx(sum(leg.charges or 0 for leg in found.legs))
