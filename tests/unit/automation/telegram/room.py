"""The bot through the real library and a Bot API on loopback, over a stand-in for the program."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from openalgo_desktop.automation.telegram.rooms import Rooms
from openalgo_desktop.automation.telegram.service import Telegram
from openalgo_desktop.config.resources import resource_text
from openalgo_desktop.config.settings import Settings
from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import AccountState, Action, Mode, OrderStatus, PriceType, Product
from openalgo_desktop.core.errors import AppError, InvalidOrder, NotConnected, StorageError
from openalgo_desktop.core.events import Bus, SettingChanged
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import (
    AccountStatus,
    BookRows,
    Funds,
    Instrument,
    Order,
    Position,
    Trade,
)
from openalgo_desktop.core.reports import KillReport
from openalgo_desktop.core.secret import Secret
from openalgo_desktop.core.telegram import BotState, LinkedChat
from openalgo_desktop.core.totp import totp
from openalgo_desktop.exchange.charges import ChargeTable
from openalgo_desktop.trading.results import CloseAll
from tests.emulators.telegram import TOKEN, USER, Said, TelegramEmulator
from tests.memory import MemorySecrets
from tests.waiting import until

#: A Tuesday within the hours of the market.
NOW = datetime(2026, 12, 1, 10, 15, tzinfo=IST)
SBIN = Instrument("SBIN", "NSE", "SBIN", tick_size=0.05)


class MemoryStore:
    """Small values in dicts; ``fails`` makes writes that somebody waits for fail."""

    def __init__(self) -> None:
        self.values: dict[str, dict[str, Any]] = {}
        self.fails = False

    async def all(self, scope: str) -> dict[str, Any]:
        return dict(self.values.get(scope, {}))

    async def get(self, scope: str, key: str) -> Any:
        return self.values.get(scope, {}).get(key)

    async def put(self, scope: str, key: str, value: Any) -> None:
        if self.fails:
            raise StorageError("the disk is full")
        self.values.setdefault(scope, {})[key] = value

    async def delete(self, scope: str, key: str) -> None:
        if self.fails:
            raise StorageError("the disk is full")
        self.values.get(scope, {}).pop(key, None)

    def put_later(self, scope: str) -> Callable[[str, Any], None]:
        return lambda key, value: self.values.setdefault(scope, {}).__setitem__(key, value)

    def forget_later(self, scope: str) -> Callable[[str], None]:
        return lambda key: self.values.get(scope, {}).pop(key, None)  # type: ignore[return-value]


class Desk:
    """Books with fixed rows, a switch and a closer that counts."""

    def __init__(self) -> None:
        self.mode = Mode.SANDBOX
        self.read = self.closing = self
        self.elsewhere: Desk | None = None  # what the other mode has
        self.rows: list[Order] = []
        self.fills: list[Trade] = []
        self.held: list[Position] = []
        self.closed: list[tuple[str, Mode]] = []

    def bound(self, mode: Mode) -> Desk:
        if mode is self.mode:
            return self
        if self.elsewhere is None:
            raise NotConnected("No live account is connected.")
        return self.elsewhere

    def unsettled(self) -> int:
        return 0

    async def orders(self) -> BookRows[Order]:
        return BookRows(self.rows)

    async def trades(self) -> BookRows[Trade]:
        return BookRows(self.fills)

    async def positions(self) -> BookRows[Position]:
        return BookRows(self.held)

    async def holdings(self) -> BookRows[Any]:
        return BookRows()

    async def funds(self) -> Funds:
        return Funds(available_cash=9_87_654.5, collateral=0.0, utilised=12_345.5)

    async def close_all(
        self, source: str, mode: Mode | None = None, *, cancel_orders: bool = False
    ) -> CloseAll:
        if mode is not self.mode:
            raise InvalidOrder("The mode was switched meanwhile; nothing was sent.")
        self.closed.append((source, self.mode))
        return CloseAll(len(self.held), 0, True, self.mode)

    async def set_mode(self, mode: Mode, by: str) -> None:
        self.mode = mode


class Kill:
    """The kill switch; counts."""

    def __init__(self) -> None:
        self.tripped = False
        self.pulls: list[tuple[str, bool]] = []

    async def trip(self, by: str, *, flatten: bool = True) -> KillReport:
        self.tripped = True
        self.pulls.append((by, flatten))
        return KillReport(Mode.SANDBOX, by, NOW, 0, 0, 0, 0)


def order(number: int, status: OrderStatus = OrderStatus.COMPLETE, **changes: Any) -> Order:
    fields: dict[str, Any] = {
        "order_id": str(number),
        "symbol": "SBIN",
        "exchange": "NSE",
        "action": Action.BUY,
        "quantity": 10,
        "price_type": PriceType.MARKET,
        "product": Product.MIS,
        "status": status,
        "placed_at": NOW + timedelta(seconds=number),
        "strategy": "cross",
    }
    return Order(**(fields | changes))


class Room:
    """One bot with everything around it."""

    def __init__(
        self, api: TelegramEmulator, store: MemoryStore, vault: MemorySecrets, **overrides: Any
    ) -> None:
        self.api = api
        self.store = store
        self.vault = vault
        self.clock = ManualClock(NOW)
        self.bus = Bus()
        self.settings = Settings({"telegram.api_url": api.url, "telegram.grouping": 0, **overrides})
        self.settings.subscribe(
            lambda key, value: self.bus.publish(SettingChanged(key=key, value=value))
        )
        self.desk = Desk()
        self.kill = Kill()
        self.locked = False
        self.pauses: list[float] = []
        self.trail: list[tuple[str, str, str]] = []
        status = AccountStatus("s:1", "simulator", "SIM", "Simulator", AccountState.CONNECTED)
        hub: Any = SimpleNamespace(sound=True)
        desk: Any = self.desk
        bars: Any = None
        self.rooms = Rooms(
            clock=self.clock,
            bus=self.bus,
            desk=desk,
            hub=hub,
            instruments=InstrumentTable.of([SBIN]),
            calendar=MarketCalendar.from_json(resource_text("calendar/holidays.json")),
            bars=bars,
            kill_switch=self.kill,
            charges=lambda: ChargeTable(resource_text("charges/rates.json")),
            plan=lambda: str(self.settings["sandbox.brokerage_plan"]),
            live=lambda: status,
            data=lambda: status,
            locked=lambda: self.locked,
            always_open=lambda: False,
            address=lambda: "http://127.0.0.1:5000",
            record=lambda *row: self.trail.append(row),
        )
        self.bot = Telegram(self.rooms, self.settings, store, vault, "trader", pause=self._pause)

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.clock.advance(seconds)
        await asyncio.sleep(0)

    # -- the bot ----------------------------------------------------------------------------
    async def on(self) -> None:
        """Run it with its token."""
        await self.vault.set("telegram.token", Secret(TOKEN))
        await self.bot.switch(True)
        assert self.bot.status.state is BotState.RUNNING, self.bot.status

    async def link(self, chat: int = USER) -> LinkedChat:
        """A linked chat."""
        code = self.bot.new_code().code
        self.api.write(f"/link {code}", chat)
        await until(lambda: any(row.chat_id == chat for row in self.bot.chats()), "the link")
        await until(lambda: self.api.texts(chat), "the greeting")
        return self.bot.known_as(str(chat))[0]

    async def ask(self, text: str, chat: int = USER) -> Said:
        """Write and wait for the answer."""
        before = len(self.api.said)
        self.api.write(text, chat)
        await until(lambda: len(self.api.said) > before, f"an answer to {text}")
        return self.api.said[-1]

    async def press(self, said: Said, button: str) -> Said:
        """Press a button and wait for what follows."""
        before = len(self.api.said)
        self.api.press(said.buttons[button], said.chat, message_id=said.message_id)
        await until(lambda: len(self.api.said) > before, f"an answer to {button}")
        return self.api.said[before]

    async def pressed(self, said: Said, button: str) -> str:
        """Press a button that does nothing any more; the word for a moment."""
        before = len(self.api.answered)
        self.api.press(said.buttons[button], said.chat, message_id=said.message_id)
        await until(lambda: len(self.api.answered) > before, f"an answer to {button}")
        return self.api.answered[-1]

    async def code(self, chat: int = USER) -> str:
        """The code of the authenticator app now."""
        address = (await self.bot.otpauth(chat)).reveal()
        secret = address.partition("secret=")[2].partition("&")[0]
        return totp(secret, self.clock.time())


@asynccontextmanager
async def room(
    store: MemoryStore | None = None,
    vault: MemorySecrets | None = None,
    api: TelegramEmulator | None = None,
    **overrides: Any,
) -> AsyncIterator[Room]:
    """A room whose bot is off; its emulator is stopped at the end unless it was given."""
    server = api or TelegramEmulator()
    if api is None:
        await server.start()
    made = Room(server, store or MemoryStore(), vault or MemorySecrets(), **overrides)
    try:
        yield made
    finally:
        await made.bot.stop()
        if api is None:
            await server.stop()


__all__ = ["AppError", "Desk", "MemorySecrets", "MemoryStore", "Room", "order", "room"]
