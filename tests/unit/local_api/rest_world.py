"""A local API with stand-ins behind it: a desk that records, a market source with fixed prices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime
from fnmatch import fnmatchcase
from types import SimpleNamespace
from typing import Any

import httpx
import msgspec
import numpy as np

from openalgo_desktop.config.resources import resource_text
from openalgo_desktop.config.settings import Settings
from openalgo_desktop.core.api_rows import Alert, ApiKey, Approval
from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import (
    AccountState,
    Action,
    AlertState,
    FeedMode,
    Interval,
    KeyRights,
    Mode,
    OrderStatus,
    PriceType,
    Product,
)
from openalgo_desktop.core.errors import (
    AppError,
    OrderError,
    OrderNotFound,
    StorageError,
    SymbolUnknown,
)
from openalgo_desktop.core.events import Bus
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import (
    AccountStatus,
    BookRows,
    Funds,
    Holding,
    Instrument,
    Key,
    ModifyRequest,
    Order,
    OrderRequest,
    Position,
    Trade,
)
from openalgo_desktop.core.strategies.ports import StrategyEngine
from openalgo_desktop.core.symbols import option_symbol
from openalgo_desktop.core.telegram import TelegramRoom
from openalgo_desktop.core.ticks import Bars, Depth, Level, Tick
from openalgo_desktop.core.webhook_log import WebhookEvent, WebhookLog
from openalgo_desktop.local_api.context import ApiContext
from openalgo_desktop.local_api.server import LocalApi
from openalgo_desktop.market.hub import MarketHub
from openalgo_desktop.trading.exits import Exits
from openalgo_desktop.trading.ownbook import OwnBook, PositionKey
from openalgo_desktop.trading.position_view import View
from openalgo_desktop.trading.results import CancelAll, CloseAll, Placed

NOW = datetime(2026, 11, 25, 10, 0, tzinfo=IST)
EXPIRY = date(2026, 12, 29)
STRIKES = tuple(range(25500, 26550, 50))
KEYS = {
    "good": ApiKey(1, "default", KeyRights.TRADE, "", NOW),
    "read": ApiKey(2, "reader", KeyRights.READ, "", NOW),
    "paper": ApiKey(3, "paper", KeyRights.SANDBOX, "", NOW),
    "bound": ApiKey(4, "bound", KeyRights.TRADE, "simulator:OTHER", NOW),
}


class Keys:
    def __init__(self) -> None:
        self.verified = 0
        self.revoked: set[int] = set()
        self._known: set[str] = set()

    def cached(self, text: str) -> ApiKey | None:
        return KEYS[text] if text in self._known else None

    async def verify(self, text: str) -> ApiKey | None:
        self.verified += 1
        if text in KEYS:
            self._known.add(text)
        return KEYS.get(text)

    def works(self, key: ApiKey) -> bool:
        return key.key_id not in self.revoked

    async def find(self, key_id: int) -> ApiKey | None:
        found = (key for key in KEYS.values() if key.key_id == key_id)
        return next((key for key in found if self.works(key)), None)

    def on_revoked(self, listener: Callable[[ApiKey], None]) -> None: ...


class State:
    """The key-value store in a dict."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str], Any] = {}

    async def all(self, scope: str) -> dict[str, Any]:
        return {key: value for (s, key), value in self.values.items() if s == scope}

    async def get(self, scope: str, key: str) -> Any:
        return self.values.get((scope, key))

    async def put(self, scope: str, key: str, value: Any) -> None:
        self.values[scope, key] = value

    def put_later(self, scope: str) -> Callable[[str, Any], None]:
        return lambda key, value: self.values.__setitem__((scope, key), value)

    async def delete(self, scope: str, key: str) -> None:
        self.values.pop((scope, key), None)


class Approvals:
    """The action centre in memory: everything of ``sources`` waits."""

    def __init__(self) -> None:
        self.sources = ""
        self.queued: list[tuple[str, dict[str, Any], str]] = []
        self.runners: dict[str, Any] = {}
        self.adopted: list[Approval] = []

    def run_with(self, kind: str, runner: Any) -> None:
        self.runners[kind] = runner

    def adopt(self, rows: Sequence[Approval]) -> None:
        self.adopted += rows

    def needed(self, source: str) -> bool:
        return bool(self.sources) and fnmatchcase(source, self.sources)

    async def queue(self, kind: str, payload: dict[str, Any], source: str, keys: Any = ()) -> int:
        self.queued.append((kind, payload, source))
        return len(self.queued)

    async def run(self, number: int) -> Any:
        kind, payload, source = self.queued[number - 1]
        return await self.runners[kind](payload, source)


