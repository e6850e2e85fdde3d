"""What tables give away: rows, CSV, a picture; nothing is written that was not asked for."""

from __future__ import annotations

import csv
import stat
from pathlib import Path
from unittest.mock import patch

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication, QMenu

from openalgo_desktop.core.enums import Action, PriceType, Product
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.ui.kit import exporting, table_exports
from openalgo_desktop.ui.kit.exporting import MOST_ROWS, Cell, Sheet, draw
from openalgo_desktop.ui.kit.kinds import kinds
from openalgo_desktop.ui.kit.table_dock import TableDock
from openalgo_desktop.ui.kit.tables import FastTableView
from openalgo_desktop.ui.shell.export_menu import ExportMenu
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import Drive, priced
from tests.waiting import until

pytestmark = pytest.mark.docks("positions")

KEY = ("NSE", "SBIN")


async def held(session: Session) -> TableDock[object]:
    """A position in the table of positions."""
    await priced(session, KEY)
    bridge = session.bridge
    request = OrderRequest("SBIN", "NSE", Action.BUY, 1250, PriceType.MARKET, Product.MIS)
    await bridge.desk.place(request, bridge.mode)
    await until(lambda: bool(bridge.books.positions), "the position")
    dock = session.window.docks["positions"]
    assert isinstance(dock, TableDock)
    dock.reload()
    return dock


def test_csv_has_plain_numbers_and_contracts(drive: Drive, tmp_path: Path) -> None:
    async def scenario(session: Session) -> None:
        dock = await held(session)
        target, told = tmp_path / "positions.csv", []

        async def chosen(*_: object, **__: object) -> Path:
            return target

        with patch.object(table_exports, "ask_csv_path", chosen):
            await table_exports.save_csv(dock.view, dock.file_name(), told.append)
        assert stat.S_IMODE(target.stat().st_mode) == 0o600
        rows = list(csv.reader(target.read_text("utf-8-sig").splitlines()))
        row = dict(zip(rows[0], rows[1], strict=True))
        assert row["Symbol"] == "SBIN" and row["Net"] == "1250"
        assert told == [f"1 row exported to {target}."]

    drive(scenario)


def test_nothing_is_written_without_a_path(drive: Drive, tmp_path: Path) -> None:
    async def scenario(session: Session) -> None:
        dock = await held(session)

        async def nowhere(*_: object, **__: object) -> None:
            return None

        with (
            patch.object(table_exports, "ask_csv_path", nowhere),
            patch.object(table_exports, "ask_path", nowhere),
            patch.object(exporting, "open_private", side_effect=AssertionError),
        ):
            await table_exports.save_csv(dock.view, "x", lambda text: None)
            await table_exports.save_picture(dock.view, "x", "X", "", lambda text: None)

    drive(scenario)


def test_a_folder_that_cannot_be_written_is_a_notice(drive: Drive, tmp_path: Path) -> None:
    async def scenario(session: Session) -> None:
        dock = await held(session)
        told: list[tuple[str, str]] = []
        session.bridge.notice.connect(lambda level, text: told.append((level, text)))

        async def chosen(*_: object, **__: object) -> Path:
            return tmp_path / "no" / "such" / "folder.csv"

        with patch.object(table_exports, "ask_csv_path", chosen):
            dict(dock.exports())["Save as CSV…"]()
            await until(lambda: bool(told), "the notice")
        assert told[0][0] == "error" and "cannot be written" in told[0][1]

    drive(scenario)


def test_a_picture_is_on_paper_and_the_users_alone(drive: Drive, tmp_path: Path) -> None:
    async def scenario(session: Session) -> None:
        dock = await held(session)
        target = tmp_path / "positions.png"

        async def chosen(*_: object, **__: object) -> Path:
            return target

        with patch.object(table_exports, "ask_path", chosen):
            dict(dock.exports())["Save as picture…"]()
            await until(lambda: target.exists() and target.stat().st_size > 0, "the picture")
        image = QImage(str(target))
        assert image.width() > 800 and image.pixelColor(2, 2) == QColor("white")
        sheet = await table_exports.sheet_of(dock.view, "Positions", "SANDBOX")
        texts = [cell.text for cell in sheet.rows[0]]
        assert "SBIN" in texts and "1,250" in texts
        assert "" not in [title for title, _ in sheet.columns]  # no buttons

    drive(scenario)


def test_rows_are_copied_with_titles(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await held(session)
        dock.view.selectRow(0)
        table_exports.copy_rows(dock.view)
        titles, row = QApplication.clipboard().text().splitlines()
        assert titles.startswith("Symbol\t") and "\t1250\t" in row

    drive(scenario)


def test_every_table_of_every_panel_can_be_saved_and_has_its_menus(drive: Drive) -> None:
    """A panel that shows a table gives it away as CSV, and its columns can be chosen."""

    async def scenario(session: Session) -> None:
        window = session.window
        for kind in kinds():
            if not window.docking.of_kind(kind):
                window.docking.open(kind)
        tables = 0
        for dock in window.docking.docks.values():
            for view in dock.findChildren(FastTableView):
                tables += 1
                name, header = view.objectName(), view.horizontalHeader()
                custom = Qt.ContextMenuPolicy.CustomContextMenu
                assert header.contextMenuPolicy() == custom, name
                view.customContextMenuRequested.emit(QPoint(1, 20_000))  # below all rows
                texts = [text for text, _ in dock.exports()]
                for menu in dock.findChildren(QMenu):
                    if menu.isVisible():
                        texts += [action.text() for action in menu.actions()]
                        menu.close()
                assert "Save as CSV…" in texts, name
        assert tables > 15

    drive(scenario)


@pytest.mark.docks("watchlist", "chart", "depth", "positions", "orders")
def test_the_file_menu_offers_every_open_dock(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        menu = session.window.findChild(ExportMenu)
        assert menu is not None
        menu.fill()
        found = {one.title(): [a.text() for a in one.actions()] for one in menu.findChildren(QMenu)}
        docks = session.window.docking.docks.values()
        assert {dock.title for dock in docks} <= set(found)
        for dock in docks:
            assert found[dock.title] == [text for text, _ in dock.exports()]
        assert "Save as CSV…" in found["Positions"]
        assert "Save as CSV…" not in found["Chart"]

    drive(scenario)


def test_long_tables_are_cut_in_pictures(qapp: QApplication) -> None:
    rows = [[Cell(f"row {number}"), Cell("1", "up")] for number in range(MOST_ROWS)]
    whole = draw(Sheet("Long", "LIVE", [("Name", False), ("Number", True)], rows, 7), "Inter")
    short = draw(Sheet("Short", "LIVE", [("Name", False), ("Number", True)], rows[:3]), "Inter")
    assert whole.height() > 50 * short.height() / 3
    assert not short.isNull()
