"""Ten jobs of a trading day in the real window, by real mouse and keys, counted.

The counts are those of the table in docs/window.md; what the window says is looked at, what
happened is read over REST.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.screen import MARKET, Window, real_window, x_display
from tests.waiting import wait_for

pytestmark = pytest.mark.xvfb


@pytest.fixture
def window(tmp_path: Path) -> Iterator[Window]:
    """The window on a full HD display."""
    with x_display() as display, real_window(tmp_path, display, *MARKET) as found:
        yield found


def rows(window: Window, book: str) -> list[dict[str, Any]]:
    """A book over REST."""
    data = window.program.call(book)["data"]
    found: list[dict[str, Any]] = data["orders"] if isinstance(data, dict) else data
    return found


def working(window: Window) -> list[dict[str, Any]]:
    return [row for row in rows(window, "orderbook") if row["order_status"] == "open"]


def held(window: Window, symbol: str) -> int:
    found = [row for row in rows(window, "positionbook") if row["symbol"] == symbol]
    return sum(int(row["quantity"]) for row in found)


def place(window: Window, symbol: str, action: str, quantity: int, **more: Any) -> None:
    """A script's order."""
    window.program.call(
        "placeorder", strategy="x", symbol=symbol, exchange="NSE", action=action, product="MIS",
        pricetype=more.pop("pricetype", "MARKET"), quantity=str(quantity), **more,
    )  # fmt: skip


def last(window: Window, symbol: str) -> float:
    return float(window.program.call("quotes", symbol=symbol, exchange="NSE")["data"]["ltp"])


def test_a_symbol_goes_to_the_list_and_everywhere(window: Window) -> None:
    # 6. Add to the watchlist: one click and its name.
    window.click("rect('watchlist-add')")
    window.type("WIPRO")
    window.wait("seen('watchlist-add').text() == 'WIPRO'")
    window.key("Return")
    names = "[k[1] for k in dock('watchlist').keys()]"
    window.wait(f"'WIPRO' in {names}", "WIPRO in the list")
    assert window.count() == {"clicks": 1, "keys": 1}
    # 7. The symbol everywhere: one click.
    index = window.ask(f"{names}.index('SBIN')")
    window.click(f"cell('watchlist-table', {index}, 'symbol')")
    window.wait("dock('chart').key == ('NSE', 'SBIN')")
    shown = "dock('ticket').instrument.symbol + dock('depth')._key[1]"
    window.wait(f"{shown} == 'SBINSBIN'", "the ticket and the depth")
    assert window.count() == {"clicks": 1}
    # 9. The margin before the order: nothing to do, of both sides while none is chosen.
    for side in ("buy", "sell"):
        window.wait(f"'₹' in (text('ticket-facts-margin-{side}') or '')", f"the margin to {side}")
    assert window.count() == {}


def test_profit_is_in_sight_and_everything_is_cancelled_at_once(window: Window) -> None:
    place(window, "RELIANCE", "BUY", 10)
    price = round(last(window, "SBIN") * 0.95)
    place(window, "SBIN", "BUY", 5, pricetype="LIMIT", price=str(price))
    place(window, "SBIN", "BUY", 7, pricetype="LIMIT", price=str(price - 1))
    wait_for(lambda: len(working(window)) == 2, "two resting orders")
    # 8. Profit and loss: nothing to do.
    window.wait("result() is not None and text('toolbar-pnl') == result()", "the day's result")
    assert window.count() == {}
    # 10. Cancel everything: one click.
    window.click("rect('toolbar-cancel-all')")
    wait_for(lambda: not working(window), "the cancellations")
    assert window.count() == {"clicks": 1}
    assert held(window, "RELIANCE") == 10


def test_a_position_is_protected_halved_turned_and_its_stop_moved(window: Window) -> None:
    place(window, "SBIN", "BUY", 100)
    window.ask("dock('watchlist').pick(('NSE', 'SBIN'))")
    window.wait("len(dock('positions').rows) > 0 and dock('chart').key == ('NSE', 'SBIN')")
    window.click("rect('statusbar')")  # the focus; nothing else
    window.key("F9")  # one-click trading, once a day
    window.wait("dock('chart').bridge.arm.armed")
    window.count()
    # 2. A stop for the position: two clicks.
    window.click("link('positions-table', 0, 'stop')")
    window.click("rect('position-exit-set')")
    plans = "[p for p in dock('chart').bridge.watch.plans()]"
    window.wait(f"len({plans}) == 1", "the stop")
    assert window.count() == {"clicks": 2}
    # 5. The stop moved: one drag.
    price = f"str({plans}[0].stop_at)"
    before = window.ask(price)
    window.drag("tag('Stop')", down=-24)
    window.wait(f"{price} != {before!r}", "the moved stop")
    assert window.count() == {"drags": 1}
    # 3. Half of it closed: one click.
    window.click("link('positions-table', 0, 'half')")
    wait_for(lambda: held(window, "SBIN") == 50, "half of the position")
    assert window.count() == {"clicks": 1}
    # 4. Turned: one click.
    window.click("link('positions-table', 0, 'reverse')")
    wait_for(lambda: held(window, "SBIN") == -50, "the other side")
    assert window.count() == {"clicks": 1}


def test_one_lot_of_the_call_at_the_money(window: Window) -> None:
    # 1. From the option chain: three clicks at most.
    window.ask("workspaces().switch('Options desk')")
    window.wait("'chain' in docks() and dock('chain').view is not None", "the chain")
    window.ask("dock('chain').show_symbol(('NSE_INDEX', 'NIFTY'))")
    window.click("option('ask')")
    window.wait("(text('ticket-send') or '').startswith('BUY')", "the ticket of the call")
    window.click("rect('ticket-send')")
    wait_for(lambda: rows(window, "orderbook"), "the order")
    done = window.count()
    assert done["clicks"] <= 3 and set(done) == {"clicks"}
    (order,) = rows(window, "orderbook")
    assert order["symbol"].endswith("CE") and order["action"] == "BUY"
