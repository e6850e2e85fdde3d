"""The strategy book: the same executions give the same book, in whatever order they are told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal as D
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openalgo_desktop.analytics.strategy_book import line
from openalgo_desktop.analytics.strategy_book.account import AccountBook, TooOld
from openalgo_desktop.analytics.strategy_book.line import DaySum, order_of
from openalgo_desktop.analytics.strategy_book.reading import curve_of, position_of, summary_of
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Action, Mode, Product
from openalgo_desktop.core.model import SQUARE_OFF_STRATEGY
from openalgo_desktop.core.trade_journal import Because, Execution

FIRST = datetime(2026, 11, 23, 9, 15, tzinfo=IST)


def row(units: int, price: float, strategy: str = "ema", **fields: Any) -> Execution:
    values: dict[str, Any] = {
        "account_id": "a",
        "mode": Mode.LIVE,
        "symbol": "SBIN",
        "exchange": "NSE",
        "product": Product.NRML,
        "action": Action.BUY if units > 0 else Action.SELL,
        "quantity": abs(units),
        "price": D(str(price)),
        "at": FIRST,
        "strategy": strategy,
        "charges": D("1"),
    }
    return Execution(**(values | fields))


def rows_of(*given: Execution) -> list[Execution]:
    """A minute apart, each an order of its own."""
    return [
        msgspec.structs.replace(
            one,
            at=one.at + timedelta(minutes=n),
            order_id=one.order_id or f"{n}",
            trade_id=f"T{n}",
        )
        for n, one in enumerate(given)
    ]


class Costs:
    """The first fill of a day costs 7, each further one 1."""

    def __init__(self, fills: int = 0) -> None:
        self.fills = fills

    def cost(self, row: Execution) -> D:
        self.fills += 1
        return D(7) if self.fills == 1 else D(1)

    def copy(self) -> Costs:
        return Costs(self.fills)


def new_book() -> AccountBook:
    return AccountBook(lambda key: lambda day: Costs())


def book_of(rows: Sequence[Execution]) -> AccountBook:
    book = new_book()
    for one in rows:
        book.add(one)
    return book


def state(book: AccountBook) -> dict[str, Any]:
    """All that can be asked of it."""
    names = {*book.days, "ema", "two", "three"}
    return {
        name: (
            {day: (s.realised, s.charges, s.fills) for day, s in book.days.get(name, {}).items()},
            {
                place: (net.quantity, net.average, net.since)
                for place, (net, _) in book.held(name).items()
            },
        )
        for name in sorted(names)
    }


def units(book: AccountBook, name: str = "ema") -> dict[Product, int]:
    return {product: net.quantity for (_, product), (net, _) in book.held(name).items()}


def sums(book: AccountBook, name: str = "ema") -> tuple[D, D, int]:
    total = DaySum()
    for one in book.days.get(name, {}).values():
        total.add(one)
    return total.realised, total.charges, total.fills


# -- what it counts --------------------------------------------------------------------------
def test_realised_charges_and_what_is_held_by_strategy():
    book = book_of(
        rows_of(row(10, 100), row(10, 120, "two"), row(10, 120), row(-15, 130), row(-5, 90, ""))
    )
    assert units(book) == {Product.NRML: 5}
    assert sums(book) == (D(300), D(3), 3)  # 15 units of 110 sold at 130
    assert (units(book, "two"), sums(book, "two")) == ({Product.NRML: 10}, (D(0), D(1), 1))
    ((net, line),) = book.held("ema").values()
    assert (net.average, net.since, line.multiplier) == (D(110), FIRST, D(1))


def test_charges_that_nobody_told_are_estimated_and_a_turned_position_begins_anew():
    at = FIRST + timedelta(minutes=1)
    book = book_of(rows_of(row(10, 100, charges=D(0)), row(-30, 110, multiplier=D(2))))
    assert sums(book) == (D(200), D(8), 2)
    ((net, _),) = book.held("ema").values()
    assert (net.quantity, net.average, net.since) == (-20, D(110), at)


def test_a_position_of_earlier_days_stays_the_strategys():
    days = [FIRST + timedelta(days=n) for n in range(3)]
    book = book_of(
        rows_of(row(10, 100, at=days[0]), row(-4, 90, at=days[1]), row(-6, 120, at=days[2]))
    )
    rows = curve_of(book.days["ema"])
    assert [(one.day, one.realised, one.net, one.equity) for one in rows] == [
        (days[0].date(), D(0), D(-1), D(-1)),
        (days[1].date(), D(-40), D(-41), D(-42)),
        (days[2].date(), D(120), D(119), D(77)),
    ]
    assert units(book) == {}


def test_what_a_hand_or_the_kill_switch_closed_leaves_the_strategies():
    """In the name of the square-off, and only what the account has no more."""
    flat = book_of(rows_of(row(10, 100), row(5, 100, "two"), row(-15, 110, SQUARE_OFF_STRATEGY)))
    assert (units(flat), units(flat, "two")) == ({}, {})
    assert sums(flat) == (D(100), D("1.6667"), 2)
    assert sums(flat, "two")[0] == D(50)
    shared = book_of(rows_of(row(20, 100, ""), row(10, 100), row(-20, 90, SQUARE_OFF_STRATEGY)))
    assert units(shared) == {Product.NRML: 10}
    part = book_of(rows_of(row(10, 100), row(-4, 90, SQUARE_OFF_STRATEGY)))
    assert (units(part), sums(part)[0]) == ({Product.NRML: 6}, D(-40))


def test_a_settlement_closes_everybody_at_its_price():
    settled = row(1, 0, "", because=Because.SETTLED, profit=D(-300), charges=D(0))
    book = book_of(rows_of(row(10, 100), row(20, 130, "two"), settled))
    # the account: 30 at 120, so -300 is a price of 110
    assert (sums(book)[0], sums(book, "two")[0]) == (D(100), D(-400))
    assert (units(book), units(book, "two")) == ({}, {})


def test_a_conversion_of_all_carries_the_strategies_along():
    moves = {"because": Because.CONVERTED, "to": Product.CNC, "strategy": ""}
    book = book_of(rows_of(row(10, 100), row(5, 90, "two"), row(15, 0, **moves)))
    assert (units(book), units(book, "two")) == ({Product.CNC: 10}, {Product.CNC: 5})
    part = book_of(rows_of(row(10, 100), row(5, 90, "two"), row(12, 0, **moves)))
    assert units(part) == {Product.NRML: 10}  # nobody knows whose units went


def test_a_new_start_of_the_account_ends_what_is_held_and_keeps_results():
    reset = row(1, 0, "", because=Because.RESET, symbol="", exchange="")
    book = book_of(rows_of(row(10, 100), row(-4, 110), reset, row(3, 100)))
    assert (units(book), sums(book)[0]) == ({Product.NRML: 3}, D(40))


def test_an_execution_of_an_earlier_day_asks_to_be_read_anew():
    book = book_of(rows_of(row(10, 100, at=FIRST + timedelta(days=1))))
    with pytest.raises(TooOld):
        book.add(row(1, 100, order_id="9", trade_id="T9"))


def test_all_of_an_order_replaces_what_was_known_of_it():
    book = book_of(rows_of(row(4, 100), row(-2, 100)))
    whole = [row(4, 100, order_id="0", trade_id="T0"), row(6, 102, order_id="0", trade_id="T5")]
    assert book.replace_order(whole) == {"ema"}
    assert units(book) == {Product.NRML: 8}
    assert sums(book)[2] == 3


def test_shares_of_somebody_else_that_are_sold_open_no_short():
    cnc = {"product": Product.CNC}
    book = book_of(rows_of(row(-10, 100, **cnc), row(4, 110, **cnc), row(-9, 120, **cnc)))
    assert (units(book), sums(book)) == ({}, (D(40), D(3), 3))
    assert units(book_of(rows_of(row(-10, 100)))) == {Product.NRML: -10}


# -- the same executions, the same book ------------------------------------------------------
NAMES = ("ema", "two", "three", "", SQUARE_OFF_STRATEGY)
events = st.tuples(
    st.integers(0, 2),  # day
    st.integers(0, 3),  # minute: some at the same moment
    st.integers(-6, 6).filter(bool),
    st.integers(90, 110),
    st.sampled_from(NAMES),
    st.sampled_from(("SBIN", "INFY")),
    st.booleans(),  # named late
    st.sampled_from((Product.NRML, Product.CNC)),
)


@pytest.fixture(scope="module")
def kept_often() -> Iterator[None]:
    """A day of a few rows has states between its rows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line, "_KEPT_EACH", 3)
        yield


