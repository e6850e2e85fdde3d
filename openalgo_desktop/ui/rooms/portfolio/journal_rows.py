"""Rows and columns of round trips, shared by the journal and the P&L calendar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import msgspec

from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Action, Mode
from openalgo_desktop.core.gently import gently
from openalgo_desktop.core.trade_journal import NO_NOTE, JournalBook, RoundTrip, TradeNote
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.names import symbol_column
from openalgo_desktop.ui.kit.table_dock import Col

UNKNOWN_ENTRY = "Sold without a known entry: bought before the journal began, or elsewhere"
UNKNOWN_EXIT = "The contract expired; its settlement price was not told"


class JournalRow(msgspec.Struct, frozen=True, gc=False):
    """A round trip with its note; ``words`` is what the search looks in, lower case."""

    trip: RoundTrip
    note: TradeNote
    day: date
    words: str


def journal_row(bridge: Bridge, trip: RoundTrip, note: TradeNote) -> JournalRow:
    """One row."""
    words = (bridge.name(trip.key), trip.symbol, trip.strategy, *note.tags, note.text)
    day = trip.exit_at.astimezone(IST).date()
    return JournalRow(trip, note, day, " ".join(words).lower())


def journal_rows(bridge: Bridge, book: JournalBook) -> list[JournalRow]:
    """All rows, newest first. Thousands: for a thread."""
    notes = book.notes
    return [
        journal_row(bridge, trip, notes.get(trip.trip_id, NO_NOTE))
        for trip in gently(book.trips[::-1])
    ]


def tags_of(text: str) -> tuple[str, ...]:
    """Tags as they are typed, separated by commas: without doubles, in their order."""
    return tuple(dict.fromkeys(" ".join(part.split()) for part in text.split(",") if part.strip()))


def about(book: JournalBook) -> str:
    """From when on executions are known, and how charges came about, in a sentence."""
    known = "All trades since the last reset of the sandbox."
    if book.since is not None:
        known = f"Live trades known since {book.since:%d %b %Y}, on days when the program ran."
    elif book.mode is Mode.LIVE:
        known = "No live trade is known yet: they count from the first log-in on."
    plan = book.plan.replace("_", " ")
    return f"{known} Charges are estimated by the plan “{plan}” where the account tells none."


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _price(bridge: Bridge, row: JournalRow, value: Decimal | None) -> str:
    return fmt.MISSING if value is None else fmt.exact(float(value), bridge.places(row.trip.key))


def _lots(bridge: Bridge, row: JournalRow) -> str:
    """Lots first, units beside: ``2 lots (150)``; shares as they are."""
    instrument = bridge.instrument(row.trip.key)
    size = instrument.lot_size if instrument is not None else 1
    units = row.trip.quantity
    if size <= 1 or units % size:
        return fmt.quantity(units)
    lots = units // size
    return f"{fmt.quantity(lots)} {'lot' if lots == 1 else 'lots'} ({fmt.quantity(units)})"


def _why_unknown(row: JournalRow) -> str:
    if row.trip.gross is not None:
        return ""
    return UNKNOWN_EXIT if row.trip.exit_price is None else UNKNOWN_ENTRY


def _money(key: str, title: str, tooltip: str = "") -> Col[JournalRow]:
    def value(row: JournalRow) -> float | None:
        return _number(row.trip.net if key == "net" else row.trip.gross)

    def text(row: JournalRow) -> str:
        found = value(row)
        return fmt.MISSING if found is None else fmt.signed_money(found)

    return Col(
        key,
        title,
        100,
        value,
        text,
        lambda row: fmt.sign_role(value(row) or 0.0),
        tooltip=tooltip,
        tip=_why_unknown,
        sample="-99,999.00",
    )


def trip_columns(bridge: Bridge) -> tuple[Col[JournalRow], ...]:
    """What both tables show of a round trip, its end first."""
    return (
        Col(
            "closed",
            "Closed",
            112,
            lambda row: row.trip.exit_at.timestamp(),
            lambda row: f"{row.trip.exit_at.astimezone(IST):%d %b %y %H:%M}",
            numeric=False,
            tip=lambda row: fmt.date_time_text(row.trip.exit_at),
            sample="29 Nov 26 15:29",
        ),
        symbol_column(bridge, lambda row: row.trip.key),
        Col(
            "side",
            "Side",
            48,
            lambda row: "Long" if row.trip.side is Action.BUY else "Short",
            tone=lambda row: "buy" if row.trip.side is Action.BUY else "sell",
            numeric=False,
        ),
        Col(
            "quantity",
            "Qty",
            92,
            lambda row: row.trip.quantity,
            lambda row: _lots(bridge, row),
            copied=lambda row: str(row.trip.quantity),
        ),
        Col(
            "entry",
            "Entry",
            84,
            lambda row: _number(row.trip.entry_price),
            lambda row: _price(bridge, row, row.trip.entry_price),
            tooltip="Average of the entries that were closed, first in, first out",
        ),
        Col(
            "exit",
            "Exit",
            84,
            lambda row: _number(row.trip.exit_price),
            lambda row: _price(bridge, row, row.trip.exit_price),
            tip=lambda row: "Settled without a trade" if row.trip.settled else "",
        ),
        _money("net", "Net P&L", "After charges of entry and exit"),
        _money("gross", "Gross P&L"),
        Col(
            "charges",
            "Charges",
            74,
            lambda row: float(row.trip.charges),
            lambda row: fmt.money(float(row.trip.charges)),
            tooltip="Brokerage, taxes and fees of entry and exit; estimated where not told",
        ),
        Col(
            "held",
            "Held",
            84,
            lambda row: row.trip.held,
            lambda row: fmt.MISSING if row.trip.held is None else fmt.duration(row.trip.held),
            copied=lambda row: "" if row.trip.held is None else f"{row.trip.held / 60:.1f}",
            spoken="Held (minutes)",
            sample="23 h 59 min",
        ),
        Col("product", "Prod", 50, lambda row: row.trip.product.value, numeric=False),
        Col("strategy", "Strategy", 90, lambda row: row.trip.strategy, numeric=False),
    )


def note_columns() -> tuple[Col[JournalRow], ...]:
    """What the trader says of it; edited in place."""
    return (
        Col(
            "tags",
            "Tags",
            120,
            lambda row: ", ".join(row.note.tags),
            numeric=False,
            tooltip="Your own words, separated by commas; F2 or a double click edits them",
        ),
        Col(
            "note",
            "Note",
            220,
            lambda row: row.note.text,
            numeric=False,
            tooltip="F2 or a double click edits it",
            elides=True,
        ),
    )


def since(rows: Sequence[JournalRow], first: date | None, words: str) -> list[JournalRow]:
    """Those that were closed on ``first`` or later and have ``words`` in them."""
    needle = words.strip().lower()
    return [
        row
        for row in rows
        if (first is None or row.day >= first) and (not needle or needle in row.words)
    ]
