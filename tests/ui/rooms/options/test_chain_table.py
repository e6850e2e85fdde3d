"""The two-sided table: mouse, keys, columns on both sides, what is painted when."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QPoint, QRect, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from openalgo_desktop.core.chain import ChainStrike
from openalgo_desktop.ui.kit.dock_keys import DockKeys
from openalgo_desktop.ui.kit.kinds import groups_of
from openalgo_desktop.ui.kit.tables import FastTableModel
from openalgo_desktop.ui.rooms.options.chain_columns import PRESETS, ColumnPlan
from openalgo_desktop.ui.rooms.options.chain_rows import (
    SPECS,
    STRIKE,
    Line,
    Side,
    column_of,
    columns,
    name_at,
)
from openalgo_desktop.ui.rooms.options.chain_table import ChainTable
from tests.costs import calls
from tests.ui.rooms.options.chains import STRIKES, chain, symbol

LEFT = Qt.MouseButton.LeftButton
ATM = 24_500.0


class Shown:
    """A table on the screen and what it asked for."""

    def __init__(self, qtbot: QtBot, rows: list[ChainStrike], width: int = 1200) -> None:
        self.model: FastTableModel[Line] = FastTableModel(columns(lambda line, is_call: "tip"))
        self.model.set_rows([Line(row) for row in rows])
        self.table = ChainTable(self.model, ColumnPlan())
        self.asked: list[tuple[str, float, bool]] = []
        self.table.asked.connect(lambda *what: self.asked.append(what))
        self.table.action_clicked.connect(self.table.on_action)
        DockKeys(groups_of("chain"), self.table).serve(self.table, self.table.answers())
        qtbot.addWidget(self.table)
        self.table.resize(width, 320)
        self.table.show()
        qtbot.waitExposed(self.table)
        self.table.set_current(ATM, True)

    def click(self, area: QRect, to: QRect | None = None) -> None:
        viewport = self.table.viewport()
        QTest.mousePress(viewport, LEFT, pos=area.center())
        QTest.mouseRelease(viewport, LEFT, pos=(to or area).center())

    def key(self, key: Qt.Key, *, repeat: bool = False) -> None:
        none = Qt.KeyboardModifier.NoModifier
        event = QKeyEvent(QEvent.Type.KeyPress, key, none, "", repeat)
        QApplication.sendEvent(self.table, event)

    def row(self, strike: float = ATM) -> int:
        return self.table.row_of(strike)


@pytest.fixture
def shown(qtbot: QtBot) -> Shown:
    return Shown(qtbot, chain())


def test_both_sides_mirror_each_other_at_the_strike() -> None:
    assert [name_at(index) for index in (STRIKE - 1, STRIKE, STRIKE + 1)] == [
        ("ltp", True),
        None,
        ("ltp", False),
    ]
    for spec in SPECS:
        assert name_at(column_of(spec.name, True)) == (spec.name, True)
        assert STRIKE - column_of(spec.name, True) == column_of(spec.name, False) - STRIKE


def test_a_leg_without_a_price_is_dashes_and_one_that_is_not_listed_too(qtbot: QtBot) -> None:
    shown = Shown(qtbot, chain(priced=False, no_put=ATM))
    for row in range(len(STRIKES)):
        texts = shown.model.store.cells(row).texts
        assert set(texts[:STRIKE] + texts[STRIKE + 1 :]) == {"–"}
    assert shown.model.store.cells(shown.row()).texts[STRIKE] == "24,500"


def test_figures_as_they_are_read(shown: Shown) -> None:
    texts = shown.model.store.cells(shown.row()).texts
    call = {spec.name: texts[column_of(spec.name, True)] for spec in SPECS}
    assert call == {
        "ltp": "100.05", "change": "+10.05", "percent": "+11.2%", "bid": "100.00",
        "ask": "100.10", "iv": "13.0", "delta": "0.50", "gamma": "0.00090", "theta": "-12.50",
        "vega": "13.50", "volume": "6,500", "oi_change": "–", "oi_percent": "–", "oi": "1.30 L",
    }  # fmt: skip


@pytest.mark.parametrize(("held", "badge"), [(0, ""), (130, "+2"), (-65, "-1"), (100, "+100u")])
def test_a_position_is_told_in_lots(held: int, badge: str) -> None:
    side = Side(chain()[0].call)
    side.held = held
    assert side.badge == badge


# -- mouse ----------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["buy", "sell"])
@pytest.mark.parametrize("is_call", [True, False])
def test_a_button_asks_on_release_over_it(shown: Shown, name: str, is_call: bool) -> None:
    area = shown.table.button_rect(shown.row(24_550.0), name, is_call)
    shown.click(area)
    assert shown.asked == [(name, 24_550.0, is_call)]
    assert shown.table.current_line is not None
    assert (shown.table.current_line.strike, shown.table.call_side) == (24_550.0, is_call)


@pytest.mark.parametrize(("cell", "word"), [("bid", "hit"), ("ask", "lift")])
def test_a_click_on_a_price_asks_to_trade_at_it(shown: Shown, cell: str, word: str) -> None:
    shown.click(shown.table.cell_rect(shown.row(), cell, False))
    assert shown.asked == [(word, ATM, False)]


def test_press_and_release_must_meet_on_one_control(shown: Shown) -> None:
    table, row = shown.table, shown.row()
    buy = table.button_rect(row, "buy", True)
    shown.click(buy, table.button_rect(row, "sell", True))
    shown.click(buy, table.button_rect(row, "buy", False))
    shown.click(buy, table.button_rect(row + 1, "buy", True))
    shown.click(buy, table.cell_rect(row, "ltp", True))
    assert shown.asked == []
    QTest.mouseClick(table.viewport(), Qt.MouseButton.RightButton, pos=buy.center())
    assert shown.asked == []


def test_lines_that_were_exchanged_between_press_and_release_ask_nothing(shown: Shown) -> None:
    area = shown.table.button_rect(shown.row(), "buy", True)
    QTest.mousePress(shown.table.viewport(), LEFT, pos=area.center())
    shown.model.set_rows([Line(row) for row in chain()[1:]])
    QTest.mouseRelease(shown.table.viewport(), LEFT, pos=area.center())
    assert shown.asked == []


def test_a_second_fast_click_asks_no_second_time(shown: Shown) -> None:
    area = shown.table.button_rect(shown.row(), "buy", True)
    QTest.mouseClick(shown.table.viewport(), LEFT, pos=area.center())
    QTest.mouseDClick(shown.table.viewport(), LEFT, pos=area.center())
    assert shown.asked == [("buy", ATM, True)]


def test_a_click_beside_buttons_and_prices_chooses(shown: Shown) -> None:
    shown.click(shown.table.cell_rect(shown.row(24_450.0), "ltp", False))
    assert shown.asked == [("choose", 24_450.0, False)]


def test_without_a_leg_or_an_offer_there_is_nothing_to_click(qtbot: QtBot) -> None:
    rows = chain(no_put=ATM)
    shown = Shown(qtbot, rows)
    table, row = shown.table, shown.row()
    assert table.action_at(table.button_rect(row, "buy", False).center()) is None
    assert table.action_at(table.button_rect(row, "buy", True).center()) is not None
    dark = Shown(qtbot, chain(priced=False))
    cell = dark.table.cell_rect(dark.row(), "bid", True)
    assert dark.table.action_at(cell.center()) is None


def test_the_wheel_only_scrolls(shown: Shown, qtbot: QtBot) -> None:
    shown.table.resize(1200, 120)
    area = shown.table.button_rect(1, "buy", True)
    window = shown.table.windowHandle()
    position = shown.table.viewport().mapTo(shown.table, area.center())
    for _ in range(3):
        QTest.wheelEvent(window, position, QPoint(0, -120))
    assert shown.table.verticalScrollBar().value() > 0
    assert shown.asked == []


# -- keyboard -------------------------------------------------------------------------------
def test_arrows_choose_strike_and_side(shown: Shown) -> None:
    table = shown.table
    shown.key(Qt.Key.Key_Down)
    shown.key(Qt.Key.Key_Right)
    assert table.current_line is not None
    assert (table.current_line.strike, table.call_side) == (24_550.0, False)
    shown.key(Qt.Key.Key_Up)
    shown.key(Qt.Key.Key_Left)
    assert table.current_line.strike == ATM and table.call_side
    assert shown.asked == []
    shown.key(Qt.Key.Key_Home)
    shown.table.forward = 24_508.0
    shown.key(Qt.Key.Key_Space)
    assert table.current_line.strike == ATM


@pytest.mark.parametrize(
    ("key", "word"),
    [
        (Qt.Key.Key_B, "buy"),
        (Qt.Key.Key_S, "sell"),
        (Qt.Key.Key_A, "basket"),
        (Qt.Key.Key_Return, "choose"),
        (Qt.Key.Key_Enter, "choose"),
    ],
)
def test_keys_ask_once_however_long_they_are_held(shown: Shown, key: Qt.Key, word: str) -> None:
    shown.key(key)
    for _ in range(5):
        shown.key(key, repeat=True)
    assert shown.asked == [(word, ATM, True)]


def test_keys_of_a_side_that_is_not_listed_ask_nothing(qtbot: QtBot) -> None:
    shown = Shown(qtbot, chain(no_put=ATM))
    shown.key(Qt.Key.Key_Right)
    for key in (Qt.Key.Key_B, Qt.Key.Key_S, Qt.Key.Key_Return):
        shown.key(key)
    assert shown.asked == []
    assert shown.table.selected_text() == ""


def test_copy_takes_the_contract(shown: Shown) -> None:
    QTest.keySequence(shown.table, "Ctrl+C")
    assert QApplication.clipboard().text() == symbol(ATM, "CE")


def test_copies_of_the_table_tell_calls_from_puts(shown: Shown) -> None:
    titles = shown.model.plain_rows()[0]
    assert titles[STRIKE] == "Strike"
    assert {"Call LTP", "Put LTP"} <= set(titles)
    assert len(set(titles)) == len(titles)


def test_the_strike_gives_way_to_buttons_and_badges(shown: Shown) -> None:
    """Its column is narrow: the two sides of it are never both buttons."""
    table, row = shown.table, shown.row()
    line = table.line_at(row)
    assert line is not None
    left, width = table.columnViewportPosition(STRIKE), table.strike_width
    assert width <= 124 and table.centred_area(row, left, width) == (left, width)
    line.put.held = -650
    QTest.mouseMove(table.viewport(), table.button_rect(row, "sell", True).center())
    start, room = table.centred_area(row, left, width)
    assert start > table.button_rect(row, "sell", True).right()
    assert start + room <= table.badge_rect(row, False).left()
    assert room >= table.ink.text("24,500")[1]
    assert table.badge_rect(row, False).width() >= table.ink.text(line.put.badge)[1]


# -- columns --------------------------------------------------------------------------------
def visible(table: ChainTable) -> list[str]:
    """Titles of a table's columns from left to right."""
    header = table.horizontalHeader()
    order = [header.logicalIndex(place) for place in range(header.count())]
    return [table.table.columns[one].key for one in order if not header.isSectionHidden(one)]