@pytest.mark.usefixtures("kept_often")
@settings(max_examples=60, deadline=None)
@given(st.lists(events, min_size=1, max_size=14), st.randoms(use_true_random=False))
def test_any_order_of_fills_names_and_restarts_gives_the_same_book(
    given_events: list[tuple[int, int, int, int, str, str, bool, Product]], random: Any
):
    told = [
        row(
            units,
            price,
            name,
            symbol=symbol,
            product=product,
            at=FIRST + timedelta(days=day, minutes=minute),
            order_id=str(n),
            trade_id=f"T{n}",
        )
        for n, (day, minute, units, price, name, symbol, _, product) in enumerate(given_events)
    ]
    late = {str(n) for n, event in enumerate(given_events) if event[-2]}
    wanted = state(book_of(sorted(told, key=order_of)))
    book, stored = new_book(), []
    for day in sorted({one.at.date() for one in told}):
        today = [one for one in told if one.at.date() == day]
        random.shuffle(today)
        names = []
        for one in today:
            first = one
            if one.order_id in late and one.strategy not in ("", SQUARE_OFF_STRATEGY):
                first = msgspec.structs.replace(one, strategy="")
                names.append(one)
            for _ in range(random.choice((1, 1, 2))):  # told again
                book.add(first)
            if random.random() < 0.3 and names:
                named = names.pop()
                book.name(named.key, named.order_id, named.strategy)
            stored.append(one)
            again = random.choice(stored)
            if again.at.date() == day and again not in names:  # without the name that is known
                book.add(msgspec.structs.replace(again, strategy=""))
            if not names and random.random() < 0.2:  # a restart: from what is stored
                book = book_of(sorted(stored, key=order_of))
        for named in names:
            book.name(named.key, named.order_id, named.strategy)
    assert state(book) == wanted


