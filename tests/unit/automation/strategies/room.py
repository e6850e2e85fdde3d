"""A strategy engine over a desk, a watch, prices that stand still until a test moves them, and an
exchange that fills at those prices. ``kill`` is another program on the same disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from openalgo_desktop.analytics.chain import ChainBook
from openalgo_desktop.automation.strategies import exits as strategy_exits
from openalgo_desktop.automation.strategies import runs as strategy_runs
from openalgo_desktop.automation.strategies.ground import Ground
from openalgo_desktop.automation.strategies.service import Engine
from openalgo_desktop.config.resources import resource_text
from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.clock import IST, SystemClock
from openalgo_desktop.core.enums import Action, Mode, OrderStatus, PriceType, Product
from openalgo_desktop.core.errors import AppError, NotConnected, RejectedByBroker, RiskBlocked
from openalgo_desktop.core.events import Bus, Notice, StrategyTold
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import (
    Instrument,
    Key,
    Order,
    OrderAck,
    OrderRequest,
    OrderUpdate,
    Position,
    Trade,
)
from openalgo_desktop.core.strategies.model import (
    BatchLeg,
    Definition,
    Distance,
    Expiry,
    LegRules,
    Segment,
    SignalLeg,
)
from openalgo_desktop.core.strategies.rows import MadeStrategy, RunEvent, StartAnswer
from openalgo_desktop.core.strategies.words import EventKind, StrategyKind, TriggerSource
from openalgo_desktop.core.ticks import Part, Tick
from openalgo_desktop.exchange.charges import ChargeTable
from openalgo_desktop.exchange.estimate import Estimator
from openalgo_desktop.storage import database
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.exit_plans import PlanRepository
from openalgo_desktop.storage.state import KeyValueStore
from openalgo_desktop.storage.strategies import StrategyRepository
from openalgo_desktop.storage.tables import metadata
from openalgo_desktop.trading import exits, underway
from openalgo_desktop.trading.desk import OrderDesk
from openalgo_desktop.trading.watch import drive, service
from openalgo_desktop.trading.watch.service import Watch
from tests.unit.trading.test_desk import Gateway, MemoryJournal
from tests.unit.trading.watching import Ticks
from tests.waiting import until

#: A Monday at ten; the next expiry is on Tuesday.
NOW = datetime(2026, 11, 30, 10, 0, tzinfo=IST)
NIFTY: Key = ("NSE_INDEX", "NIFTY")
SBIN: Key = ("NSE", "SBIN")
D = Decimal
_MONTHS = ("", "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
EXPIRIES = (date(2026, 12, 1), date(2026, 12, 8), date(2026, 12, 29), date(2027, 1, 26))
STRIKES = range(24_500, 25_600, 100)


def contract(kind: str, strike: int = 0, expiry: date = EXPIRIES[0]) -> Key:
    day = f"{expiry.day:02d}{_MONTHS[expiry.month]}{expiry.year % 100:02d}"
    return ("NFO", f"NIFTY{day}{strike or ''}{kind}")


CE, PE = contract("CE", 25_000), contract("PE", 25_000)


def table() -> InstrumentTable:
    rows = [
        Instrument("NIFTY", "NSE_INDEX", "NIFTY", "INDEX"),
        Instrument("SBIN", "NSE", "SBIN", "EQ"),
        Instrument("INFY", "NSE", "INFY", "EQ"),
    ]
    for expiry in EXPIRIES:
        for strike in STRIKES:
            for kind in ("CE", "PE"):
                key = contract(kind, strike, expiry)
                rows.append(
                    Instrument(key[1], "NFO", "NIFTY", kind, 75, 0.05, expiry, float(strike))
                )
    for expiry in EXPIRIES[2:]:
        key = contract("FUT", 0, expiry)
        rows.append(Instrument(key[1], "NFO", "NIFTY", "FUT", 75, 0.05, expiry))
    made = InstrumentTable()
    made.load(rows)
    return made


class Prices(Ticks):
    """Prices of the room; ``asked`` are polls."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[list[Key]] = []
        self.polls: Callable[[], dict[Key, Tick | AppError]] = dict

    async def quotes(self, keys: Sequence[Key]) -> dict[Key, Tick | AppError]:
        self.asked.append(list(keys))
        found = self.polls()
        return {key: found.get(key, NotConnected("no price")) for key in keys}

    async def snapshot(self, key: Key, need: int = Part.QUOTE) -> Tick:
        tick = self.ticks.get(key)
        if tick is None or self.stale:
            raise NotConnected(f"no price of {key[1]}")
        return tick

    def open_channel(self) -> Any:
        class Channel:
            def add(self, key: Key, mode: object) -> None: ...
            def drain(self) -> None: ...
            def close(self) -> None: ...

        return Channel()


