"""The real window on a real X server, driven by keys and mouse only, and watched over REST."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.driver import Program
from tests.e2e.screen import Hand, x_display
from tests.waiting import wait_for

pytestmark = pytest.mark.xvfb


@pytest.fixture
def display() -> Iterator[str]:
    """A display of our own."""
    with x_display() as name:
        yield name


def orders(program: Program) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = program.call("orderbook")["data"]["orders"]
    return rows


def working(program: Program) -> list[dict[str, Any]]:
    return [row for row in orders(program) if row["order_status"] == "open"]


def test_orders_by_keyboard_cancel_all_and_a_clean_end(tmp_path: Path, display: str) -> None:
    env = {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
    with Program(tmp_path / "data", env=env, command="gui") as program:
        hand = Hand(display)
        wait_for(lambda: hand("search", "--name", "SANDBOX"), "the window", 30)
        hand("mousemove", "960", "1069", "click", "1")  # the status bar: focus, nothing else
        hand.order("RELIANCE", "15", "BUY")
        wait_for(lambda: orders(program), "the order over REST", 20)
        order = orders(program)[0]
        wanted = ("RELIANCE", "NSE", "BUY", 15)
        got = (order["symbol"], order["exchange"], order["action"], int(order["quantity"]))
        assert got == wanted
        wait_for(lambda: orders(program)[0]["order_status"] == "complete", "the fill", 20)
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
        hand("key", "F7")
        wait_for(lambda: not working(program), "the cancellation", 20)
    assert "Traceback" not in program.output


@pytest.mark.long
def test_a_key_that_is_held_sends_once(tmp_path: Path, display: str) -> None:
    """On X11 such a key comes as releases and presses, and the question about the same order
    would be answered by it, too."""
    env = {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
    with Program(tmp_path / "data", env=env, command="gui") as program:
        hand = Hand(display)
        wait_for(lambda: hand("search", "--name", "SANDBOX"), "the window", 30)
        hand("mousemove", "960", "1069", "click", "1")  # the status bar: focus, nothing else
        hand.order("RELIANCE", "15", "BUY")
        wait_for(lambda: orders(program), "the order over REST", 20)
        hand("sleep", "1.2", "keydown", "ctrl", "keydown", "Return")
        hand("sleep", "2.5", "keyup", "Return", "keyup", "ctrl")
        wait_for(lambda: len(orders(program)) > 1, "the second order", 20)
        hand("key", "Escape")
        assert len(orders(program)) == 2, orders(program)
