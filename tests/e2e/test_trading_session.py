"""A day of trading in the real window, from the first steps to flat books, with a restart in
between: real mouse and keys, and what each job takes.

What the window says is looked at; what happened is read over REST.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.screen import MARKET, Window, real_window, x_display
from tests.waiting import wait_for

pytestmark = pytest.mark.xvfb

#: What each job takes; the table in docs/window.md says the same.
JOBS = {
    "first steps": {"clicks": 6},
    "watch": {"clicks": 1, "keys": 1},
    "ticket": {"clicks": 2},
    "arm": {"keys": 1},
    "ladder": {"clicks": 1},
    "ladder, move": {"drags": 1},
    "chart, move": {"drags": 1},
    "chain": {"clicks": 2},
    "basket of four": {"clicks": 9},
    "half": {"clicks": 1},
    "protect": {"clicks": 2},
    "leave": {"clicks": 1, "keys": 1},
    "cancel all": {"clicks": 1},
    "flatten": {"clicks": 2},
}
WATCHED = (
    "[[p.symbol, str(p.stop_at)] for p in dock('positions').bridge.watch.plans()"
    " if p.state.is_open]"
)
HELD = "{p.symbol: p.quantity for p in dock('positions').bridge.books.positions if p.quantity}"
PLACES = "sorted((n, d.width(), d.height()) for n, d in docks().items() if not d.is_hidden())"


class Day:
    """The window, and what was counted for each job."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.counted: dict[str, dict[str, int]] = {}

    def done(self, job: str) -> None:
        self.counted[job] = self.window.count()

    def orders(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.window.program.call("orderbook")["data"]["orders"]
        return rows

    def working(self) -> list[dict[str, Any]]:
        return [row for row in self.orders() if row["order_status"] == "open"]

    def held(self) -> dict[str, int]:
        rows = self.window.program.call("positionbook")["data"]
        return {row["symbol"]: int(row["quantity"]) for row in rows if int(row["quantity"])}

    def focus(self) -> None:
        """Keys come here: a display without a window manager gives them to nobody by itself."""
        self.window.click("rect('statusbar')")
        self.window.count()

    def show(self, number: int) -> None:
        """A workspace by its key, which is not counted."""
        self.window.switch(number)
        self.window.count()

    def watched(self, symbol: str) -> int:
        """Its row in the watchlist."""
        names = "[k[1] for k in dock('watchlist').keys()]"
        self.window.wait(f"{symbol!r} in {names}", symbol)
        return int(self.window.ask(f"{names}.index({symbol!r})"))


def begin(day: Day) -> None:
    """First steps, a symbol to watch, an order by the ticket."""
    window = day.window
    for step in range(1, 6):  # a click during the work of a step is none
        window.wait(f"text('dialog-first-run-step') == 'Step {step} of 5'", f"step {step}")
        window.click("rect('dialog-first-run-next')")
    window.click("rect('tour-skip')")
    assert "simulated" in window.ask("text('banner-sandbox')")
    day.done("first steps")
    window.click("rect('watchlist-add')")
    window.type("nifty 24400 ce")
    window.wait("seen('watchlist-add').text() == 'nifty 24400 ce'")
    window.key("Return")
    window.wait("any(k[1].endswith('24400CE') for k in dock('watchlist').keys())", "the option")
    day.done("watch")
    row = day.watched("RELIANCE")
    window.hover(f"cell('watchlist-table', {row}, 'symbol')")
    window.click(f"link('watchlist-table', {row}, 'buy')")
    window.wait("dock('ticket').instrument.symbol == 'RELIANCE'")
    window.wait("seen('ticket-quantity').hasFocus()", "the focus in the quantity")
    window.type("100")  # the focus is where it is typed, and replaces what stands there
    window.wait("(text('ticket-send') or '').startswith('BUY 100')", "the order on the button")
    window.click("rect('ticket-send')")
    wait_for(lambda: day.held() == {"RELIANCE": 100}, "the position")
    day.done("ticket")


def scalp(day: Day) -> None:
    """A limit by one click in the ladder, moved there and in the chart."""
    window = day.window
    day.show(3)
    window.wait("'ladder' in docks() and dock('chart').key == ('NSE', 'RELIANCE')", "the ladder")
    day.focus()
    window.key("F9")
    window.wait("dock('chart').bridge.arm.armed")
    day.done("arm")
    last = float(window.program.call("quotes", symbol="RELIANCE", exchange="NSE")["data"]["ltp"])
    price = round(last - 1.0, 1)
    window.click(f"rung('bids', {price})")
    wait_for(lambda: [row["price"] for row in day.working()] == [price], "the order")
    day.done("ladder")
    lower = round(price - 0.3, 1)
    window.drag(f"rung('own bid', {price})", to=f"rung('own bid', {lower})")
    wait_for(lambda: [row["price"] for row in day.working()] == [lower], "the moved order")
    day.done("ladder, move")
    day.show(1)
    window.wait("dock('chart').key == ('NSE', 'RELIANCE')", "the large chart")
    window.drag("tag('BUY 1')", down=30)
    wait_for(lambda: [row["price"] < lower for row in day.working()] == [True], "the dragged one")
    day.done("chart, move")


def options(day: Day) -> None:
    """A call by one click in the chain, and an iron condor as a basket."""
    window = day.window
    day.show(2)
    window.wait("'chain' in docks() and seen('watchlist-table') is not None", "the options desk")
    row = day.watched("NIFTY")
    window.click(f"cell('watchlist-table', {row}, 'symbol')")
    window.wait("dock('chain').view is not None and dock('chain').view.head.atm", "the chain")
    window.click("option('ask')")
    calls = wait_for(lambda: [row for row in day.orders() if row["exchange"] == "NFO"], "the order")
    assert [(row["action"], row["pricetype"]) for row in calls] == [("BUY", "LIMIT")]
    day.done("chain")
    for strikes, is_call, side in ((2, True, "sell"), (4, True, "buy"), (-2, False, "sell"),
                                   (-4, False, "buy")):  # fmt: skip
        window.click(f"option('ltp', {is_call}, {strikes})", button=3)
        window.click(f"entry('Add {side} to basket')")
    window.wait("'benefit' in (text('basket-totals') or '')", "what the lines save each other")
    window.click("rect('basket-send')")
    at_money = calls[0]["symbol"]  # its limit may still wait: the ask went on
    wait_for(lambda: len(set(day.held()) - {at_money, "RELIANCE"}) == 4, "the four legs")
    day.done("basket of four")


def manage(day: Day) -> None:
    """Half of the shares out, a stop for the rest."""
    window = day.window
    # Nothing is clicked in a row that a fill moves meanwhile.
    wait_for(lambda: window.ask(HELD) == day.held(), "all fills in the window")
    window.click("tab('Positions')")
    window.count()
    window.click("link('positions-table', position('RELIANCE'), 'half')")
    wait_for(lambda: day.held()["RELIANCE"] == 50, "half of it")
    day.done("half")
    window.click("link('positions-table', position('RELIANCE'), 'stop')")
    window.click("rect('position-exit-set')")
    window.wait(f"len({WATCHED}) == 1", "the stop")
    day.done("protect")


def test_a_day_from_the_first_steps_to_flat_books(tmp_path: Path) -> None:
    counted: dict[str, dict[str, int]] = {}
    with x_display() as display:
        with real_window(tmp_path, display, *MARKET, "--set", "ui.first_run=true") as window:
            day = Day(window)
            begin(day)
            scalp(day)
            options(day)
            manage(day)
            layout, stop, held = window.ask(PLACES), window.ask(WATCHED), day.held()
            day.focus()
            window.key("ctrl+q")
            window.click("rect('dialog-leave-quit')")
            assert window.program.ended() == 0
            day.done("leave")
            assert "Traceback" not in window.program.output
            counted |= day.counted
        with real_window(tmp_path, display, *MARKET) as window:
            day = Day(window)
            window.wait(f"len({WATCHED}) == 1", "the stop after the restart")
            assert window.ask(WATCHED) == stop and held.items() <= day.held().items()
            assert window.find(PLACES) == layout  # at rest
            assert not window.ask("dock('chart').bridge.arm.armed")
            assert day.working()
            window.click("rect('toolbar-cancel-all')")
            wait_for(lambda: not day.working(), "the cancellation")
            day.done("cancel all")
            window.click("rect('toolbar-flatten')")
            window.click("rect('dialog-confirm-yes')")
            wait_for(lambda: not day.held(), "flat books")
            window.wait(f"{WATCHED} == []", "nothing is watched any more")
            day.done("flatten")
            counted |= day.counted
            assert "Traceback" not in window.program.output
    assert counted == JOBS