class Bourse(Gateway):
    """Fills market orders at the last price at once. Symbols in ``refuse`` are refused by the
    gateway, those in ``reject`` after they were accepted; those in ``hold`` rest until ``fill``."""

    def __init__(self, broker: str, prices: Prices) -> None:
        super().__init__(broker)
        self.prices = prices
        self.refuse: set[str] = set()
        self.reject: set[str] = set()
        self.hold_back: set[str] = set()
        self.earlier = 0  # orders of earlier days
        self.lose: set[str] = set()  # it arrives, and the answer is lost
        self.held: dict[tuple[str, str, Product], int] = {}
        self.tasks: list[asyncio.Task[None]] = []
        self.before: Callable[[OrderRequest], None] = lambda request: None

    async def place(self, request: OrderRequest, tag: str) -> OrderAck:
        self.before(request)
        self.arrived.append(
            ("place", f"{request.action.value} {request.quantity} {request.symbol}")
        )
        if request.symbol in self.refuse:
            raise RejectedByBroker(f"RMS: {request.symbol} blocked")
        order = Order(
            str(self.earlier + len(self.book) + 1), request.symbol, request.exchange,
            request.action, request.quantity, request.price_type, request.product, tag=tag,
        )  # fmt: skip
        self.book.append(order)
        if request.price_type is PriceType.MARKET and request.symbol not in self.hold_back:
            self.tasks.append(asyncio.create_task(self._trade(order)))
        else:
            self.push(order)
        if request.symbol in self.lose:
            raise ConnectionResetError("answer lost")
        self.answer()
        return OrderAck(order.order_id)

    async def cancel(self, order_id: str) -> OrderAck:
        self.arrived.append(("cancel", order_id))
        order = next(row for row in self.book if row.order_id == order_id)
        order.status = OrderStatus.CANCELLED
        self.push(order)
        return OrderAck(order_id)

    async def _trade(self, order: Order) -> None:
        await asyncio.sleep(0)
        if order.symbol in self.reject:
            order.status, order.rejection_reason = OrderStatus.REJECTED, "RMS: margin"
            self.push(order)
            return
        self.fill(order, order.quantity)

    def fill(self, order: Order, units: int) -> None:
        """So many units of an order trade now."""
        tick = self.prices.latest(order.key)
        price = tick.ltp if tick is not None else 100.0
        order.filled_quantity += units
        order.average_price = price
        if order.filled_quantity == order.quantity:
            order.status = OrderStatus.COMPLETE
        key = (order.exchange, order.symbol, order.product)
        self.held[key] = self.held.get(key, 0) + units * order.action.sign
        self.rows = [Position(s, e, p, n, price) for (e, s, p), n in self.held.items()]
        trade = Trade.of(order, f"T{order.order_id}.{order.filled_quantity}", units, price, NOW)
        self.push(order, trade)

    def push(self, order: Order, trade: Trade | None = None) -> None:
        if self.listener is not None:
            self.listener(OrderUpdate(self.account_id, msgspec.structs.replace(order), trade))

    def net(self, key: Key) -> int:
        """Units held of an instrument."""
        return sum(n for (e, s, _), n in self.held.items() if (e, s) == key)

    @property
    def sent(self) -> list[str]:
        return [what for kind, what in self.arrived if kind == "place"]


