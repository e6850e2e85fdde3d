"""The sandbox dock on a real terminal, and what a switch of the mode says."""

from __future__ import annotations

import asyncio
import csv
import io
from decimal import Decimal
from pathlib import Path

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QDialog, QFileDialog, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from openalgo_desktop.core.enums import Action, Mode, PriceType, Product
from openalgo_desktop.core.errors import StorageError
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.sandbox.statistics import Tally, summarise
from openalgo_desktop.ui.chart.equity import EquityCurve, Point
from openalgo_desktop.ui.kit.confirm import ConfirmDialog
from openalgo_desktop.ui.kit.exporting import write_text
from openalgo_desktop.ui.kit.figures import figure_text
from openalgo_desktop.ui.rooms.portfolio.sandbox import FIGURES, SandboxDock
from openalgo_desktop.ui.shell.main import Session
from openalgo_desktop.ui.shell.staying import what_stays
from tests.ui.driving import Drive, click, ended
from tests.waiting import until

pytestmark = pytest.mark.whole_layout

CAPITAL = Decimal(10_000_000)


async def opened(session: Session) -> SandboxDock:
    """The sandbox dock in front, with its first report."""
    dock = session.window.docks["sandbox"]
    assert isinstance(dock, SandboxDock)
    dock.raise_()
    await until(lambda: dock.summary is not None, "the first report")
    return dock


async def dialog(session: Session, kind: type[QDialog]) -> QDialog:
    found: list[QDialog] = []

    def shown() -> bool:
        found[:] = [d for d in session.window.findChildren(kind) if d.isVisible()]
        return bool(found)

    await until(shown, f"a {kind.__name__}")
    return found[0]


async def order(
    session: Session, action: Action, kind: PriceType = PriceType.MARKET, price: float = 0.0
) -> None:
    request = OrderRequest("SBIN", "NSE", action, 10, kind, Product.MIS, price)
    await session.bridge.desk.place(request, session.bridge.mode)