# -- rows ------------------------------------------------------------------------------------
def test_the_summary_tells_drawdown_and_says_what_it_does_not_know():
    days = {
        date(2026, 11, 23): DaySum(D(500), D(50), 4, FIRST),
        date(2026, 11, 24): DaySum(D(-300), D(20), 2, FIRST),
        date(2026, 11, 25): DaySum(D(100), D(10), 2, FIRST),
    }
    net = next(iter(book_of(rows_of(row(10, 100))).held("ema").values()))[0]
    held = [position_of(("NSE", "SBIN"), Product.NRML, net, D(1), D(95))]
    today = date(2026, 11, 25)
    told = summary_of("ema", Mode.LIVE, "a", days, held, today, unknown=0)
    assert (told.realised, told.charges, told.open, told.net) == (D(300), D(80), D(-50), D(170))
    # 450 after the first day, 130 after the second; 170 now
    assert (told.max_drawdown, told.drawdown) == (D(320), D(280))
    assert (told.day_realised, told.day_charges, told.fills) == (D(100), D(10), 8)
    blind = [msgspec.structs.replace(held[0], ltp=None)]
    told = summary_of("ema", Mode.LIVE, "a", days, blind, date(2026, 11, 26), unknown=2)
    assert (told.open, told.net, told.unknown) == (None, None, 2)
    assert (told.day_realised, told.day_charges) == (D(0), D(0))
