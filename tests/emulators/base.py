"""What emulators of brokers have in common: a real server on loopback over the simulated market,
a log of requests, and faults. A broker's emulator is a face: its wire, nothing else.

Run in the test's own loop; clients may be in this or in another process.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from openalgo_desktop.brokers.simulator.account import SimulatorAccount, SimulatorOptions
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import FeedMode, OrderStatus
from openalgo_desktop.core.errors import InsufficientFunds, InvalidOrder, OrderNotWorking
from openalgo_desktop.core.model import (
    Instrument,
    Key,
    ModifyRequest,
    Order,
    OrderRequest,
    OrderUpdate,
)
from openalgo_desktop.core.ports import PaperRow
from openalgo_desktop.core.ticks import Tick

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class MemoryPaper:
    """A paper store that forgets at the end of the test."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, dict[str, Any]]] = {}

    async def save(self, account_id: str, rows: Mapping[str, Sequence[PaperRow]]) -> None:
        tables = self._rows.setdefault(account_id, {})
        for table, changes in rows.items():
            for row in changes:
                if row.data is None:
                    tables.setdefault(table, {}).pop(row.key, None)
                else:
                    tables.setdefault(table, {})[row.key] = msgspec.json.decode(row.data)

    async def load(self, account_id: str) -> dict[str, list[dict[str, Any]]]:
        tables = self._rows.get(account_id, {})
        return {name: list(rows.values()) for name, rows in tables.items()}

    async def clear(self, account_id: str, tables: Sequence[str]) -> None:
        for table in tables:
            self._rows.get(account_id, {}).pop(table, None)


@dataclass
class Faults:
    """What goes wrong. Counts go down by one per request or frame that they hit.

    ``only`` limits the HTTP faults to paths that begin so.
    """

    only: str = ""
    status: deque[int] = field(default_factory=deque)  # answer the next requests with these
    feed_status: deque[int] = field(default_factory=deque)  # the next connections of the feed
    slow: float = 0.0  # seconds before each answer
    lose_acks: int = 0  # do it, then cut the connection instead of answering
    hang_acks: int = 0  # do it, then never answer
    half_open: bool = False  # sockets stay open and say nothing
    truncate: int = 0  # send frames without their last bytes
    duplicate_orders: bool = False
    shuffle_orders: bool = False  # a push waits for the next one and comes after it


class Socket:
    """One client of the feed, with the modes that it asked for."""

    def __init__(self, response: web.WebSocketResponse, orders: bool = True) -> None:
        self.response = response
        self.orders = orders  # whether order pushes go to it
        self.modes: dict[Key, FeedMode] = {}

    async def send(self, frame: str | bytes) -> None:
        """Send a frame; a client that has gone is no error."""
        with contextlib.suppress(ConnectionError, RuntimeError):
            if isinstance(frame, bytes):
                await self.response.send_bytes(frame)
            else:
                await self.response.send_str(frame)


def near(rows: Sequence[Instrument], expiries: int) -> Iterator[Instrument]:
    """All rows, of options those of the next ``expiries`` of each underlying."""
    days: dict[Key, set[date]] = {}
    for row in rows:
        if row.is_option and row.expiry is not None:
            days.setdefault((row.exchange, row.name), set()).add(row.expiry)
    last = {of: sorted(found)[:expiries][-1] for of, found in days.items()}
    for row in rows:
        until = last.get((row.exchange, row.name)) if row.is_option else None
        if until is None or row.expiry is None or row.expiry <= until:
            yield row