@pytest.mark.parametrize("preset", list(PRESETS))
def test_presets_on_both_sides(shown: Shown, preset: str) -> None:
    shown.table.plan.use(preset)
    shown.table.arrange()
    names = list(PRESETS[preset])
    calls = visible(shown.table)[: len(names)]
    if "bid" in names:
        assert calls.index("call-ask") == calls.index("call-bid") + 1
        place = calls.index("call-bid")
        calls[place : place + 2] = ["call-ask", "call-bid"]
    assert calls == [f"call-{name}" for name in reversed(names)]
    assert visible(shown.table)[len(names) :] == [
        "strike",
        *(f"put-{name}" for name in names),
    ]
    assert shown.table.plan.preset == preset


def test_a_moved_column_moves_on_both_sides_and_is_remembered(shown: Shown) -> None:
    header = shown.table.horizontalHeader()
    plan = shown.table.plan
    bid = header.visualIndex(column_of("bid", False))
    header.moveSection(bid, header.visualIndex(STRIKE) + 1)
    assert visible(shown.table)[-6:] == [
        f"put-{n}" for n in ("bid", "ltp", "percent", "ask", "volume", "oi")
    ]
    assert visible(shown.table)[:6] == [
        f"call-{n}" for n in ("oi", "volume", "ask", "percent", "ltp", "bid")
    ]
    assert plan.preset == ""
    header.moveSection(header.visualIndex(column_of("oi", True)), header.visualIndex(STRIKE) - 1)
    assert visible(shown.table)[-6:] == [
        f"put-{name}" for name in ("oi", "bid", "ltp", "percent", "ask", "volume")
    ]
    again = ColumnPlan()
    again.restore(plan.save())
    assert (again.order, again.shown, again.widths) == (plan.order, plan.shown, plan.widths)


