"""Executions into round trips, and their figures."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from openalgo_desktop.analytics.round_trips import RoundTrips, round_trips
from openalgo_desktop.analytics.trade_statistics import GROUPINGS, days, figures, groups, trip_day
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Action, Mode, Product
from openalgo_desktop.core.trade_journal import Because, Execution, RoundTrip, TradeNote
from tests.costs import times_dearer

START = datetime(2026, 11, 2, 9, 20, tzinfo=IST)  # a Monday
TODAY = date(2026, 11, 30)
BASE = Execution(
    account_id="sandbox:1",
    mode=Mode.SANDBOX,
    symbol="SBIN",
    exchange="NSE",
    product=Product.MIS,
    action=Action.BUY,
    quantity=1,
    price=Decimal(0),
    at=START,
)


def fill(
    side: str, quantity: int, price: str, order: str = "", minute: int = 0, **more: object
) -> Execution:
    fixed: dict[str, object] = {
        "action": Action(side),
        "quantity": quantity,
        "price": Decimal(price),
        "order_id": order or f"{side}{minute}",
        "at": START + timedelta(minutes=minute),
    }
    return msgspec.structs.replace(BASE, **(fixed | more))


def only(*rows: Execution) -> RoundTrip:
    (trip,) = round_trips(rows, TODAY)
    return trip


def converted(quantity: int, to: Product, minute: int, **more: object) -> Execution:
    return fill("BUY", quantity, "0", "none", minute, because=Because.CONVERTED, to=to, **more)


def test_a_conversion_of_the_same_day_carries_its_entries() -> None:
    trips = round_trips(
        [
            fill("BUY", 100, "100", minute=0, charges=Decimal(5), strategy="breakout"),
            fill("BUY", 50, "103", minute=1),
            converted(150, Product.CNC, 2),
            fill("SELL", 150, "110", minute=3, product=Product.CNC),
            fill("SELL", 10, "100", minute=4),  # nothing is left in MIS: a short of its own
            fill("BUY", 10, "90", minute=5),
        ],
        TODAY,
    )
    assert [(t.product.value, t.side.value, t.gross) for t in trips] == [
        ("CNC", "BUY", Decimal(1350)), ("MIS", "SELL", Decimal(100)),
    ]  # fmt: skip
    assert (trips[0].charges, trips[0].strategy) == (5, "breakout")
    assert trips[0].entry_at == START


def test_a_conversion_of_a_part_and_one_without_known_entries() -> None:
    trips = round_trips(
        [
            converted(10, Product.NRML, 0),  # held before the journal began
            fill("SELL", 20, "100", minute=1),
            fill("SELL", 20, "110", minute=2),
            converted(10, Product.NRML, 3, action=Action.SELL),
            fill("BUY", 30, "90", minute=4),
            fill("BUY", 10, "90", minute=5, product=Product.NRML),
        ],
        TODAY,
    )
    # The oldest ten went; 10 at 100 and 20 at 110 stayed.
    assert [(t.product.value, t.gross) for t in trips] == [("MIS", 500), ("NRML", 100)]


def test_a_trade_in_parts_is_one_row() -> None:
    trip = only(
        fill("BUY", 60, "100", "b", 0, charges=Decimal(6), strategy="breakout"),
        fill("BUY", 40, "102", "b", 1, charges=Decimal(4)),
        fill("SELL", 30, "105", "s", 10, charges=Decimal(3)),
        fill("SELL", 70, "104", "s", 12, charges=Decimal(7)),
    )
    assert (trip.side, trip.quantity, trip.strategy) == (Action.BUY, 100, "breakout")
    assert (trip.entry_price, trip.exit_price) == (Decimal("100.8"), Decimal("104.3"))
    assert (trip.gross, trip.charges, trip.net) == (Decimal(350), Decimal(20), Decimal(330))
    assert trip.held == 12 * 60
    assert trip.trip_id == "2026-11-02|s|sandbox|sandbox:1|NSE|SBIN|MIS"


def test_first_in_first_out() -> None:
    first, second = round_trips(
        [
            fill("BUY", 10, "100", minute=0, charges=Decimal(1)),
            fill("BUY", 10, "110", minute=1, charges=Decimal(2)),
            fill("SELL", 15, "120", minute=2),
            fill("SELL", 5, "90", minute=3),
        ],
        TODAY,
    )
    assert first.entry_price == Decimal("103.3333")
    assert (first.gross, first.charges) == (Decimal(250), Decimal(2))
    assert (second.entry_price, second.gross) == (Decimal(110), Decimal(-100))
    assert second.entry_at == START + timedelta(minutes=1)


def test_an_order_that_reverses_closes_and_opens() -> None:
    long, short = round_trips(
        [
            fill("BUY", 10, "100", minute=0),
            fill("SELL", 25, "101", minute=1),
            fill("BUY", 15, "99", minute=2),
        ],
        TODAY,
    )
    assert (long.side, long.quantity, long.gross) == (Action.BUY, 10, Decimal(10))
    assert (short.side, short.quantity, short.gross) == (Action.SELL, 15, Decimal(30))


def test_accounts_modes_products_and_symbols_do_not_mix() -> None:
    buy = fill("BUY", 10, "100")
    others = [
        fill("SELL", 10, "101", minute=1, account_id="sandbox:2"),
        fill("SELL", 10, "101", minute=1, mode=Mode.LIVE),
        fill("SELL", 10, "101", minute=1, product=Product.NRML),
        fill("SELL", 10, "101", minute=1, symbol="INFY"),
        fill("SELL", 10, "101", minute=1, exchange="BSE"),
    ]
    assert round_trips([buy, *others], TODAY) == []


def test_the_multiplier_of_commodities_counts() -> None:
    trip = only(
        fill("SELL", 2, "5600", multiplier=Decimal(100)),
        fill("BUY", 2, "5590.5", minute=1, multiplier=Decimal(100)),
    )
    assert trip.gross == Decimal(1900)


def test_shares_sold_without_a_known_entry_have_no_profit() -> None:
    trip = only(fill("SELL", 10, "100", product=Product.CNC, charges=Decimal(3)))
    assert (trip.entry_price, trip.exit_price) == (None, Decimal(100))
    assert (trip.gross, trip.net, trip.held) == (None, None, None)
    found = figures([trip])
    assert (found.trades, found.unknown, found.net, found.win_rate) == (0, 1, Decimal(0), None)


def test_what_was_held_before_the_journal_has_the_average_of_the_broker() -> None:
    trip = only(
        fill("BUY", 10, "90", because=Because.CARRIED, product=Product.NRML),
        fill("SELL", 10, "100", minute=5, product=Product.NRML),
    )
    assert (trip.gross, trip.entry_price, trip.entry_at) == (Decimal(100), Decimal(90), None)


def test_a_position_that_changed_product_overnight_is_followed() -> None:
    trip = only(
        fill("BUY", 10, "100"),
        fill("SELL", 10, "104", minute=24 * 60, product=Product.CNC),
    )
    assert (trip.gross, trip.product) == (Decimal(40), Product.CNC)


def test_a_settlement_makes_the_account_and_the_journal_agree() -> None:
    """The account counts averages, the journal first in first out; once flat they agree."""
    future = {"symbol": "NIFTY24NOV26FUT", "exchange": "NFO", "product": Product.NRML}
    rows = [
        fill("BUY", 10, "100", minute=0, **future),
        fill("BUY", 10, "110", minute=1, **future),
        fill("SELL", 10, "120", minute=2, **future),  # account: 150 at average 105; here 200
        fill("SELL", 1, "0", minute=9, because=Because.SETTLED, profit=Decimal(50), **future),
    ]
    sold, settled = round_trips(rows, TODAY)
    assert (sold.gross, settled.gross) == (Decimal(200), Decimal(0))
    assert settled.settled and settled.quantity == 10
    assert settled.exit_price == Decimal(110)
    assert sold.gross is not None and settled.gross is not None
    assert sold.gross + settled.gross == 150 + 50


def test_an_expiry_that_nobody_settled_is_closed_without_a_result() -> None:
    option = {"symbol": "NIFTY24NOV2624000CE", "exchange": "NFO", "product": Product.NRML}
    held = [fill("BUY", 75, "12.5", **option)]
    assert round_trips(held, date(2026, 11, 24)) == []
    trip = only(*held)
    assert (trip.gross, trip.exit_price, trip.entry_price) == (None, None, Decimal("12.5"))
    assert trip.settled and trip_day(trip) == date(2026, 11, 24)
    made = RoundTrips()
    made.add(held[0])
    made.expire(TODAY)
    made.expire(TODAY)
    assert len(made.trips) == 1


def test_a_reset_forgets_what_was_open() -> None:
    rows = [
        fill("BUY", 10, "100"),
        fill("BUY", 1, "0", minute=1, because=Because.RESET),
        fill("SELL", 10, "101", minute=2),
        fill("BUY", 10, "100", minute=3),
    ]
    (trip,) = round_trips(rows, TODAY)
    assert trip.side is Action.SELL


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 9), st.integers(90, 110)), max_size=40))
def test_profits_add_up_to_the_cash_that_moved(moves: list[tuple[bool, int, int]]) -> None:
    rows = [
        fill("BUY" if buy else "SELL", size, str(price), minute=minute)
        for minute, (buy, size, price) in enumerate(moves)
    ]
    net = sum(row.quantity * row.action.sign for row in rows)
    if net:
        rows.append(fill("SELL" if net > 0 else "BUY", abs(net), "100", minute=50))
    cash = sum((-row.action.sign * row.quantity * row.price for row in rows), Decimal(0))
    assert sum((trip.gross or Decimal(0) for trip in round_trips(rows, TODAY)), Decimal(0)) == cash


# -- figures -------------------------------------------------------------------------------------
def trips(*results: int, charges: int = 0) -> list[RoundTrip]:
    """A round trip a day for each gross result."""
    numbers = count()
    rows = []
    for result in results:
        minute = next(numbers) * 24 * 60
        rows.append(fill("BUY", 1, "1000", minute=minute))
        price = str(1000 + result)
        rows.append(fill("SELL", 1, price, minute=minute + 30, charges=Decimal(charges)))
    return round_trips(rows, TODAY)


def test_figures_are_net_of_charges() -> None:
    found = figures(trips(30, -10, 10, -40, 20, charges=10))
    assert (found.trades, found.wins, found.losses) == (5, 2, 2)  # 10 less 10 is neither
    assert (found.gross, found.charges, found.net) == (Decimal(10), Decimal(50), Decimal(-40))
    assert found.win_rate == Decimal(40)
    assert found.expectancy == Decimal(-8)
    assert (found.average_win, found.average_loss) == (Decimal(15), Decimal(35))
    assert found.profit_factor == Decimal("0.43")
    assert (found.best, found.worst) == (Decimal(20), Decimal(-50))
    assert found.max_drawdown == Decimal(70)
    assert found.held == 30 * 60


def test_figures_of_nothing_are_unknown() -> None:
    found = figures([])
    assert found.win_rate is found.expectancy is found.profit_factor is found.best is None
    assert figures(trips(10)).profit_factor is None  # no loss to divide by


def test_a_fall_from_the_start_is_a_drawdown() -> None:
    assert figures(trips(-5, -5, 20)).max_drawdown == Decimal(10)


def test_groups_by_weekday_hour_and_tag() -> None:
    made = trips(10, -20, 5)
    labels = [(g.label, g.figures.net) for g in groups(made, "Weekday", {})]
    assert labels == [("Monday", Decimal(10)), ("Tuesday", Decimal(-20)), ("Wednesday", Decimal(5))]
    assert [g.label for g in groups(made, "Hour", {})] == ["09:00"]
    notes = {made[0].trip_id: TradeNote(("gap", "news")), made[1].trip_id: TradeNote(("gap",))}
    tagged = {g.label: g.figures.trades for g in groups(made, "Tag", notes)}
    assert tagged == {"gap": 2, "news": 1, "(none)": 1}
    for by in GROUPINGS:
        assert sum(g.figures.trades for g in groups(made, by, {})) == 3


def test_days_add_up() -> None:
    found = days(trips(10, -20, charges=1))
    assert [(day.day.day, day.trades, day.wins, day.net) for day in found.values()] == [
        (2, 1, 1, Decimal(9)),
        (3, 1, 0, Decimal(-21)),
    ]


def closed_trades(trades: int) -> list[Execution]:
    """As many round trips in 50 symbols, in the order of time."""
    chance = random.Random(7)
    rows = []
    for number in range(trades):
        minute = number * 10
        price = chance.randrange(1000, 1100)
        symbol = f"S{number % 50}"
        rows.append(fill("BUY", 10, f"{price}.05", minute=minute, symbol=symbol))
        rows.append(fill("SELL", 10, f"{price + 1}.10", minute=minute + 5, symbol=symbol))
    return rows


def test_each_of_many_trades_costs_what_one_of_a_few_does() -> None:
    """Eight times as many cost about eight times as much, not sixty-four."""
    later, few, many = date(2060, 1, 1), closed_trades(500), closed_trades(4_000)
    a_few, made = round_trips(few, later), round_trips(many, later)
    assert figures(made).trades == 4_000 == sum(day.trades for day in days(made).values())

    def told(trips: list[RoundTrip]) -> None:
        figures(trips)
        days(trips)

    assert times_dearer(lambda: round_trips(many, later), lambda: round_trips(few, later), 3) < 24
    assert times_dearer(lambda: told(made), lambda: told(a_few), 3) < 24
