"""Random lives of a paper account: whatever happens, the money adds up.

Orders, changes, cancels, ticks, GTTs, jumps of the clock over square-off, expiry, delivery and
reset, and restarts after a kill, in any order. The invariants are those of ``docs/sandbox.md``.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openalgo_desktop.core.enums import Action, GttType, PriceType, Product
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.gtt import GttRequest
from openalgo_desktop.core.model import Instrument, Key, ModifyRequest, OrderRequest
from openalgo_desktop.core.ticks import Depth, Level
from openalgo_desktop.exchange.state import PaperState
from tests.unit.sandbox.helpers import Rig

SBIN: Key = ("NSE", "SBIN")
FUT: Key = ("NFO", "NIFTY23NOV26FUT")
CALL: Key = ("NFO", "NIFTY23NOV2625000CE")
PUT: Key = ("NFO", "NIFTY23NOV2625000PE")
EXPIRY = date(2026, 11, 23)
ROWS = [
    Instrument("SBIN", "NSE"),
    Instrument(FUT[1], "NFO", "NIFTY", "FUT", 75, expiry=EXPIRY),
    Instrument(CALL[1], "NFO", "NIFTY", "CE", 75, expiry=EXPIRY, strike=25000.0),
    Instrument(PUT[1], "NFO", "NIFTY", "PE", 75, expiry=EXPIRY, strike=25000.0),
]
PRICES = {SBIN: 800.0, FUT: 25000.0, CALL: 120.0, PUT: 110.0}
PRODUCTS = {SBIN: (Product.MIS, Product.CNC)}
OTHERS = (Product.MIS, Product.NRML)

KEYS = st.sampled_from(list(PRICES))
MOVES = st.integers(-40, 40)  # ticks of 0.05 per 100 rupees of price
SIDES = st.sampled_from(list(Action))
LOTS = st.integers(1, 6)
PLACE = st.tuples(
    st.just("place"), KEYS, SIDES, LOTS, st.sampled_from(list(PriceType)), st.booleans(), MOVES
)
MODIFY = st.tuples(st.just("modify"), st.integers(0, 30), LOTS, MOVES)
CANCEL = st.tuples(st.just("cancel"), st.integers(0, 30))
TICK = st.tuples(st.just("tick"), KEYS, MOVES)
GTT = st.tuples(st.just("gtt"), KEYS, SIDES, LOTS, MOVES, st.booleans())
JUMP = st.tuples(st.just("jump"), st.sampled_from([30, 400, 3600, 5 * 3600, 18 * 3600, 3 * 86400]))
RESTART = st.tuples(st.just("restart"))
RESET = st.tuples(st.just("reset"))
#: Weighted by repetition: mostly trading.
STEP = st.one_of(PLACE, PLACE, PLACE, TICK, TICK, TICK, MODIFY, CANCEL, GTT, JUMP, RESTART, RESET)
ACCOUNTS = st.fixed_dictionaries(
    {
        "fill_model": st.sampled_from(["touch", "book"]),
        "margin_model": st.sampled_from(["leverage", "span"]),
        "charges": st.booleans(),
        "hours": st.sampled_from(["market", "always"]),
        "reset_day": st.sampled_from(["Never", "Wednesday"]),
        "gtt_oco_margin_mode": st.sampled_from(["max", "sum"]),
        "equity_cnc_leverage": st.sampled_from([1.0, 2.0]),
    }
)


class Life:
    """Plays steps and checks after each."""

    def __init__(self, account: dict[str, Any]) -> None:
        self.rig = Rig(ROWS, **account)
        self.price = dict(PRICES)
        self.held: dict[tuple[str, str, str], int] = {}
        self.seen = 0
        for key in PRICES:
            self._quote(key, send=False)

    def _quote(self, key: Key, *, send: bool) -> None:
        price = self.price[key]
        size = 75 * 3
        depth = Depth(
            tuple(Level(round(price - 0.05 * i, 2), size, 1) for i in range(1, 4)),
            tuple(Level(round(price + 0.05 * i, 2), size, 1) for i in range(1, 4)),
        )
        more = {"bid": depth.buy[0].price, "ask": depth.sell[0].price, "depth": depth}
        if send:
            self.rig.market.tick(key, price, **more)
        else:
            self.rig.market.set(key, price, **more)

    def _moved(self, key: Key, ticks: int) -> float:
        step = max(1, round(self.price[key] / 100))
        return max(0.05, round((round(self.price[key] / 0.05) + ticks * step) * 0.05, 2))

    async def play(self, steps: list[tuple[Any, ...]]) -> None:
        await self.rig.start()
        for step in steps:
            with contextlib.suppress(AppError):  # refusals are part of life
                await getattr(self, step[0])(*step[1:])
            await self.check()
        await self.rig.kill()

    async def check(self) -> None:
        rig, state = self.rig, self.rig.box.state
        rig.check()
        await rig.box.stored()
        stored = rig.store.tables["sandbox:test"]["ledger"].values()
        assert sum((Decimal(row["cash"]) for row in stored), Decimal(0)) == state.ledger.cash
        assert sum((Decimal(row["reserve"]) for row in stored), Decimal(0)) == state.ledger.reserved
        for trade in list(state.trades.values())[self.seen :]:
            key = (trade.exchange, trade.symbol, trade.product.value)
            self.held[key] = self.held.get(key, 0) + trade.quantity * trade.action.sign
            order = rig.box.book.find(trade.order_id).order
            if order.price_type.has_price:  # never worse than the limit
                assert (order.price - trade.price) * order.action.sign >= 0
        self.seen = len(state.trades)
        for key in list(self.held):
            row = state.positions.get(key)
            if row is None or not row.quantity:
                self.held[key] = 0  # closed, settled or delivered
            else:
                assert row.quantity == self.held[key]
        for holding in state.holdings.values():
            assert holding.quantity > 0 and holding.cost > 0

    # -- steps ------------------------------------------------------------------------------
    async def place(
        self, key: Key, action: Action, lots: int, kind: PriceType, second: bool, ticks: int
    ) -> None:
        product = PRODUCTS.get(key, OTHERS)[second]
        level = self._moved(key, ticks)
        await self.rig.box.place(
            OrderRequest(
                key[1], key[0], action, lots * 75, kind, product, level, trigger_price=level
            ),
            "",
        )

    async def modify(self, number: int, lots: int, ticks: int) -> None:
        if rows := self.rig.box.book.all_working():
            order = rows[number % len(rows)].order
            level = self._moved(order.key, ticks)
            await self.rig.box.modify(
                ModifyRequest(
                    order.order_id,
                    quantity=lots * 75,
                    price=level if order.price_type.has_price else None,
                    trigger_price=level if order.price_type.has_trigger else None,
                )
            )

    async def cancel(self, number: int) -> None:
        if rows := self.rig.box.book.all_working():
            await self.rig.box.cancel(rows[number % len(rows)].order.order_id)

    async def tick(self, key: Key, ticks: int) -> None:
        self.price[key] = self._moved(key, ticks)
        self._quote(key, send=True)

    async def gtt(self, key: Key, action: Action, lots: int, ticks: int, oco: bool) -> None:
        level, other = self._moved(key, -abs(ticks) - 1), self._moved(key, abs(ticks) + 1)
        await self.rig.box.gtt_place(
            GttRequest(
                GttType.OCO if oco else GttType.SINGLE,
                key[1],
                key[0],
                action,
                lots * 75,
                Product.CNC if key == SBIN else Product.NRML,
                price=level,
                trigger_below=level,
                trigger_above=other if oco else 0.0,
                stoploss=level,
                target=other,
            ),
            "",
        )

    async def jump(self, seconds: int) -> None:
        moment = self.rig.clock.now() + timedelta(seconds=seconds)
        if moment < datetime(2027, 2, 1, tzinfo=moment.tzinfo):
            await self.rig.at(moment.isoformat())

    async def restart(self) -> None:
        """What was stored is what was there; then catch-up may go on from it."""
        before = _books(self.rig.box.state)
        await self.rig.kill()
        loaded = PaperState.from_rows(await self.rig.store.load("sandbox:test"))
        assert _books(loaded) == before
        await self.rig.restart()

    async def reset(self) -> None:
        await self.rig.box.reset()
        self.held.clear()
        self.seen = 0
        assert self.rig.box.state.ledger.cash == self.rig.box.capital


def _books(state: PaperState) -> tuple[Any, ...]:
    return (
        state.ledger.cash,
        state.ledger.reserved,
        state.meta.realised,
        [(row.order.order_id, row.order.status, row.margin) for row in state.orders.values()],
        [(key, row.quantity, row.cost) for key, row in state.positions.items()],
        [(gtt.trigger_id, gtt.status) for gtt in state.gtts.values()],
    )


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(account=ACCOUNTS, steps=st.lists(STEP, min_size=15, max_size=40))
def test_money_adds_up(account: dict[str, Any], steps: list[tuple[Any, ...]]) -> None:
    asyncio.run(Life(account).play(steps))


@pytest.mark.long
@pytest.mark.timeout(900)
@settings(max_examples=3000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(account=ACCOUNTS, steps=st.lists(STEP, min_size=15, max_size=80))
def test_money_adds_up_over_many_lives(account: dict[str, Any], steps: list[Any]) -> None:
    asyncio.run(Life(account).play(steps))