class BrokerEmulator:
    """Base of the emulators. A face adds routes and turns ticks and orders into frames."""

    #: Path of the feed's socket.
    feed_path = "/"
    #: Seconds between heartbeats of the feed.
    heartbeat = 1.0
    #: Expiries of options that are offered of each underlying, the next ones: a master with all of
    #: them is the work of most short tests.
    option_expiries = 2
    #: Whether order pushes begin with the connection, unasked.
    orders_at_once = True

    def __init__(self, clock: Clock, *, rate: float = 200.0, universe: Path | None = None) -> None:
        self.clock = clock
        self.faults = Faults()
        self.log: list[tuple[str, str]] = []
        self.writes: list[str] = []  # paths of requests that changed something, or tried to
        self.arrived: list[dict[str, Any]] = []  # bodies of order writes, as they came
        self._taken: dict[str, Order] = {}  # what our engine would not have taken, or not so
        self.sockets: list[Socket] = []
        self.account = SimulatorAccount(
            clock, MemoryPaper(), SimulatorOptions(rate=rate, universe=universe)
        )
        self.rows: dict[Key, Instrument] = {}
        self._held: list[Order] = []
        self._runner: web.AppRunner | None = None
        self._outbox: asyncio.Queue[tuple[Socket, str | bytes]] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self.port = 0

    # -- life -------------------------------------------------------------------------------
    async def start(self, port: int = 0) -> None:
        """Open the market and listen on 127.0.0.1."""
        await self.account.connect()
        rows = await self.account.instruments()
        self.rows = {row.key: row for row in near(rows, self.option_expiries)}
        self.account.gateway.set_listener(self._order_changed)
        self.account.market.set_sink(self._tick)
        app = web.Application(middlewares=[self._middleware])
        self.add_feed(app)
        self.add_routes(app.router)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self._tasks = [
            asyncio.create_task(self._send_loop(), name="emulator-sender"),
            asyncio.create_task(self._beat_loop(), name="emulator-heartbeat"),
        ]

    async def stop(self) -> None:
        """Close everything."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.drop_sockets()
        if self._runner is not None:
            await self._runner.cleanup()
        await self.account.disconnect()

    async def __aenter__(self) -> BrokerEmulator:
        await self.start()
        return self

    async def __aexit__(self, *args: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """Address for the REST host."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        """Address for the stream host."""
        return f"ws://127.0.0.1:{self.port}"

    def hosts(self) -> dict[str, str]:
        """Overrides for the broker's hosts."""
        return {"rest": self.url, "stream": self.ws_url}

    # -- for a face -------------------------------------------------------------------------
    def add_feed(self, app: web.Application) -> None:
        """The feed's socket; a WebSocket at :attr:`feed_path` unless the broker has another."""
        app.router.add_get(self.feed_path, self._feed)

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """REST routes of the broker."""
        raise NotImplementedError

    def refuse(self, status: int) -> web.Response:
        """An error answer of the broker for a fault."""
        raise NotImplementedError

    def is_write(self, request: web.Request) -> bool:
        """Whether the request changes orders; acknowledgements are lost for these only."""
        return request.method != "GET"

    async def check_socket(self, request: web.Request) -> None:
        """Refuse a feed connection by raising an HTTP error."""

    async def on_open(self, socket: Socket, request: web.Request) -> None:
        """A client connected; what a broker says first."""

    async def on_text(self, socket: Socket, text: str) -> None:
        """A text frame of a client."""

    async def on_binary(self, socket: Socket, data: bytes) -> None:
        """A binary frame of a client; most feeds take none."""

    def tick_frame(self, tick: Tick, mode: FeedMode) -> str | bytes:
        """A tick on the wire."""
        raise NotImplementedError

    def order_frame(self, order: Order) -> str | bytes:
        """An order push on the wire."""
        raise NotImplementedError

    def beat_frame(self) -> str | bytes | None:
        """The heartbeat."""
        return None

    # -- HTTP -------------------------------------------------------------------------------

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.log.append((request.method, request.path))
        write = self.is_write(request)
        if write:
            self.writes.append(request.path)
        faults = self.faults
        if request.path == self.feed_path and faults.feed_status:
            return web.Response(status=faults.feed_status.popleft(), text="no")
        hit = request.path != self.feed_path and request.path.startswith(faults.only)
        if hit and faults.slow:
            await asyncio.sleep(faults.slow)
        if hit and faults.status:
            return self.refuse(faults.status.popleft())
        response = await handler(request)
        if hit and write:
            if faults.hang_acks:
                faults.hang_acks -= 1
                await asyncio.Event().wait()
            if faults.lose_acks:
                faults.lose_acks -= 1
                assert request.transport is not None
                request.transport.abort()
        return response

    def calls(self, method: str, path: str) -> int:
        """How often a path (by its beginning) was called."""
        return sum(1 for m, p in self.log if m == method and p.startswith(path))

    # -- orders -----------------------------------------------------------------------------
    # The market behind is our own engine, whose checks are ours: an emulator must not refuse on
    # our behalf what our program should never have sent. So what is only *invalid* is taken as it
    # came and rests; money, ids and finished orders are a broker's own reasons to refuse.
    async def take(self, request: OrderRequest, tag: str) -> str:
        """A new order; its id."""
        try:
            return (await self.account.gateway.place(request, tag)).order_id
        except InvalidOrder:
            cost = request.quantity * request.price / 100
            if cost > (await self.account.gateway.funds()).available_cash:
                raise InsufficientFunds(f"Insufficient funds. Required margin is {cost}.") from None
            waits = request.price_type.has_trigger
            order = Order(
                order_id=f"99{len(self._taken) + 1:013d}",
                symbol=request.symbol,
                exchange=request.exchange,
                action=request.action,
                quantity=request.quantity,
                price_type=request.price_type,
                product=request.product,
                price=request.price,
                trigger_price=request.trigger_price,
                disclosed_quantity=request.disclosed_quantity,
                status=OrderStatus.TRIGGER_PENDING if waits else OrderStatus.OPEN,
                placed_at=self.clock.now(),
                tag=tag,
            )
            self._show(order)
            return order.order_id

    async def retake(self, request: ModifyRequest) -> None:
        """Other values of a working order."""
        order = self._taken.get(request.order_id)
        if order is None:
            try:
                await self.account.gateway.modify(request)
                return
            except InvalidOrder:
                order = next(o for o in await self.orders() if o.order_id == request.order_id)
        values = {
            name: value
            for name in ("quantity", "price", "trigger_price", "price_type", "disclosed_quantity")
            if (value := getattr(request, name)) is not None
        }
        self._show(msgspec.structs.replace(order, **values))

    async def drop(self, order_id: str) -> None:
        """Cancel a working order."""
        order = self._taken.get(order_id)
        if order is None or not order_id.startswith("99"):
            self._taken.pop(order_id, None)
            await self.account.gateway.cancel(order_id)
        elif order.status.is_final:
            raise OrderNotWorking(f"Order {order_id} cannot be cancelled.")
        else:
            self._show(msgspec.structs.replace(order, status=OrderStatus.CANCELLED))

    async def orders(self) -> list[Order]:
        """The order book."""
        engine = {order.order_id: order for order in await self.account.gateway.orders()}
        return list({**engine, **self._taken}.values())

    def _show(self, order: Order) -> None:
        order.updated_at = self.clock.now()
        self._taken[order.order_id] = order
        self._order_changed(OrderUpdate("", msgspec.structs.replace(order)))

    # -- feed -------------------------------------------------------------------------------
    async def _feed(self, request: web.Request) -> web.StreamResponse:
        await self.check_socket(request)
        response = web.WebSocketResponse(autoping=False)
        try:
            await response.prepare(request)
        except ConnectionError:  # gone before the handshake was over
            return response
        socket = Socket(response, orders=self.orders_at_once)
        self.sockets.append(socket)
        try:
            await self.on_open(socket, request)
            async for message in response:
                if self.faults.half_open:
                    continue  # pings find no answer, either
                if message.type is WSMsgType.PING:
                    await response.pong(message.data)
                elif message.type is WSMsgType.TEXT:
                    await self.on_text(socket, message.data)
                elif message.type is WSMsgType.BINARY:
                    await self.on_binary(socket, message.data)
        finally:
            if socket in self.sockets:
                self.sockets.remove(socket)
            await self._subscribe_market()
        return response

    async def drop_sockets(self) -> None:
        """Cut all feed connections."""
        for socket in tuple(self.sockets):
            transport = socket.response._req.transport if socket.response._req else None
            if transport is not None:
                transport.abort()
        self.sockets.clear()

    async def want(self, socket: Socket, modes: Mapping[Key, FeedMode]) -> None:
        """A client wants these; a snapshot of each goes out at once."""
        socket.modes.update(modes)
        await self._subscribe_market()
        answers = await self.account.market.quotes(list(modes))
        for key, mode in modes.items():
            if isinstance(tick := answers.get(key), Tick):
                if mode is FeedMode.DEPTH:
                    tick = await self.account.market.depth(key)
                self.emit(socket, self.tick_frame(tick, mode))

    async def unwant(self, socket: Socket, keys: Sequence[Key]) -> None:
        """A client no longer wants these."""
        for key in keys:
            socket.modes.pop(key, None)
        await self._subscribe_market()

    async def _subscribe_market(self) -> None:
        wanted: dict[Key, FeedMode] = {}
        for socket in self.sockets:
            for key, mode in socket.modes.items():
                wanted[key] = max(mode, wanted.get(key, FeedMode.LTP))
        if wanted:
            await self.account.market.subscribe(wanted)

    def _tick(self, tick: Tick) -> None:
        for socket in self.sockets:
            mode = socket.modes.get((tick.exchange, tick.symbol))
            if mode is not None:
                self.emit(socket, self.tick_frame(tick, mode))

    def _order_changed(self, update: OrderUpdate) -> None:
        orders = [update.order]
        if self.faults.shuffle_orders:
            self._held.append(update.order)
            if len(self._held) < 2:
                return
            orders, self._held = self._held[::-1], []
        for order in orders:
            for _ in range(2 if self.faults.duplicate_orders else 1):
                for socket in self.sockets:
                    if socket.orders:
                        self.emit(socket, self.order_frame(order))

    def emit(self, socket: Socket, frame: str | bytes) -> None:
        """Queue a frame for a client."""
        if self.faults.half_open:
            return
        if self.faults.truncate and len(frame) > 6:
            self.faults.truncate -= 1
            frame = frame[:-3]
        self._outbox.put_nowait((socket, frame))

    async def _send_loop(self) -> None:
        while True:
            socket, frame = await self._outbox.get()
            await socket.send(frame)

    async def _beat_loop(self) -> None:
        while True:
            frame = self.beat_frame()
            if frame is not None and not self.faults.half_open:
                for socket in tuple(self.sockets):
                    await socket.send(frame)
            await asyncio.sleep(self.heartbeat)