# -- the dock -------------------------------------------------------------------------------
def test_trades_reach_figures_table_and_curve(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        assert dock.figures.values["closed"].text() == "0"
        assert dock.figures.values["win_rate"].text() == "–"
        assert not dock.export_trades.isEnabled()
        session.bridge.set_setting("sandbox.charges", True)
        await order(session, Action.BUY)
        await order(session, Action.SELL)
        await until(
            lambda: dock.summary is not None and dock.summary.figures.closed == 1, "a closed trade"
        )
        assert dock.summary is not None
        figures = dock.summary.figures
        assert dock.figures.values["closed"].text() == "1"
        assert dock.model.rowCount() == 1
        assert dock.summary.equity == CAPITAL + figures.net
        assert f"{figures.trades} trades" in dock.title_bar.subject.text()
        dock.steps.setCurrentIndex(1)
        assert "2 points" in dock.curve.accessibleDescription()

    drive(scenario)


def test_settings_are_checked_applied_and_undone(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        dock.tabs.setCurrentIndex(2)
        editors = dock.settings
        editors.complete()
        leverage = editors.findChild(QWidget, "sandbox-setting-sandbox-futures-leverage")
        plan = editors.findChild(QWidget, "sandbox-setting-sandbox-brokerage-plan")
        leverage.setValue(4.0)
        plan.setCurrentText("flat20")
        click(dock.apply)
        assert session.bridge.setting("sandbox.futures_leverage") == 4.0
        assert session.bridge.setting("sandbox.brokerage_plan") == "flat20"
        capital = editors.findChild(QComboBox, "sandbox-setting-sandbox-starting-capital")
        assert capital.currentText() == "1,00,00,000"
        leverage.setValue(7.0)
        undo = dock.findChild(QWidget, "sandbox-settings-undo")
        click(undo)
        assert leverage.value() == 4.0
        session.bridge.set_setting("sandbox.futures_leverage", 9.0)
        assert leverage.value() == 9.0

    drive(scenario)


def test_reset_asks_and_empties_the_account(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        await order(session, Action.BUY)
        await until(lambda: dock.summary is not None and dock.summary.figures.trades, "the trade")
        await until(lambda: session.bridge.books.positions, "the position")
        click(dock.reset)
        asked = await dialog(session, ConfirmDialog)
        assert isinstance(asked, ConfirmDialog)
        click(asked.no)
        await until(dock.reset.isEnabled, "the end of the question")
        assert len(await session.terminal.sandbox.trades()) == 1
        click(dock.reset)
        asked = await dialog(session, ConfirmDialog)
        assert isinstance(asked, ConfirmDialog)
        click(asked.yes)
        await until(
            lambda: dock.summary is not None and not dock.summary.figures.trades, "an empty report"
        )
        await until(lambda: not session.bridge.books.positions, "no positions")
        await until(lambda: not session.bridge.books.orders, "no orders")
        assert (await session.terminal.sandbox.funds()).reset_count == 1

    drive(scenario)


def test_export_writes_a_file_of_the_trades(drive: Drive, tmp_path: Path) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        await order(session, Action.BUY)
        await until(dock.export_trades.isEnabled, "a trade to export")
        click(dock.export_trades)
        chooser = await dialog(session, QFileDialog)
        assert isinstance(chooser, QFileDialog)
        line = chooser.findChild(QLineEdit, "fileNameEdit")
        line.setText(str(tmp_path / "mine"))
        chooser.accept()
        path = tmp_path / "mine.csv"
        await until(path.exists, "the file")
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
        assert [(row["symbol"], row["action"], row["quantity"]) for row in rows] == [
            ("SBIN", "BUY", "10")
        ]

    drive(scenario)


def test_switching_says_what_stays_behind(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        last = (await session.bridge.snapshot(("NSE", "SBIN"))).ltp
        await order(session, Action.BUY, PriceType.LIMIT, round(last * 0.9))
        await until(session.bridge.books.working, "the resting order")
        click(session.window.top_bar.mode)
        asked = await dialog(session, ConfirmDialog)
        text = asked.findChild(QWidget, "dialog-confirm-text").text()
        assert "1 working order stays in the sandbox" in text
        assert isinstance(asked, ConfirmDialog)
        click(asked.yes)
        await until(lambda: session.bridge.mode is Mode.LIVE, "live mode")
        await until(lambda: not session.bridge.books.working(), "the books of the account")
        assert dock.summary is not None
        assert "[SANDBOX]" not in session.window.windowTitle()
        await ended(session, "switch mode")
        click(session.window.top_bar.mode)
        await until(lambda: session.bridge.mode is Mode.SANDBOX, "no question with nothing open")
        await until(session.bridge.books.working, "the order that stayed")

    drive(scenario)


async def _fails(path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be written"):
        await write_text(path, lambda: "x")


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    asyncio.run(_fails(tmp_path / "missing" / "file.csv"))


# -- words and pictures ---------------------------------------------------------------------
@pytest.mark.parametrize(
    ("mode", "orders", "positions", "words"),
    [
        (Mode.SANDBOX, 0, 0, ""),
        (Mode.SANDBOX, 1, 0, "1 working order stays in the sandbox"),
        (Mode.SANDBOX, 2, 3, "2 working orders and 3 open positions stay in the sandbox"),
        (Mode.LIVE, 0, 1, "1 open position stays at Zerodha (AB12) with real money"),
    ],
)
def test_what_stays(mode: Mode, orders: int, positions: int, words: str) -> None:
    assert what_stays(mode, orders, positions, "Zerodha (AB12)").startswith(words)


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (None, "share", ("–", "")),
        (Decimal("-1250.5"), "profit", ("-1,250.50", "down")),
        (Decimal("1250.5"), "money", ("1,250.50", "")),
        (Decimal("0.314"), "percent", ("+0.31%", "up")),
        (Decimal("-0.001"), "percent", ("0.00%", "")),
        (7, "count", ("7", "")),
    ],
)
def test_figures_as_text(value: Decimal | int | None, kind: str, expected: tuple[str, str]) -> None:
    assert figure_text(value, kind) == expected


def test_every_figure_is_one_of_the_statistics() -> None:
    found = summarise(Tally(), [], CAPITAL, 0).figures
    assert {figure.key for figure in FIGURES} <= set(found.__struct_fields__)


def test_curve_shows_profit_above_and_loss_below_its_base(qtbot: QtBot) -> None:
    curve = EquityCurve("curve")
    qtbot.addWidget(curve)
    curve.resize(400, 200)
    blank = curve.grab().toImage()
    up = [Point("a", 100.0), Point("b", 140.0)]
    down = [Point("a", 100.0), Point("b", 60.0)]
    pictures = []
    for points in (up, down):
        curve.set_points(points, 100.0)
        pictures.append(curve.grab().toImage())
    assert pictures[0] != blank
    # The middle of the area: red beats green below the line, green beats red above it.
    gain = pictures[0].pixelColor(200, 130)
    loss = pictures[1].pixelColor(200, 60)
    assert gain.green() > gain.red()
    assert loss.red() > loss.green()


def test_curve_says_the_point_under_the_mouse(qtbot: QtBot) -> None:
    curve = EquityCurve("curve")
    qtbot.addWidget(curve)
    curve.resize(400, 200)
    curve.set_points([Point("a", 100.0), Point("b", 140.0), Point("c", 90.0)], 100.0)
    last = curve.grab().toImage()
    curve.show()
    QTest.mouseMove(curve, curve.rect().center())
    qtbot.waitUntil(lambda: curve.grab().toImage() != last, timeout=30_000)


async def test_an_export_does_not_follow_a_link(tmp_path: Path) -> None:
    victim, path = tmp_path / "victim", tmp_path / "export.csv"
    victim.write_text("precious")
    path.symlink_to(victim)
    with pytest.raises(StorageError, match="symbolic link"):
        await write_text(path, lambda: "a,b\n")
    assert victim.read_text() == "precious"


def test_a_fresh_account_of_the_window_has_real_margins_and_charges(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        settings = session.terminal.settings
        assert (settings["sandbox.margin_model"], settings["sandbox.charges"]) == ("span", True)
        strip = session.window.docks["sandbox"].realism  # type: ignore[attr-defined]
        assert strip.isHidden()

    drive(scenario)


def test_an_older_account_is_asked_once_beside_the_work(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        settings = session.terminal.settings
        for key in ("sandbox.margin_model", "sandbox.charges"):
            settings.unset(key)
        await session.terminal.state.delete("sandbox", "realism")
        await session.bridge.desk.place(OrderRequest("SBIN", "NSE", Action.BUY, 1), Mode.SANDBOX)
        notices: list[str] = []
        session.bridge.notice.connect(lambda level, text: notices.append(text))
        await session.bridge.paper.begin()
        strip = session.window.docks["sandbox"].realism  # type: ignore[attr-defined]
        assert not strip.isHidden() and len(notices) == 1
        assert settings["sandbox.charges"] is False
        click(strip.yes)
        await until(strip.isHidden, "the strip to go")
        assert (settings["sandbox.margin_model"], settings["sandbox.charges"]) == ("span", True)
        await session.bridge.paper.begin()
        assert strip.isHidden()

    drive(scenario)
