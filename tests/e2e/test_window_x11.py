"""The real window on a real X server, driven by keys and mouse only, and watched over REST."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.driver import Program
from tests.e2e.screen import MARKET, Window, real_window, x_display
from tests.waiting import wait_for

pytestmark = pytest.mark.xvfb


@pytest.fixture
def window(tmp_path: Path) -> Iterator[Window]:
    """The window with the focus."""
    with x_display() as display, real_window(tmp_path, display, *MARKET) as found:
        found.click("rect('statusbar')")  # the focus, nothing else
        yield found


def orders(program: Program) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = program.call("orderbook")["data"]["orders"]
    return rows


def working(program: Program) -> list[dict[str, Any]]:
    return [row for row in orders(program) if row["order_status"] == "open"]


def buy(window: Window, symbol: str, quantity: int) -> None:
    """Search, fill the ticket and send, without the mouse."""
    window.key("ctrl+k")
    window.wait("seen('palette-field').hasFocus()", "the palette")
    window.type(symbol)
    window.wait(f"seen('palette-field').text() == {symbol!r}", "what was typed")
    window.key("Return")
    window.wait(f"dock('ticket').instrument.symbol == {symbol!r}", "the symbol in the ticket")
    window.key("ctrl+shift+b")
    window.wait("seen('ticket-quantity').hasFocus()", "the focus in the quantity")
    window.key("ctrl+a")
    window.type(str(quantity))
    words = f"BUY {quantity}"
    window.wait(f"(text('ticket-send') or '').startswith({words!r})", "the order on the button")
    window.key("ctrl+Return")


def test_orders_by_keyboard_cancel_all_and_a_clean_end(window: Window) -> None:
    program = window.program
    buy(window, "RELIANCE", 15)
    wait_for(lambda: orders(program), "the order over REST")
    order = orders(program)[0]
    wanted = ("RELIANCE", "NSE", "BUY", 15)
    got = (order["symbol"], order["exchange"], order["action"], int(order["quantity"]))
    assert got == wanted
    wait_for(lambda: orders(program)[0]["order_status"] == "complete", "the fill")
    position = program.call(
        "openposition", strategy="x", symbol="RELIANCE", exchange="NSE", product="MIS"
    )
    assert int(position["quantity"]) == 15
    # A script's resting order, cancelled by the user's F7.
    last = program.call("quotes", symbol="SBIN", exchange="NSE")["data"]["ltp"]
    program.call(
        "placeorder",
        strategy="x",
        symbol="SBIN",
        exchange="NSE",
        action="BUY",
        product="MIS",
        pricetype="LIMIT",
        price=str(round(float(last) * 0.95)),
        quantity="1",
    )
    assert len(working(program)) == 1
    window.key("F7")
    wait_for(lambda: not working(program), "the cancellation")
    assert "Traceback" not in program.output


@pytest.mark.long
def test_a_key_that_is_held_sends_once(window: Window) -> None:
    """On X11 such a key comes as releases and presses, and the question about the same order
    would be answered by it, too."""
    program = window.program
    buy(window, "RELIANCE", 15)
    wait_for(lambda: orders(program), "the order over REST")
    window.hand("sleep", "1.2", "keydown", "ctrl", "keydown", "Return")
    window.hand("sleep", "2.5", "keyup", "Return", "keyup", "ctrl")
    wait_for(lambda: len(orders(program)) > 1, "the second order")
    window.key("Escape")
    assert len(orders(program)) == 2, orders(program)
