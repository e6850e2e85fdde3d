"""The simulator as a broker: an account that trades live on the simulated market.

Orders match against the displayed book, in parts; the account has its own money. Two faults can
be switched on: a lost connection, and lost acknowledgements (the order arrives, the answer does
not).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from openalgo_desktop.brokers.simulator.market import BROKER, SimulatorMarket
from openalgo_desktop.brokers.simulator.world import SimulatorOptions, World
from openalgo_desktop.config.resources import resource_text
from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import AccountState, FeedMode
from openalgo_desktop.core.errors import (
    ConfigError,
    InsufficientFunds,
    NotConnected,
    OrderStateUnknown,
    RejectedByBroker,
)
from openalgo_desktop.core.logins import LoginHelper
from openalgo_desktop.core.model import (
    AccountStatus,
    BookRows,
    Funds,
    Holding,
    Instrument,
    Margin,
    ModifyRequest,
    Order,
    OrderAck,
    OrderRequest,
    OrderUpdate,
    Position,
    SizeAnswer,
    Trade,
)
from openalgo_desktop.core.numbers import number
from openalgo_desktop.core.ports import PaperStore
from openalgo_desktop.core.ticks import Part
from openalgo_desktop.core.traits import Traits
from openalgo_desktop.exchange.fills import BookModel
from openalgo_desktop.exchange.host import PAPER_TERMS, PaperGateway
from openalgo_desktop.exchange.ledger import ZERO, paise
from openalgo_desktop.exchange.margin import MarginTable
from openalgo_desktop.exchange.paper import PaperBook

__all__ = ["SimulatorAccount", "SimulatorGateway", "SimulatorOptions"]

CLIENT_ID = "SIM001"
ACCOUNT_ID = f"{BROKER}:{CLIENT_ID}"
#: Money of a new simulator account, rupees.
CAPITAL = Decimal(10_000_000)


class Faults:
    """What is broken on purpose. Counts go down by one per order call."""

    def __init__(self) -> None:
        self.disconnect = False
        self.lose_acks = 0  # the call fails as unknown after the order arrived
        self.hang_acks = 0  # the call never answers

    def set(self, values: dict[str, Any]) -> None:
        """Switch faults; raises :class:`ConfigError` for an unknown one."""
        for name, value in values.items():
            if name not in ("disconnect", "lose_acks", "hang_acks"):
                raise ConfigError(
                    f"faults: unknown fault {name!r}; known: disconnect, lose_acks, hang_acks."
                )
            if not isinstance(value, bool | int) or int(value) < 0:
                raise ConfigError(f"faults: {name} must be true, false or a count.")
            setattr(self, name, bool(value) if name == "disconnect" else int(value))

    def as_dict(self) -> dict[str, Any]:
        """The present state."""
        return dict(vars(self))


class SimulatorGateway(PaperGateway):
    """The live account. Refusals of the risk system leave a rejected row, as at a real broker."""

    traits = Traits(margin=True, recall=True, converts=True, **PAPER_TERMS)
    feed_mode = FeedMode.DEPTH

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.faults = Faults()
        self.connected = False
        self.trades_now: Callable[[str], bool] = lambda exchange: True
        self._held: list[OrderUpdate] = []
        self._push: Callable[[OrderUpdate], None] = lambda update: None
        super().set_listener(self._pushed)

    # -- pushes -----------------------------------------------------------------------------
    def set_listener(self, listener: Callable[[OrderUpdate], None]) -> None:
        """Who is told of every order change; while disconnected changes wait."""
        self._push = listener

    def _pushed(self, update: OrderUpdate) -> None:
        if self.connected:
            self._push(update)
        else:
            self._held.append(update)

    def reconnected(self) -> None:
        """Deliver what happened while nobody listened."""
        held, self._held = self._held, []
        for update in held:
            self._push(update)

    # -- orders -----------------------------------------------------------------------------
    def _require_connection(self) -> None:
        if not self.connected:
            raise NotConnected("The simulator is disconnected.")

    async def _acknowledge(self, ack: OrderAck, tag: str) -> OrderAck:
        if self.faults.hang_acks:
            self.faults.hang_acks -= 1
            await asyncio.Event().wait()
        if self.faults.lose_acks:
            self.faults.lose_acks -= 1
            raise OrderStateUnknown("The simulator lost the acknowledgement.", tag=tag)
        return ack

    async def place(self, request: OrderRequest, tag: str) -> OrderAck:
        """Place an order on the simulated exchange."""
        self._require_connection()
        if not self.trades_now(request.exchange):
            raise RejectedByBroker(f"The {request.exchange} market is closed.")
        try:
            ack = await super().place(request, tag)
        except InsufficientFunds as error:
            row = self.book.reject(request, tag, self._clock.now(), error.message)
            self.publish(request.key)
            await self.stored()
            raise RejectedByBroker(error.message, order_id=row.order.order_id) from error
        return await self._acknowledge(ack, tag)

    async def modify(self, request: ModifyRequest) -> OrderAck:
        """Change a working order."""
        self._require_connection()
        return await self._acknowledge(await super().modify(request), "")

    async def cancel(self, order_id: str) -> OrderAck:
        """Cancel a working order."""
        self._require_connection()
        return await self._acknowledge(await super().cancel(order_id), "")

    async def margin(self, legs: Sequence[OrderRequest]) -> Margin:
        """What these orders would block, each for itself by the account's leverage table. A price
        that an order does not name is the last one."""
        self._require_connection()
        table, total = MarginTable(), ZERO
        for leg in legs:
            price = leg.price or leg.trigger_price
            if not price:
                price = (await self._ticks.snapshot(leg.key, Part.LTP)).ltp
            instrument = self._instruments.require(leg.symbol, leg.exchange)
            total += table.required(
                instrument, leg.action, leg.product, leg.quantity, Decimal(str(price))
            )
        blocked = float(paise(total))
        return Margin(total=blocked, span=blocked)

    # -- books ------------------------------------------------------------------------------
    async def orders(self) -> BookRows[Order]:
        """Order book, oldest first."""
        self._require_connection()
        return await super().orders()

    async def order(self, order_id: str) -> Order:
        """One order of the book."""
        self._require_connection()
        return await super().order(order_id)

    async def trades(self) -> BookRows[Trade]:
        """Trade book, oldest first."""
        self._require_connection()
        return await super().trades()

    async def positions(self) -> BookRows[Position]:
        """Net positions."""
        self._require_connection()
        return await super().positions()

    async def holdings(self) -> BookRows[Holding]:
        """Delivered shares."""
        self._require_connection()
        return await super().holdings()

    async def funds(self) -> Funds:
        """Money of the account."""
        self._require_connection()
        return await super().funds()


class SimulatorAccount:
    """One login at the built-in market (:class:`BrokerAccount`); needs no network."""

    needs_login = False

    def __init__(
        self,
        clock: Clock,
        store: PaperStore,
        options: SimulatorOptions,
        calendar: MarketCalendar | None = None,
    ) -> None:
        calendar = calendar or MarketCalendar.from_json(resource_text("calendar/holidays.json"))
        self._world = World(clock, calendar, options)
        self._market = SimulatorMarket(clock, self._world, options.rate)
        book = PaperBook(ACCOUNT_ID, self._world, BookModel(), lane=1)
        self._gateway = SimulatorGateway(book, BROKER, clock, self._world, self._market, store)
        self._gateway.trades_now = self._world.sessions.is_open
        self._listener: Callable[[AccountStatus], None] = lambda status: None
        self._state = AccountState.OFFLINE
        self._always_open = options.always_open or options.frozen

    # -- parts ------------------------------------------------------------------------------
    @property
    def status(self) -> AccountStatus:
        """State for the toolbar."""
        down = self._gateway.faults.disconnect
        return AccountStatus(
            account_id=ACCOUNT_ID,
            broker=BROKER,
            client_id=CLIENT_ID,
            title="Simulator",
            state=self._state,
            message="Disconnected by a switched-on fault." if down else "",
        )

    @property
    def gateway(self) -> SimulatorGateway:
        """Where live orders go."""
        return self._gateway

    @property
    def market(self) -> SimulatorMarket:
        """The simulated prices."""
        return self._market

    @property
    def always_open(self) -> bool:
        """Whether this market has no hours."""
        return self._always_open

    @property
    def master(self) -> SimulatorAccount:
        """The symbol master is the account's own."""
        return self

    async def instruments(self, *, anew: bool = False) -> list[Instrument]:
        """All contracts of the simulated market."""
        return self._world.instruments()

    async def learn_names(self) -> None:
        """Its symbols are ours."""

    # -- login ------------------------------------------------------------------------------
    async def login(
        self, given: Mapping[str, str], helper: LoginHelper | None = None, login_id: str = ""
    ) -> AccountStatus:
        """There is none: raises :class:`ConfigError`."""
        raise ConfigError("The simulator needs no login.")

    async def logout(self) -> None:
        """There is none: raises :class:`ConfigError`."""
        raise ConfigError("The simulator needs no login.")

    async def forget(self) -> None:
        """Nothing of it is secret."""

    def details(self) -> dict[str, Any]:
        """Nothing: the market is always there."""
        return {}

    # -- connection -------------------------------------------------------------------------
    def set_status_listener(self, listener: Callable[[AccountStatus], None]) -> None:
        """Who is told when the connection changes."""
        self._listener = listener

    def _set_state(self, state: AccountState) -> None:
        if state is not self._state:
            self._state = state
            self._gateway.connected = state is AccountState.CONNECTED
            self._listener(self.status)

    async def connect(self) -> None:
        """Open market and account."""
        if self._state is AccountState.CONNECTED:
            return
        self._market.start()
        await self._gateway.start(CAPITAL)
        self._set_state(AccountState.CONNECTED)

    async def disconnect(self) -> None:
        """Close account and market."""
        await self._gateway.stop()
        await self._market.stop()
        self._set_state(AccountState.OFFLINE)

    async def confirm_sizes(self) -> list[SizeAnswer]:
        """Nothing is open: this market counts units."""
        return []

    # -- control ----------------------------------------------------------------------------
    async def control(self, payload: dict[str, Any]) -> dict[str, Any]:
        """``{"prices": {"NSE:SBIN": 811.0}, "faults": {"disconnect": true}}``: move prices and
        switch faults. Raises :class:`ConfigError` for anything else."""
        for name, value in payload.items():
            if name not in ("prices", "faults"):
                raise ConfigError(f"Unknown control {name!r}; known: prices, faults, clock, reset.")
            if not isinstance(value, dict):
                raise ConfigError(f"{name} must be an object.")
        prices = payload.get("prices", {})
        try:
            moved = self._move(prices)
        finally:
            if prices:
                await self._market.show()
        if "faults" in payload:
            self._gateway.faults.set(payload["faults"])
            self._apply_connection()
        return {"prices": moved, "faults": self._gateway.faults.as_dict()}

    def _move(self, prices: dict[str, Any]) -> dict[str, float]:
        moved: dict[str, float] = {}
        for name, price in prices.items():
            exchange, _, symbol = name.partition(":")
            if not isinstance(price, int | float) or isinstance(price, bool):
                raise ConfigError(f"prices: {name} must be a number.")
            try:
                moved[name] = number(price)
            except ValueError:
                raise ConfigError(f"prices: {name} is too large.") from None
            self._world.set_price((exchange, symbol), moved[name])
        return moved

    def _apply_connection(self) -> None:
        down = self._gateway.faults.disconnect
        if down and self._state is AccountState.CONNECTED:
            self._market.drop()
            self._set_state(AccountState.DISCONNECTED)
        elif not down and self._state is AccountState.DISCONNECTED:
            self._market.resume()
            self._set_state(AccountState.CONNECTED)
            self._gateway.reconnected()