class Alerts:
    """The queue of alerts in memory; ``fail`` is raised by the next write."""

    def __init__(self) -> None:
        self.rows: dict[int, Alert] = {}
        self.fail: StorageError | None = None
        self.sent = False
        self.full = False  # nothing of a row that is there is changed
        self.log: WebhookLog | None = None

    async def add(self, alerts: Sequence[Alert], event: WebhookEvent | None = None) -> list[int]:
        if self.fail is not None:
            error, self.fail = self.fail, None
            raise error
        numbers = []
        for alert in alerts:
            numbers.append(len(self.rows) + 1)
            self.rows[numbers[-1]] = msgspec.structs.replace(alert, alert_id=numbers[-1])
        if event is not None and self.log is not None:
            told = {"first_order": numbers[0], "last_order": numbers[-1]}
            await self.log.add(msgspec.structs.replace(event, **told))
        return numbers

    async def begin(self, alert_id: int, at: datetime) -> None:
        if self.full:
            raise StorageError("disk full")
        self._set(alert_id, state=AlertState.SENDING, began_at=at)

    async def finish(self, alert_id: int, result: str) -> None:
        self._set(alert_id, state=AlertState.DONE, result=result)

    def _set(self, alert_id: int, **values: Any) -> None:
        self.rows[alert_id] = msgspec.structs.replace(self.rows[alert_id], **values)

    async def unfinished(self) -> list[Alert]:
        states = (AlertState.WAITING, AlertState.SENDING)
        return [row for row in self.rows.values() if row.state in states]

    async def was_sent(self, alert: Alert) -> bool:
        return self.sent

    async def hold(self, held: Sequence[tuple[int, Approval]]) -> list[Approval]:
        if self.full:
            raise StorageError("disk full")
        for alert_id, _ in held:
            self._set(alert_id, state=AlertState.HELD)
        return [approval for _, approval in held]

    async def seen_since(self, moment: datetime) -> list[tuple[str, datetime]]:
        return [(row.fingerprint, row.received_at) for row in self.rows.values()]

    async def forget_before(self, moment: datetime) -> None: ...


