"""Strategies by mouse and keys in the real window: nothing trades before the yes, a run is in the
sandbox, its stop closes it, and a program goes live only after its record was shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.driver import Program, run
from tests.e2e.screen import MARKET, Window, real_window, x_display
from tests.waiting import wait_for

pytestmark = pytest.mark.xvfb
NAME = "Morning straddle"


def legs_held(program: Program) -> dict[str, int]:
    rows: list[dict[str, Any]] = program.call("positionbook")["data"]
    return {row["symbol"]: int(row["quantity"]) for row in rows if int(row["quantity"])}


def made(window: Window) -> None:
    """Through the menu of new ones and the editor, with one leg as it is offered."""
    window.click("rect('strategies-new')")
    window.click("entry('Strategy of legs and rules')")
    window.click("rect('dialog-strategy-basics-name')")
    window.type(NAME)
    window.wait(f"seen('dialog-strategy-basics-name').text() == {NAME!r}", "the name")
    window.click("tab('Legs')")
    window.click("rect('dialog-strategy-legs-add')")
    window.click("rect('dialog-strategy-save')")
    window.wait("seen('dialog-strategy') is None", "it is saved")
    window.wait(f"[row.name for row in dock('strategies').rows] == [{NAME!r}]", "its row")


def promoted(window: Window) -> None:
    """A program, taken in by a command, is promoted; Enter is no yes."""
    path = window.program.data_dir.parent / "cross.py"
    path.write_text("print('hello')\n")
    code, text = run(window.program.data_dir, "strategy", "add", str(path))
    assert code == 0, text
    rows = "[row.name for row in dock('strategies').rows]"
    window.wait(f"'cross' in {rows}", "its row")
    row = window.ask(f"{rows}.index('cross')")
    went = f"bool(dock('strategies').rows[{row}].program.promoted)"

    def ask() -> None:
        window.click(f"cell('strategies-table', {row}, 'name')", button=3)
        window.click("entry('Promote to live')")
        window.wait("text('dialog-confirm-yes') == 'Promote to LIVE'", "the question")

    ask()
    assert "has not traded in the sandbox" in window.ask(
        "seen('dialog-confirm').review.item(0).text()"
    )
    window.key("Return")
    window.wait("seen('dialog-confirm') is None", "cancelled")
    assert window.ask(went) is False
    ask()
    window.click("rect('dialog-confirm-yes')")
    window.wait(went, "promoted")


def test_made_started_and_stopped_by_hand(tmp_path: Path) -> None:
    with (
        x_display("1366x768") as display,
        real_window(tmp_path, display, *MARKET) as window,
    ):
        program = window.program
        window.click("rect('statusbar')")
        window.key("ctrl+k")
        window.wait("seen('palette-field').hasFocus()", "the palette")
        window.type("Strategies")
        window.wait("seen('palette-field').text() == 'Strategies'", "what was typed")
        window.key("Return")
        window.wait("seen('strategies-new') is not None", "the panel")
        made(window)

        window.click("cell('strategies-table', 0, 'name')")
        window.click("rect('strategies-start')")
        window.wait("text('dialog-start-yes') == 'Start in the sandbox'", "the question")
        window.key("Return")  # where Enter is, nothing starts
        window.wait("seen('dialog-start') is None", "cancelled")
        assert not legs_held(program)
        assert not window.ask("dock('strategies').rows[0].runs")

        window.click("rect('strategies-start')")
        window.click("rect('dialog-start-yes')")
        wait_for(lambda: legs_held(program), "the leg is held")
        (units,) = legs_held(program).values()
        assert units < 0
        orders = program.call("orderbook")["data"]["orders"]
        assert [row["strategy"] for row in orders] == [NAME]
        window.wait("dock('strategies').rows[0].state == 'Running'", "it runs")

        window.click("rect('strategies-stop')")
        window.click("rect('dialog-confirm-yes')")
        wait_for(lambda: not legs_held(program), "it is closed")
        window.wait("not dock('strategies').rows[0].runs", "it stopped")
        assert len(program.call("orderbook")["data"]["orders"]) == 2
        promoted(window)