def test_a_column_does_not_cross_the_strike(shown: Shown) -> None:
    header = shown.table.horizontalHeader()
    before = visible(shown.table)
    header.moveSection(header.visualIndex(column_of("bid", False)), 0)
    assert visible(shown.table) == before
    header.moveSection(header.visualIndex(STRIKE), 0)
    assert visible(shown.table) == before


def test_widths_are_equal_on_both_sides(shown: Shown) -> None:
    header = shown.table.horizontalHeader()
    header.resizeSection(column_of("ltp", True), 133)
    assert header.sectionSize(column_of("ltp", False)) == 133
    assert shown.table.plan.widths["ltp"] == 133


def test_a_plan_of_another_version_or_a_damaged_one_does_no_harm() -> None:
    plan = ColumnPlan()
    first = plan.save()
    for state in (None, 7, {}, {"order": 3, "shown": "x", "widths": {"ltp": "wide"}}):
        plan.restore(state)
        assert plan.save() == first
    plan.restore({"order": ["gone", "oi", "ltp"], "shown": ["gone"], "widths": {"ltp": 99_999}})
    assert plan.order[:2] == ["oi", "ltp"]
    assert sorted(plan.order) == sorted(spec.name for spec in SPECS)
    assert plan.shown == set(PRESETS["LTP"])
    assert plan.widths["ltp"] == 400
    for name in PRESETS["LTP"]:
        plan.toggle(name)
    assert len(plan.shown) == 1  # the last one stays