class Under:
    """Nothing is under way: the position is what the desk's rows say."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lock = asyncio.Lock()

    def lock(self, mode: Mode, key: PositionKey) -> asyncio.Lock:
        return self._lock

    async def view(
        self, mode: Mode, gateway: object, key: PositionKey, *, max_age: float = 0.0
    ) -> View:
        rows = await self._desk.read.positions()
        found = [row.quantity for row in rows if (row.exchange, row.symbol, row.product) == key]
        return View(sum(found))


class OwnBooks:
    """Nothing is known from before."""

    def book(self, mode: Mode) -> OwnBook:
        return OwnBook("test", mode)


class Desk:
    """Records requests; ``fail`` is raised by the next order call."""

    def __init__(self) -> None:
        self.under_way = Under(self)
        self.exits = Exits(self, self.under_way)  # type: ignore[arg-type]
        self.books = OwnBooks()
        self.closing = self.read = self
        self.mode = Mode.SANDBOX
        self.placed: list[tuple[OrderRequest, str]] = []
        self.modified: list[ModifyRequest] = []
        self.fail: BaseException | None = None
        self.fail_symbols: dict[str, AppError] = {}
        self.book: list[Order] = []
        self.rows: list[Position] = []
        self.known: Callable[[Key], bool] = lambda key: True

    account_id = "TEST"

    async def set_mode(self, mode: Mode, by: str) -> None:
        self.mode = mode

    def slice_of(self, order: Order) -> None:
        """No order here came out of a larger one."""

    def gateway_of(self, mode: Mode) -> object:
        return SimpleNamespace(account_id="TEST")

    def still(self, mode: Mode | None) -> Mode:
        if mode is not None and mode is not self.mode:
            raise OrderError("The mode was switched")
        return self.mode

    async def place(
        self,
        request: OrderRequest,
        source: str,
        mode: Mode | None = None,
        *,
        closing: bool = False,
        account: str = "",
    ) -> Placed:
        assert account in ("", "TEST")
        self._raise()
        self.still(mode)
        if not self.known(request.key):
            raise SymbolUnknown(request.symbol, request.exchange)
        if request.symbol in self.fail_symbols:
            raise self.fail_symbols[request.symbol]
        self.placed.append((request, source))
        return Placed(str(len(self.placed)), self.mode)

    async def modify(self, request: ModifyRequest, source: str, mode: Mode | None = None) -> Placed:
        self._raise()
        self.modified.append(request)
        return Placed(request.order_id, self.mode)

    async def cancel(self, order_id: str, source: str, mode: Mode | None = None) -> Placed:
        self._raise()
        return Placed(order_id, self.mode)

    async def cancel_all(self, source: str, mode: Mode | None = None) -> CancelAll:
        self.still(mode)
        return CancelAll(["1", "2"], [("3", "Order already executed")], self.mode)

    async def close_all(self, source: str, mode: Mode | None = None) -> CloseAll:
        self.still(mode)
        return CloseAll(2, 1, True, self.mode, ("SBIN: no price",))

    async def orders(self) -> BookRows[Order]:
        return BookRows(self.book)

    async def order(self, order_id: str) -> Order:
        for order in self.book:
            if order.order_id == order_id:
                return order
        raise OrderNotFound(order_id)

    async def trades(self) -> BookRows[Trade]:
        return BookRows(
            [Trade("T1", "1", "SBIN", "NSE", Action.BUY, Product.MIS, 10, 800.05, NOW, "s")]
        )

    async def positions(self) -> BookRows[Position]:
        return BookRows(self.rows)

    async def holdings(self) -> BookRows[Holding]:
        return BookRows([Holding("TCS", "NSE", 6, 3005.0, 3110.5)])

    async def funds(self) -> Funds:
        return Funds(1000.5, 0.0, 4.25, -2.0, 500.0, 6.0, NOW, 2)

    def _raise(self) -> None:
        if self.fail is not None:
            error, self.fail = self.fail, None
            raise error


class Source:
    """A market with fixed prices: NIFTY 26000, SBIN 800, options at 300."""

    broker = "simulator"

    def __init__(self) -> None:
        self.asked: list[Sequence[Key]] = []
        self.prices: dict[Key, float] = {
            ("NSE_INDEX", "NIFTY"): 26000.0,
            ("NSE", "SBIN"): 800.0,
        }
        self.sink: Callable[[Tick], None] = lambda tick: None

    def set_sink(self, sink: Callable[[Tick], None]) -> None:
        self.sink = sink

    depth_levels = (5,)

    def deepen(self, key: Key, levels: int) -> Callable[[], None]:
        return lambda: None

    def set_reports(
        self, muted: Callable[[str], None], refused: Callable[[Key, AppError], None]
    ) -> None:
        self.muted, self.refused = muted, refused

    async def subscribe(self, wanted: Mapping[Key, FeedMode]) -> dict[Key, AppError]:
        for key, mode in wanted.items():
            self.sink(self.tick(key, mode))
        return {}

    async def unsubscribe(self, keys: Sequence[Key]) -> None: ...

    async def quotes(self, keys: Sequence[Key]) -> dict[Key, Tick | AppError]:
        self.asked.append(keys)
        return {key: self.tick(key, FeedMode.QUOTE) for key in keys}

    async def depth(self, key: Key) -> Tick:
        return self.tick(key, FeedMode.DEPTH)

    async def history(self, key: Key, interval: Interval, start: date, end: date) -> Bars:
        first = int(datetime(start.year, start.month, start.day, 9, 15, tzinfo=IST).timestamp())
        time = np.array([first, first + 300], np.int64)
        price = np.array([800.0, 801.0])
        whole = np.array([10, 20], np.int64)
        return Bars(time, price, price + 1, price - 1, price, whole, whole * 0)

    def intervals(self) -> Sequence[Interval]:
        return (Interval.M5, Interval.M1, Interval.H1, Interval.DAY)

    def history_days(self, interval: Interval) -> int:
        return 30

    def tick(self, key: Key, mode: FeedMode) -> Tick:
        price = self.prices.get(key, 300.0)
        return Tick(
            key[1],
            key[0],
            price,
            mode,
            open=price,
            high=price + 5,
            low=price - 5,
            close=price - 1,
            volume=1000,
            bid=price - 0.05,
            ask=price + 0.05,
            depth=Depth((Level(price - 0.05, 5, 1),), (Level(price + 0.05, 7, 1),)),
        )


def instruments() -> InstrumentTable:
    rows = [
        Instrument("SBIN", "NSE", "STATE BANK OF INDIA", brsymbol="SBIN-EQ", token="3045"),
        Instrument("NIFTY", "NSE_INDEX", "NIFTY 50", "INDEX"),
        Instrument("NIFTY29DEC26FUT", "NFO", "NIFTY", "FUT", 65, 0.1, EXPIRY, freeze_qty=1800),
    ]
    for strike in STRIKES:
        for kind in ("CE", "PE"):
            symbol = option_symbol("NIFTY", EXPIRY, strike, kind)
            rows.append(
                Instrument(
                    symbol, "NFO", "NIFTY", kind, 65, 0.05, EXPIRY, float(strike), freeze_qty=1800
                )
            )
    table = InstrumentTable()
    table.load(rows)
    return table


def order(order_id: str, status: OrderStatus, **changes: Any) -> Order:
    values: dict[str, Any] = {
        "symbol": "SBIN",
        "exchange": "NSE",
        "action": Action.BUY,
        "quantity": 10,
        "price_type": PriceType.LIMIT,
        "product": Product.MIS,
        "price": 799.0,
        "status": status,
        "placed_at": NOW,
    }
    return Order(order_id, **(values | changes))


class World:
    """One running local API."""

    def __init__(
        self,
        strategies: StrategyEngine | None = None,
        webhook_log: WebhookLog | None = None,
        telegram: TelegramRoom | None = None,
        settings: Settings | None = None,
        **overrides: Any,
    ) -> None:
        own = Settings({"api.rest_port": 0, "api.ws_port": 0, **overrides})
        self.settings = settings or own
        self.clock = ManualClock(NOW)
        self.desk = Desk()
        self.keys = Keys()
        self.state = State()
        self.approvals = Approvals()
        self.alerts = Alerts()
        self.alerts.log = webhook_log
        self.source = Source()
        self.instruments = instruments()
        self.desk.known = lambda key: self.instruments.get(key) is not None
        self.hub = MarketHub(self.clock, self.instruments)
        self.hub.set_source(self.source)  # type: ignore[arg-type]
        self.status = AccountStatus(
            "simulator:SIM", "simulator", "SIM", "Simulator", AccountState.CONNECTED
        )
        self.controlled: list[dict[str, Any]] = []
        self.ctx = ApiContext(
            settings=self.settings,
            clock=self.clock,
            bus=Bus(),
            hub=self.hub,
            desk=self.desk,  # type: ignore[arg-type]
            instruments=self.instruments,
            keys=self.keys,  # type: ignore[arg-type]
            calendar=MarketCalendar.from_json(resource_text("calendar/holidays.json")),
            state=self.state,  # type: ignore[arg-type]
            control=self._control,
            account_status=lambda: self.status,
            user_id="trader",
            alerts=self.alerts,
            approvals=self.approvals,  # type: ignore[arg-type]
            strategies=strategies,
            webhook_log=webhook_log,
            telegram=telegram,
        )
        self.api = LocalApi(self.ctx)
        self.http: httpx.AsyncClient

    async def _control(self, payload: dict[str, Any]) -> dict[str, Any]:
        self.controlled.append(payload)
        return {}

    async def post(
        self, path: str, body: dict[str, Any] | None = None, key: str | None = "good", **rest: Any
    ) -> tuple[int, Any]:
        """Status and JSON of a POST below ``/api/v1/`` (or of an absolute path)."""
        data = dict(body or {})
        if key is not None:
            data.setdefault("apikey", key)
        url = path if path.startswith("/") else f"/api/v1/{path}"
        answer = await self.http.post(url, json=data, **rest)
        return answer.status_code, answer.json()


@asynccontextmanager
async def running(**overrides: Any) -> AsyncIterator[World]:
    """A started local API and a client for it."""
    world = World(**({"limits.api": "", "limits.order": "", "limits.smart": ""} | overrides))
    await world.hub.start()
    await world.api.start()
    try:
        async with httpx.AsyncClient(base_url=world.api.rest_url, timeout=60) as client:
            world.http = client
            yield world
    finally:
        await world.api.stop()
        await world.hub.stop()
