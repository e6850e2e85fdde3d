"""Contract sizes: how many units one contract has, and what one unit earns per rupee of price.

Everything above an adapter speaks units. Some brokers count contracts on some exchanges
(``BrokerSpec.in_contracts``), and their masters then say lot size 1; the table of the resource
``brokers/contracts.json`` has the sizes. A size in the master's own row goes before the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache

import msgspec

from openalgo_desktop.config.resources import resource_text
from openalgo_desktop.core.errors import InvalidOrder
from openalgo_desktop.core.model import Instrument


class _Change(msgspec.Struct, frozen=True):
    """Another size for expiries from a day on."""

    root: str
    expiries_from: date
    size: int


class _Exchange(msgspec.Struct, frozen=True):
    """One exchange: units of a contract by root, and rupees of a contract per rupee of price."""

    sizes: dict[str, int] = {}
    values: dict[str, float] = {}
    changes: tuple[_Change, ...] = ()


@cache
def _tables() -> Mapping[str, _Exchange]:
    raw = msgspec.json.decode(resource_text("brokers/contracts.json"))
    return {
        name: msgspec.convert(table, _Exchange)
        for name, table in raw.items()
        if isinstance(table, dict)
    }


@cache
def _roots(exchange: str) -> tuple[str, ...]:
    """Known roots, the longest first: GOLDM goes before GOLD."""
    table = _tables()[exchange]
    return tuple(sorted({*table.sizes, *table.values}, key=len, reverse=True))


def _root(exchange: str, names: tuple[str, ...]) -> str:
    """The underlying that one of the names is or begins with (a date or a strike follows, or
    ``FUT`` and then the date); else ''."""
    if exchange not in _tables():
        return ""
    texts = [name.replace(" ", "").upper() for name in names if name]
    for text in texts:
        for root in _roots(exchange):
            rest = text[len(root) :].removeprefix("FUT")
            if text == root or (text.startswith(root) and rest[:1].isdigit()):
                return root
    return ""


def table_size(exchange: str, *names: str, expiry: date | None = None) -> int:
    """Units of one contract by the table, from any of its names (underlying, symbol); 1 where
    none is known."""
    root = _root(exchange, names)
    if not root:
        return 1
    table = _tables()[exchange]
    for change in table.changes:
        if change.root == root and expiry is not None and expiry >= change.expiries_from:
            return change.size
    return table.sizes.get(root, 1)


def known_size(exchange: str, *names: str, expiry: date | None = None) -> int:
    """Units of one contract where they are known; of a currency, whose masters say 1 or 1,000, its
    value. 1 where nothing is known."""
    size = table_size(exchange, *names, expiry=expiry)
    root = _root(exchange, names)
    if size > 1 or not root or _tables()[exchange].sizes:
        return size
    return int(_tables()[exchange].values[root])


def unit_value(exchange: str, lot: int, *names: str) -> float:
    """Rupees that one unit earns when its price rises by a rupee, where a lot has ``lot`` units:
    GOLD is quoted for ten grams and traded by the kilogram."""
    root = _root(exchange, names)
    if not root:
        return 1.0
    table, lot = _tables()[exchange], max(1, lot)
    # Without a value of its own a contract is worth its size; a lot of 1 is a contract, uncounted.
    own = table.sizes.get(root, 1) if lot == 1 else lot
    return table.values.get(root, own) / lot


def contract_size(row: Instrument | None, exchange: str, text: str = "") -> int:
    """Units of one contract of ``row``, or of the broker's symbol ``text`` that no master knows."""
    if row is None:
        return table_size(exchange, text)
    if row.lot_size > 1:
        return row.lot_size
    return table_size(exchange, row.name, row.brsymbol, row.symbol, expiry=row.expiry)


def in_contracts(quantity: int, size: int, symbol: str, what: str = "Quantity") -> int:
    """``quantity`` units as contracts of ``size``; what is no multiple is refused, not rounded."""
    contracts, rest = divmod(quantity, size)
    if rest:
        raise InvalidOrder(
            f"{what} must be in multiples of lot size {size} for {symbol}, got {quantity}",
            field="quantity" if what == "Quantity" else "disclosed_quantity",
        )
    return contracts