class Room:
    """Everything, on one database."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.clock = SystemClock(NOW)
        self.calendar = MarketCalendar()
        self.prices = Prices()
        self.paper, self.live = Bourse("sandbox", self.prices), Bourse("kite", self.prices)
        self.journal = MemoryJournal()
        self.instruments = table()
        self.open = True
        self.blocked = ""  # why nothing may begin
        self.table = ChargeTable(resource_text("charges/rates.json"))
        self.plan = sorted(self.table.plans)[0]
        self.store = StrategyRepository(db)
        self.told: list[RunEvent] = []
        self.notices: list[Notice] = []
        self.others: list[str] = []  # names of strategies of other kinds

    def build(self) -> None:
        self.bus = Bus()
        self.bus.subscribe(StrategyTold, lambda event: self.told.append(event.event))
        self.bus.subscribe(Notice, self.notices.append)
        self.desk = OrderDesk(
            self.clock, self.bus, self.instruments, self.journal,
            ack_timeout=lambda: 30.0, reconcile_interval=lambda: 3600,
        )  # fmt: skip
        self.desk.set_gateway(Mode.SANDBOX, self.paper)
        self.desk.set_gateway(Mode.LIVE, self.live)
        self.watch = Watch(
            self.clock, self.bus, self.desk, self.journal, self.instruments, self.prices,
            PlanRepository(self.db), lambda exchange: self.open,
        )  # fmt: skip
        self.chains = ChainBook(self.prices, self.instruments, self.clock)  # type: ignore[arg-type]
        self.engine = Engine(
            Ground(
                clock=self.clock,
                bus=self.bus,
                store=self.store,
                desk=self.desk,
                legs=self.watch.legs,
                journal=self.journal,
                instruments=self.instruments,
                ticks=self.prices,
                chains=self.chains,
                calendar=self.calendar,
                days=KeyValueStore(self.db),
                is_open=lambda exchange: self.open,
                may_trade=self._may_trade,
                estimator=lambda: Estimator(self.table, self.plan),
                taken=self._taken,
            )
        )

    async def _taken(self) -> list[str]:
        return self.others

    def _may_trade(self, mode: Mode) -> None:
        if self.blocked:
            raise RiskBlocked(self.blocked)

    async def begin(self) -> None:
        self.build()
        await self.desk.start()
        await self.watch.start()
        await self.engine.begin()

    async def end(self) -> None:
        await self.engine.end()
        await self.watch.stop()
        await asyncio.gather(*self.paper.tasks, *self.live.tasks)
        await self.desk.stop()
        self.chains.close()

    async def kill(self) -> None:
        """The program is gone where it stands, and another one comes on the same disk."""
        self.engine.abandon()
        await self.watch.stop()
        await self.desk.sender.abandon()
        await self.desk.stop()
        self.chains.close()
        await self.begin()

    def say(self, price: float, key: Key) -> None:
        """A tick comes."""
        self.prices.say(price, key)

    def quote(self, prices: dict[Key, float]) -> None:
        for key, price in prices.items():
            self.say(price, key)

    async def make(self, definition: Definition) -> MadeStrategy:
        return await self.engine.create(definition, "test")

    async def start(self, made: MadeStrategy, mode: Mode = Mode.SANDBOX) -> StartAnswer:
        return await self.engine.start(made.strategy_id, mode, TriggerSource.MANUAL, "test")

    async def running(self, definition: Definition, mode: Mode = Mode.SANDBOX) -> MadeStrategy:
        """A strategy that runs, all its legs filled."""
        made = await self.make(definition)
        if mode is Mode.LIVE:
            await self.engine.enable_live(made.strategy_id, True, "test")
        answer = await self.start(made, mode)
        assert all(leg.ok for leg in answer.legs), answer
        await until(lambda: self.all_in(made), "the entries")
        return made

    def all_in(self, made: MadeStrategy) -> bool:
        live = self.engine.registry.live[made.strategy_id]
        return all(place.held == place.wanted for place in live.open())

    async def over(self, made: MadeStrategy) -> None:
        """Its run has ended."""
        await until(lambda: self.engine.view(made.strategy_id) is None, "the end of the run")

    def kinds(self) -> list[EventKind]:
        return [event.kind for event in self.told]


def short_leg(leg_id: int, kind: str, **fields: Any) -> BatchLeg:
    fields = {"position": "S", "expiry": Expiry.WEEKLY} | fields
    return BatchLeg(leg_id=leg_id, segment=Segment.OPTIONS, option_type=kind, **fields)


def stops(points: float, target: float = 0.0) -> LegRules:
    return LegRules(
        sl=Distance(D(str(points))), target=Distance(D(str(target))) if target else None
    )


def straddle(**fields: Any) -> Definition:
    """Call and put at the money, one lot each, sold."""
    rules = fields.pop("rules", LegRules())
    made: dict[str, Any] = {
        "name": "Straddle",
        "kind": StrategyKind.BATCH,
        "legs": (short_leg(1, "CE", rules=rules), short_leg(2, "PE", rules=rules)),
        "underlying": "NIFTY",
        "underlying_exchange": "NSE_INDEX",
        "net_of_charges": False,
    }
    return Definition(**(made | fields))


def flipper(**fields: Any) -> Definition:
    """SBIN, ten shares, long and short by signals."""
    made: dict[str, Any] = {
        "name": "Flip",
        "kind": StrategyKind.SIGNAL,
        "legs": (SignalLeg(leg_id=1, symbol="SBIN", exchange="NSE", quantity=10),),
        "net_of_charges": False,
    }
    return Definition(**(made | fields))


def buys(rows: list[str]) -> list[str]:
    return [row for row in rows if row.startswith(Action.BUY.value)]


@pytest.fixture
async def room(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Room]:
    """Begun; quick enough for a test."""
    monkeypatch.setattr(underway, "LAG", 0.2)
    monkeypatch.setattr(underway, "PERSISTS", 0.05)
    monkeypatch.setattr(underway, "AGAIN", 0.01)
    monkeypatch.setattr(exits, "SETTLE", 0.1)
    monkeypatch.setattr(exits, "POLL", 0.01)
    monkeypatch.setattr(drive, "AGAIN", (0.01, 0.02))
    monkeypatch.setattr(drive, "LOOK", 0.02)
    monkeypatch.setattr(service, "LOOK", 0.02)
    monkeypatch.setattr(strategy_exits, "ANSWER_WITHIN", 30.0)
    monkeypatch.setattr(strategy_runs, "TOLD_EVERY", 0.01)
    # the migrations have tests of their own, and cost a quarter of a second
    monkeypatch.setattr(database, "bring_up_to_date", metadata.create_all)
    db = Database("sqlite://")
    await db.start()
    made = Room(db)
    made.quote({NIFTY: 25_000.0, CE: 100.0, PE: 90.0, SBIN: 800.0})
    await made.begin()
    yield made
    await made.end()
    await db.stop()