def test_a_narrow_table_keeps_the_strike_in_the_middle(qtbot: QtBot) -> None:
    shown = Shown(qtbot, chain(), width=420)
    table = shown.table
    middle = table.columnViewportPosition(STRIKE) + table.strike_width // 2
    assert abs(middle - table.viewport().width() // 2) <= 1
    table.resize(360, 320)
    middle = table.columnViewportPosition(STRIKE) + table.strike_width // 2
    assert abs(middle - table.viewport().width() // 2) <= 1


def test_a_wide_table_uses_its_room(shown: Shown) -> None:
    header = shown.table.horizontalHeader()
    assert shown.table.viewport().width() - header.length() < 12


# -- painting -------------------------------------------------------------------------------
def test_many_changes_are_painted_in_two_turns(qtbot: QtBot) -> None:
    rows = chain() + chain() + chain()
    shown = Shown(qtbot, rows)
    shown.table.resize(1200, 33 * shown.table.row_height + 60)
    qtbot.waitUntil(lambda: shown.table.visible_rows() == (0, 33))
    store = shown.model.store
    store.dirty.clear()
    for source in range(33):
        shown.model.touch(source)
    shown.table.flush()
    first = set(store.dirty)
    assert 0 < len(first) < 33
    shown.table.flush()
    assert store.dirty == set()
    shown.model.touch(0)
    shown.model.touch(32)
    shown.table.flush()
    assert store.dirty == set()


def test_every_column_of_forty_lines_is_painted_by_few_calls(qtbot: QtBot) -> None:
    """12 ms is what a paint may hold the loop; a painting delegate in Python took 40."""
    shown = Shown(qtbot, (chain() * 4)[:42], width=1920)
    shown.table.plan.use("All")
    shown.table.arrange()
    shown.table.resize(1920, 42 * shown.table.row_height + 30)
    shown.table.forward, shown.table.largest_oi = 24_508.0, 130_000.0
    QApplication.processEvents()
    shown.table.viewport().repaint()  # what is made once
    assert calls(shown.table.viewport().repaint) < 42 * 29 * 15  # about 11 a cell
