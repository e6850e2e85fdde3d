"""The rows of one paper account and which of them wait to be stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from openalgo_desktop.core.gtt import Gtt
from openalgo_desktop.core.model import Trade
from openalgo_desktop.core.ports import PaperRow
from openalgo_desktop.exchange.ledger import ZERO, Entry, Ledger
from openalgo_desktop.exchange.records import (
    PaperHolding,
    PaperOrder,
    PaperPosition,
    PositionKey,
)

_encode = msgspec.json.Encoder().encode  # on the loop: in one go, and not a dictionary first


class PaperMeta(msgspec.Struct):
    """Figures of the account that are no row of a book.

    ``through`` is the moment up to which timed events have been done.
    """

    capital: Decimal = ZERO
    realised: Decimal = ZERO
    realised_today: Decimal = ZERO
    charges: Decimal = ZERO
    charges_today: Decimal = ZERO
    reset_count: int = 0
    last_reset: datetime | None = None
    through: datetime | None = None
    last_order: int = 0
    last_trade: int = 0


class DayRow(msgspec.Struct):
    """One line of the daily table, rupees. ``portfolio_value`` is cash plus reserve as in the
    reference; ``equity`` adds what is open and what is held, at the last prices."""

    day: date
    realised: float
    positions_unrealised: float
    holdings_unrealised: float
    total_mtm: float
    available: float
    used_margin: float
    portfolio_value: float
    equity: float = 0.0
    charges: float = 0.0


class PaperState:
    """All rows in memory; changed ones are marked and taken in one batch."""

    def __init__(self) -> None:
        self.orders: dict[str, PaperOrder] = {}
        self.trades: dict[str, Trade] = {}
        self.positions: dict[PositionKey, PaperPosition] = {}
        self.holdings: dict[tuple[str, str], PaperHolding] = {}
        self.gtts: dict[str, Gtt] = {}
        self.days: dict[date, DayRow] = {}
        self.ledger = Ledger()
        self.meta = PaperMeta()
        self._dirty: dict[tuple[str, str], Any] = {}
        self._again: dict[str, list[PaperRow]] = {}

    # -- marking ----------------------------------------------------------------------------
    def mark_order(self, row: PaperOrder) -> None:
        self._dirty["orders", row.order.order_id] = row

    def add_trade(self, trade: Trade) -> None:
        """File an execution."""
        self.trades[trade.trade_id] = trade
        self._dirty["trades", trade.trade_id] = trade

    def mark_position(self, row: PaperPosition) -> None:
        self._dirty["positions", "|".join(row.position_key)] = row

    def drop_position(self, key: PositionKey) -> None:
        """Remove the row of a position."""
        self.positions.pop(key, None)
        self._dirty["positions", "|".join(key)] = None

    def mark_holding(self, row: PaperHolding) -> None:
        self._dirty["holdings", "|".join(row.key)] = row

    def drop_holding(self, key: tuple[str, str]) -> None:
        """Remove the row of a holding."""
        self.holdings.pop(key, None)
        self._dirty["holdings", "|".join(key)] = None

    def mark_gtt(self, row: Gtt) -> None:
        self._dirty["meta", f"gtt:{row.trigger_id}"] = row

    def add_day(self, row: DayRow) -> None:
        """File a line of the daily table."""
        self.days[row.day] = row
        self._dirty["meta", f"day:{row.day.isoformat()}"] = row

    def mark_meta(self) -> None:
        self._dirty["meta", "account"] = self.meta

    @property
    def dirty(self) -> bool:
        """Whether anything waits to be stored."""
        return bool(self._dirty or self._again or self.ledger.fresh)

    def take(self) -> dict[str, list[PaperRow]]:
        """The rows that wait, encoded now; they count as stored from here on."""
        batch, self._again = self._again, {}
        for (table, key), row in self._dirty.items():
            data = None if row is None else _encode(row)
            batch.setdefault(table, []).append(PaperRow(key, data))
        self._dirty.clear()
        entries, self.ledger.fresh = self.ledger.fresh, []
        if entries:
            batch.setdefault("ledger", []).extend(
                PaperRow(f"{entry.number:012d}", _encode(entry)) for entry in entries
            )
        return batch

    def put_back(self, batch: dict[str, list[PaperRow]]) -> None:
        """The batch could not be stored: it comes first in the next one."""
        for table, rows in self._again.items():
            batch.setdefault(table, []).extend(rows)
        self._again = batch

    # -- loading ----------------------------------------------------------------------------
    @classmethod
    def from_rows(cls, tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> PaperState:
        """The state that was stored; empty tables give an empty account."""
        state = cls()
        for order in _rows(tables, "orders", PaperOrder):
            state.orders[order.order.order_id] = order
        for trade in _rows(tables, "trades", Trade):
            state.trades[trade.trade_id] = trade
        for position in _rows(tables, "positions", PaperPosition):
            state.positions[position.position_key] = position
        for holding in _rows(tables, "holdings", PaperHolding):
            state.holdings[holding.key] = holding
        state.ledger.load(sorted(_rows(tables, "ledger", Entry), key=lambda e: e.number))
        for data in tables.get("meta", ()):
            if "trigger_id" in data:
                gtt = msgspec.convert(data, Gtt)
                state.gtts[gtt.trigger_id] = gtt
            elif "portfolio_value" in data:
                day = msgspec.convert(data, DayRow)
                state.days[day.day] = day
            else:
                state.meta = msgspec.convert(data, PaperMeta)
        return state


def _rows(
    tables: Mapping[str, Sequence[Mapping[str, Any]]], name: str, kind: type[Any]
) -> Iterable[Any]:
    return [msgspec.convert(row, kind) for row in tables.get(name, ())]
