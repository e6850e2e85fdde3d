"""Executions as the trade journal and the strategy book read them: those of the paper account and
those that were recorded of live accounts, with what changes a position without a trade.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from heapq import merge
from typing import Protocol

import msgspec

from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.conversion import ConvertRequest
from openalgo_desktop.core.enums import Action, Mode, Product
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Instrument, Key, Trade
from openalgo_desktop.core.ports import JournalEntry
from openalgo_desktop.core.symbols import parse
from openalgo_desktop.core.trade_journal import Because, Execution
from openalgo_desktop.exchange.charges import Fill
from openalgo_desktop.exchange.ledger import STARTS_OVER, Entry, EntryKind, decimal

_ONE = Decimal(1)
#: What comes first of one moment: an account starts over, then it trades, then it settles.
TURN = {
    Because.RESET: 0, Because.CARRIED: 1, Because.TRADE: 2, Because.CONVERTED: 3,
    Because.SETTLED: 4,
}  # fmt: skip


class Paper(Protocol):
    """The paper account, as the journal reads it."""

    @property
    def account_id(self) -> str: ...
    def all_trades(self) -> list[Trade]: ...
    def results(self) -> Sequence[Entry]:
        """Entries of the ledger that realised, charged or began anew, in order."""


class Executions(Protocol):
    """Recorded executions of live accounts."""

    async def all(self) -> list[Execution]: ...
    async def of_instrument(self, key: Key) -> list[Execution]: ...
    async def of_strategy(self, strategy: str) -> list[Execution]: ...


class Conversions(Protocol):
    """The order journal, as far as it tells which positions changed their product."""

    async def conversions(self) -> list[JournalEntry]: ...


class ExecutionSource:
    """Reads both kinds of account; keeps nothing."""

    def __init__(
        self,
        clock: Clock,
        paper: Paper,
        instruments: InstrumentTable,
        conversions: Conversions | None = None,
    ) -> None:
        self._clock = clock
        self._paper = paper
        self._instruments = instruments
        self._conversions = conversions
        self._changes = 0

    def corrected(self) -> None:
        """Another conversion is in the order journal."""
        self._changes += 1

    async def moved(self, mode: Mode) -> list[Execution]:
        """Conversions that are known, oldest first."""
        if self._conversions is None:
            return []
        changes = -1
        while changes != self._changes:  # another was done meanwhile
            changes = self._changes
            rows = await self._conversions.conversions()
        found = []
        for row in rows:
            if row.mode is mode:
                asked = msgspec.convert(row.request, ConvertRequest)
                found.append(
                    Execution(
                        account_id=row.account_id,
                        mode=mode,
                        symbol=asked.symbol,
                        exchange=asked.exchange,
                        product=asked.product,
                        action=asked.action,
                        quantity=asked.quantity,
                        price=Decimal(0),
                        at=row.created_at,
                        because=Because.CONVERTED,
                        to=asked.to,
                    )
                )
        return found

    def paper_rows(
        self, trades: Sequence[Trade], entries: Sequence[Entry], moved: Sequence[Execution]
    ) -> Iterator[Execution]:
        """What happened to the paper account, in order."""
        traded = (self.of_trade(trade) for trade in trades)
        settled = (row for entry in entries if (row := self.of_entry(entry)) is not None)
        return merge(traded, settled, moved, key=lambda row: (row.at, TURN[row.because]))

    def of_trade(self, trade: Trade) -> Execution:
        """A trade of the paper account."""
        return Execution.of(trade, self._paper.account_id, Mode.SANDBOX, self.multiplier(trade.key))

    def of_entry(self, entry: Entry) -> Execution | None:
        """A settlement, which names its position where a trade names its order, or a new start."""
        if entry.kind is EntryKind.CAPITAL:
            if entry.ref != STARTS_OVER and not entry.reserve:  # a changed starting capital
                return None
            exchange = symbol = product = ""
            because = Because.RESET
        elif entry.kind is EntryKind.REALISED and entry.ref.count("|") == 2:
            exchange, symbol, product = entry.ref.split("|")
            because = Because.SETTLED
        else:
            return None
        return Execution(
            account_id=self._paper.account_id,
            mode=Mode.SANDBOX,
            symbol=symbol,
            exchange=exchange,
            product=Product(product or Product.MIS),
            action=Action.SELL,
            quantity=1,
            price=Decimal(0),
            at=entry.at,
            multiplier=self.multiplier((exchange, symbol)),
            because=because,
            profit=entry.cash,
        )

    def is_over(self, key: Key, today: date) -> bool:
        """Whether a contract expired before ``today``."""
        found = self._instruments.get(key)
        expiry = found.expiry if found is not None else parse(key[1]).expiry
        return expiry is not None and expiry < today

    def fill_of(self, row: Execution, day: date) -> Fill:
        """An execution as the charges table reads it."""
        return Fill.of(
            self._instrument(row.key), row.product, row.action, row.quantity, row.price, day,
            row.order_id,
        )  # fmt: skip

    def _instrument(self, key: Key) -> Instrument:
        found = self._instruments.get(key)
        if found is not None:
            return found
        base, kind, expiry, strike = parse(key[1])
        return Instrument(
            key[1], key[0], base, kind, expiry=expiry, strike=strike,
            contract_value=float(self.multiplier(key)),
        )  # fmt: skip

    def multiplier(self, key: Key) -> Decimal:
        """Rupees that a unit earns; of a contract that the master has no more, those of the
        future of its underlying that is next."""
        found = self._instruments.get(key)
        if found is None and (parts := parse(key[1])).expiry is not None:
            today = self._clock.now().date()
            near = self._instruments.near_future(parts.base, key[0], today)
            found = self._instruments.get(near) if near is not None else None
        return _ONE if found is None else decimal(found.contract_value)
