"""The limits of one scope and what they look at. Pure."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from openalgo_desktop.core.errors import RiskBlocked
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.money import group_indian, plain
from openalgo_desktop.trading.ownbook import OwnBook


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of one scope; 0 is off. Money in rupees, ``price_band`` in per cent of the last
    price."""

    max_quantity: int = 0
    max_value: float = 0.0
    max_lots: int = 0
    orders_per_minute: int = 0
    open_positions: int = 0
    price_band: float = 0.0
    day_loss: float = 0.0
    day_profit: float = 0.0


OFF = Limits()


class Facts(msgspec.Struct):
    """What the rules of one scope look at."""

    quantity: int
    lots: float
    value: float
    off_price: float  # per cent from the last price
    recent: int  # orders within a minute
    positions: int
    profit: float = 0.0


#: Field of :class:`Limits`, fact, text. A limit is hurt when the fact is above it.
_RULES: tuple[tuple[str, Callable[[Facts], float], str], ...] = (
    ("max_quantity", lambda f: f.quantity, "quantity {number} is above the limit of {most}"),
    ("max_lots", lambda f: f.lots, "{number} lots are above the limit of {most}"),
    ("max_value", lambda f: f.value, "value {fact} is above the limit of {limit} rupees"),
    (
        "open_positions",
        lambda f: f.positions + 1,
        "it would be open position {number}, the limit is {most}",
    ),
    (
        "orders_per_minute",
        lambda f: f.recent + 1,
        "it would be order {number} within a minute, the limit is {most}",
    ),
    ("day_loss", lambda f: -f.profit, "today's loss is {fact}, the limit is {limit} rupees"),
    ("day_profit", lambda f: f.profit, "today's profit is {fact}, the target was {limit} rupees"),
)
_REACHED = ("day_loss", "day_profit")  # these are hurt when they are reached
#: Scopes of one strategy: what the user set, and the quotas of a hosted program.
OF_STRATEGY = ("strategy", "program")


def needs_result(limits: Limits) -> bool:
    return bool(limits.day_loss or limits.day_profit)


def needs_books(limits: Limits) -> bool:
    return bool(limits.open_positions or needs_result(limits))


def held_of(scope: str, book: OwnBook) -> set[Key]:
    """Instruments whose price the result of a scope needs."""
    kind, _, name = scope.partition(":")
    if kind == "strategy":
        return book.strategy_held(name)
    return book.held(name if kind == "symbol" else "")


def books_unknown(book: OwnBook) -> RiskBlocked:
    return RiskBlocked(
        f"The positions of {book.account_id} are not known yet, so the risk limits cannot be "
        "checked. Try again when the account's books were read."
    )


def check_scope(scope: str, limits: Limits, facts: Facts, *, closes: bool) -> None:
    """Raises :class:`RiskBlocked` for the first limit that is hurt; what ``closes`` is held to the
    band of its price only."""
    where = "" if scope == "all" else f" ({scope})"
    if limits.price_band and facts.off_price > limits.price_band:
        raise RiskBlocked(
            f"Risk limit{where}: the price is {facts.off_price:.2f} % from the last one, the "
            f"limit is {plain(limits.price_band)} %."
        )
    if closes:
        return
    for name, fact_of, text in _RULES:
        limit, fact = getattr(limits, name), fact_of(facts)
        hurt = fact >= limit if name in _REACHED else fact > limit
        if limit and hurt:
            words = text.format(
                number=plain(round(fact, 2)),
                most=plain(limit),
                fact=group_indian(fact, 2),
                limit=group_indian(limit, 2),
            )
            raise RiskBlocked(f"Risk limit{where}: {words}.")
