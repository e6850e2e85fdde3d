"""Statistics: average-cost closing, daily rows, drawdown, ratios, CSV."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Action, Product
from openalgo_desktop.sandbox.statistics import (
    DailyPnl,
    Day,
    Fill,
    Report,
    Statistics,
    closed_trades,
    daily_csv,
    daily_pnl,
    statistics,
    summarise,
    trades_csv,
)

START = datetime(2026, 6, 1, 10, 0, tzinfo=IST)
CAPITAL = Decimal(100_000)


def fills(*trades: tuple[int, str], product: Product = Product.MIS) -> list[Fill]:
    """Signed quantities and prices of one symbol, a minute apart."""
    return [
        Fill(
            trade_id=f"t{n}",
            order_id=f"o{n}",
            at=START + timedelta(minutes=n),
            symbol="SBIN",
            exchange="NSE",
            product=product,
            action=Action.BUY if quantity > 0 else Action.SELL,
            quantity=abs(quantity),
            price=Decimal(price),
            charges=Decimal("1.5"),
        )
        for n, (quantity, price) in enumerate(trades)
    ]


def days(*equities: int, charges: int = 10) -> list[DailyPnl]:
    rows = [
        Day(
            date(2026, 6, 1) + timedelta(days=n),
            Decimal(5),
            Decimal(0),
            Decimal(charges),
            Decimal(e),
        )
        for n, e in enumerate(equities)
    ]
    return daily_pnl(reversed(rows), CAPITAL)


def figures(trades: list[Fill], table: list[DailyPnl]) -> Statistics:
    return statistics(trades, table, CAPITAL, closed_trades(trades))


def test_closing_uses_the_average_and_adding_moves_it() -> None:
    closed = closed_trades(fills((100, "800"), (100, "810"), (-150, "820"), (-50, "800")))
    assert [(c.quantity, c.profit) for c in closed] == [(150, 2250), (50, -250)]


def test_short_profit_and_flip_through_zero() -> None:
    closed = closed_trades(fills((-100, "800"), (150, "790"), (-50, "795")))
    assert [(c.quantity, c.profit) for c in closed] == [(100, 1000), (50, 250)]


def test_products_and_symbols_do_not_close_each_other() -> None:
    mixed = fills((100, "800")) + fills((-100, "900"), product=Product.CNC)
    assert closed_trades(mixed) == []


def test_fills_are_taken_in_time_order() -> None:
    assert closed_trades(reversed(fills((10, "100"), (-10, "110"))))[0].profit == 100


def test_daily_rows_start_from_the_capital() -> None:
    rows = days(100_500, 100_200, 100_900)
    assert [row.net for row in rows] == [500, -300, 700]
    assert [row.gross for row in rows] == [510, -290, 710]
    assert [row.drawdown for row in rows] == [0, -300, 0]
    assert rows[0].day < rows[1].day


def test_a_first_losing_day_is_a_drawdown() -> None:
    assert days(99_000)[0].drawdown == -1000


def test_statistics_of_a_week() -> None:
    trades = fills(
        (100, "100"), (-100, "110"), (100, "100"), (-100, "96"), (100, "100"), (-100, "100")
    )
    found = figures(trades, days(101_000, 99_000, 100_600))
    assert (found.fills, found.closed, found.wins, found.losses) == (6, 3, 1, 1)
    assert found.win_rate == pytest.approx(Decimal(100) / 3)
    assert found.profit_factor == Decimal("2.5")
    assert (found.average_win, found.average_loss) == (1000, 400)
    assert (found.best_day, found.worst_day) == (1600, -2000)
    assert (found.net, found.charges, found.gross) == (600, 30, 630)
    assert found.return_percent == Decimal("0.6")
    assert found.max_drawdown == 2000
    assert found.max_drawdown_percent == pytest.approx(Decimal(2000 * 100) / 101_000)


def test_nothing_traded_has_no_ratios() -> None:
    found = figures([], [])
    assert (found.win_rate, found.profit_factor, found.average_win) == (None, None, None)
    assert (found.net, found.max_drawdown, found.best_day) == (0, 0, 0)


def test_only_wins_have_no_profit_factor() -> None:
    assert figures(fills((1, "1"), (-1, "2")), []).profit_factor is None


def test_summary_has_a_curve_by_closing_trade_net_of_charges() -> None:
    trades = fills((100, "100"), (-100, "110"), (100, "100"), (-50, "96"))
    found = summarise(Report(CAPITAL, trades[::-1], []))
    assert [equity for _, equity in found.trade_curve] == [100_997, 100_794]
    assert [at for at, _ in found.trade_curve] == [trades[1].at, trades[3].at]
    assert found.fills == trades
    assert found.figures.wins == 1


def test_trades_as_csv() -> None:
    rows = list(csv.DictReader(io.StringIO(trades_csv(fills((100, "800.05"), (-100, "801"))))))
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
    fill = replace(fills((1, "1"))[0], strategy=text)
    row = next(csv.DictReader(io.StringIO(trades_csv([fill]), newline="")))
    assert row["strategy"] == "'" + text
