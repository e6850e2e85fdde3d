"""The sandbox: a paper account that trades on live ticks of the data account."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Protocol

from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.ports import InstrumentLookup, PaperStore, TickSource
from openalgo_desktop.exchange.charges import ChargeTable
from openalgo_desktop.exchange.fills import TouchModel
from openalgo_desktop.exchange.host import PaperGateway
from openalgo_desktop.exchange.ledger import paise
from openalgo_desktop.exchange.margin import MarginTable
from openalgo_desktop.exchange.paper import PaperBook
from openalgo_desktop.resources import resource_text
from openalgo_desktop.sandbox.charging import Charging
from openalgo_desktop.sandbox.report import build_report
from openalgo_desktop.sandbox.statistics import Report

BROKER = "sandbox"
TABLES = ("orders", "trades", "positions", "holdings", "ledger", "meta")


class SettingValues(Protocol):
    """Current setting values by key."""

    def __getitem__(self, key: str) -> Any: ...


class Sandbox(PaperGateway):
    """The paper account of one broker account (:class:`TradingGateway`)."""

    def __init__(
        self,
        account_id: str,
        clock: Clock,
        instruments: InstrumentLookup,
        ticks: TickSource,
        store: PaperStore,
        settings: SettingValues | Mapping[str, Any],
    ) -> None:
        self._settings = settings
        margin = MarginTable(lambda name: float(settings[f"sandbox.{name}_leverage"]))
        book = PaperBook(account_id, instruments, TouchModel(), margin)
        super().__init__(book, BROKER, clock, instruments, ticks, store)
        table = ChargeTable(resource_text("charges/rates.json"))
        self.charging = Charging(table, lambda key: settings[key])
        book.charger = self.charging

    @property
    def capital(self) -> Decimal:
        """Starting capital, rupees."""
        return paise(Decimal(str(self._settings["sandbox.starting_capital"])))

    async def start(self, capital: Decimal | None = None) -> None:
        """Load the account, or open it with the starting capital."""
        await super().start(self.capital if capital is None else capital)
        self._resume_charges()

    def _resume_charges(self) -> None:
        today = self._clock.now().date()
        trades = [t for t in self.state.trades.values() if t.traded_at.date() == today]
        self.charging.resume(trades, self.book.instrument)

    async def report(self) -> Report:
        """What the statistics are made of: capital, fills, day ends, the running day."""
        return build_report(self.state, self._clock.now().date(), self.price, self.book.instrument)

    async def reset(self) -> None:
        """Delete every order, trade, position and holding and start over with the starting
        capital."""
        now = self._clock.now()
        for row in self.book.all_working():
            self.book.cancel(row.order.order_id, now)
        self.publish()
        await self.stored()
        count = self.state.meta.reset_count + 1
        await self._store.clear(self.account_id, TABLES)
        self.book.open(type(self.state)())
        self.book.fund(self.capital, now)
        self.state.meta.reset_count = count
        self._resume_charges()
        self.rewatch()
        await self.stored()
