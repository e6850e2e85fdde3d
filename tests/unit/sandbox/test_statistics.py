"""Statistics: closings from the ledger, daily rows, drawdown, ratios, CSV."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Action, Product
from openalgo_desktop.core.model import Trade
from openalgo_desktop.exchange.ledger import ZERO, Entry, EntryKind
from openalgo_desktop.sandbox.statistics import (
    DailyPnl,
    Day,
    Statistics,
    Tally,
    daily_csv,
    daily_pnl,
    statistics,
    summarise,
    trades_csv,
)

START = datetime(2026, 6, 1, 10, 0, tzinfo=IST)
CAPITAL = Decimal(100_000)
TRADE = Trade("t", "o", "SBIN", "NSE", Action.BUY, Product.MIS, 100, 800.05, START, charges=1.5)


def entry(kind: EntryKind, cash: str, ref: str = "", minute: int = 0, day: int = 0) -> Entry:
    at = START + timedelta(days=day, minutes=minute)
    return Entry(0, at, kind, Decimal(cash), ZERO, ref)


def tally(*profits: str) -> Tally:
    """Capital, then one closing of an order of its own per profit, a minute apart."""
    found = Tally()
    found.add(entry(EntryKind.CAPITAL, str(CAPITAL)))
    for n, profit in enumerate(profits):
        found.add(entry(EntryKind.REALISED, profit, f"o{n}", n))
    return found


def days(*equities: int, charges: int = 10) -> list[DailyPnl]:
    rows = [
        Day(
            date(2026, 6, 1) + timedelta(days=n),
            Decimal(5),
            Decimal(0),
            Decimal(charges),
            Decimal(e),
            CAPITAL,
        )
        for n, e in enumerate(equities)
    ]
    return daily_pnl(reversed(rows))


def figures(found: Tally, table: list[DailyPnl]) -> Statistics:
    return statistics(found.closings, table, CAPITAL, 0)


def test_fills_of_one_order_are_one_closing() -> None:
    found = tally()
    for minute, (cash, ref) in enumerate((("60", "a"), ("-20", "a"), ("5", "b"), ("1", "a"))):
        found.add(entry(EntryKind.REALISED, cash, ref, minute))
    assert [(c.ref, c.profit) for c in found.closings] == [("a", 40), ("b", 5), ("a", 1)]
    assert [profit for _, profit in found.curve] == [40, 45, 46]


def test_one_order_over_two_days_is_two_closings() -> None:
    found = tally()
    found.add(entry(EntryKind.REALISED, "1", "a"))
    found.add(entry(EntryKind.REALISED, "2", "a", day=1))
    assert len(found.closings) == 2


def test_charges_lower_the_curve_not_the_closing() -> None:
    found = tally("100")
    found.add(entry(EntryKind.CHARGE, "-30"))
    found.add(entry(EntryKind.REALISED, "50", "x", 5))
    found.add(entry(EntryKind.CHARGE, "-20", minute=5))
    assert [c.profit for c in found.closings] == [100, 50]
    assert [profit for _, profit in found.curve] == [70, 100]


def test_blocked_money_is_no_result() -> None:
    found = tally()
    for kind in (EntryKind.BLOCK, EntryKind.RELEASE, EntryKind.PREMIUM, EntryKind.SETTLEMENT):
        found.add(entry(kind, "-500"))
    assert (found.closings, found.curve) == ([], [])
    assert found.capital_on(START.date()) == CAPITAL


def test_capital_paid_in_later_is_no_profit() -> None:
    found = tally()
    found.add(entry(EntryKind.CAPITAL, "50000", day=1))
    first, second = START.date(), START.date() + timedelta(days=1)
    assert found.capital_on(first - timedelta(days=1)) == 0
    assert (found.capital_on(first), found.capital_on(second)) == (CAPITAL, CAPITAL + 50_000)
    rows = daily_pnl(
        Day(day, ZERO, ZERO, ZERO, equity, found.capital_on(day))
        for day, equity in ((first, Decimal(100_100)), (second, Decimal(150_300)))
    )
    assert [row.net for row in rows] == [100, 200]
    assert [row.profit for row in rows] == [100, 300]


def test_daily_rows_start_from_the_capital() -> None:
    rows = days(100_500, 100_200, 100_900)
    assert [row.net for row in rows] == [500, -300, 700]
    assert [row.gross for row in rows] == [510, -290, 710]
    assert [row.drawdown for row in rows] == [0, -300, 0]
    assert rows[0].day < rows[1].day


def test_a_first_losing_day_is_a_drawdown() -> None:
    assert days(99_000)[0].drawdown == -1000


def test_statistics_of_a_week() -> None:
    found = figures(tally("1000", "-400", "0"), days(101_000, 99_000, 100_600))
    assert (found.closed, found.wins, found.losses) == (3, 1, 1)
    assert found.win_rate == pytest.approx(Decimal(100) / 3)
    assert found.profit_factor == Decimal("2.5")
    assert (found.average_win, found.average_loss) == (1000, 400)
    assert (found.best_day, found.worst_day) == (1600, -2000)
    assert (found.net, found.charges, found.gross) == (600, 30, 630)
    assert found.return_percent == Decimal("0.6")
    assert found.max_drawdown == 2000
    assert found.max_drawdown_percent == pytest.approx(Decimal(2000 * 100) / 101_000)


def test_nothing_traded_has_no_ratios() -> None:
    found = figures(tally(), [])
    assert (found.win_rate, found.profit_factor, found.average_win) == (None, None, None)
    assert (found.net, found.max_drawdown, found.best_day) == (0, 0, 0)


def test_only_wins_have_no_profit_factor() -> None:
    assert figures(tally("5"), []).profit_factor is None


def test_summary_of_an_account_without_days_is_its_capital() -> None:
    found = summarise(tally(), [], CAPITAL, 0)
    assert (found.equity, found.days, found.curve) == (CAPITAL, [], [])


def test_trades_as_csv() -> None:
    later = replace(TRADE, trade_id="u", traded_at=START + timedelta(minutes=1), price=801.0)
    rows = list(csv.DictReader(io.StringIO(trades_csv([later, TRADE]))))
    assert [row["trade_id"] for row in rows] == ["t", "u"]
    assert rows[0]["time"] == "2026-06-01 10:00:00"
    assert (rows[0]["action"], rows[0]["price"], rows[0]["value"]) == ("BUY", "800.05", "80005.00")
    assert rows[1]["charges"] == "1.50"


def test_daily_pnl_as_csv() -> None:
    rows = list(csv.DictReader(io.StringIO(daily_csv(days(99_000)))))
    assert rows == [
        {
            "date": "2026-06-01",
            "realised": "5.00",
            "gross": "-990.00",
            "charges": "10.00",
            "net": "-1000.00",
            "equity": "99000.00",
            "drawdown": "-1000.00",
        }
    ]


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "@SUM(A1)", "\tx", "\rx"])
def test_text_that_a_spreadsheet_would_run_is_quoted(text: str) -> None:
    table = trades_csv([replace(TRADE, strategy=text)])
    row = next(csv.DictReader(io.StringIO(table, newline="")))
    assert row["strategy"] == "'" + text
