"""The log dock: source, text, the order of a line, files."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from openalgo_desktop.core.enums import Action, PriceType, Product
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.ui.rooms.safety import log as log_module
from openalgo_desktop.ui.rooms.safety.log import EVERYTHING, LogDock, source_of
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import Drive, click, priced
from tests.waiting import until


@pytest.mark.parametrize(
    ("logger", "source"),
    [
        ("openalgo_desktop.trading.desk", "Orders"),
        ("openalgo_desktop.brokers.kit.rest.client", "Brokers"),
        ("openalgo_desktop.ui.shell.feedback", "Window"),
        ("openalgo_desktop", "Program"),
        ("asyncio", "Other"),
    ],
)
def test_loggers_have_the_name_of_a_source(logger: str, source: str) -> None:
    assert source_of(logger) == source


def shown(session: Session) -> LogDock:
    dock = session.window.hands.show_kind("log")
    assert isinstance(dock, LogDock)
    return dock


def test_only_the_chosen_source_is_shown(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = shown(session)
        logging.getLogger("openalgo_desktop.market.hub").warning("of the prices")
        logging.getLogger("openalgo_desktop.trading.desk").warning("of the orders")
        dock.source.setCurrentText("Orders")
        assert "of the orders" in dock.lines.toPlainText()
        assert "of the prices" not in dock.lines.toPlainText()
        dock.show_level("WARNING")
        assert dock.source.currentText() == EVERYTHING
        assert "of the prices" in dock.lines.toPlainText()

    drive(scenario)


def test_a_line_leads_to_its_order_and_a_rejection_is_one(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        dock = shown(session)
        request = OrderRequest("SBIN", "NSE", Action.BUY, 1, PriceType.MARKET, Product.MIS)
        placed = await session.bridge.desk.place(request, session.bridge.mode)
        await until(lambda: placed.order_id in session.bridge.books.orders, "the order")
        wanted: list[str] = []
        session.bridge.order_wanted.connect(wanted.append)
        logging.getLogger("openalgo_desktop.trading.desk").error("order %s: no", placed.order_id)
        dock.show_level("ERROR")
        assert placed.order_id in dock.lines.toPlainText()
        assert dock.order.isEnabled()
        click(dock.order)
        assert wanted == [placed.order_id]
        logging.getLogger("openalgo_desktop.trading.desk").error("nothing to see")
        dock.text.setText("nothing to see")
        dock.reload()
        assert not dock.order.isEnabled()

    drive(scenario)


def test_lines_are_saved_as_they_are_shown(
    drive: Drive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(session: Session) -> None:
        dock = shown(session)
        logging.getLogger("openalgo_desktop.trading.desk").error("kept for later")
        dock.text.setText("kept for later")
        dock.reload()
        path = tmp_path / "log.txt"

        async def chosen(*_: object) -> Path:
            return path

        monkeypatch.setattr(log_module, "ask_path", chosen)
        await dock._save()
        lines = path.read_text("utf-8-sig").splitlines()
        assert len(lines) == 1 and lines[0].endswith("kept for later")

    drive(scenario)
