"""Fast tables: what is formatted when, sorting, copying, links, and what a repaint costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from PySide6.QtCore import QItemSelectionModel, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from openalgo_desktop.ui.kit import theme
from openalgo_desktop.ui.kit.tables import (
    Column,
    FastTableModel,
    FastTableView,
    RowAction,
    RowStore,
)
from openalgo_desktop.ui.kit.tables import store as table_store
from tests.costs import times_dearer


@pytest.fixture(autouse=True)
def dressed(qapp: QApplication) -> None:
    theme.apply(qapp, "dark")


@dataclass
class Row:
    name: str
    price: float | None
    formatted: list[str] = field(default_factory=list)

    def text(self) -> str:
        self.formatted.append(self.name)
        return "–" if self.price is None else f"{self.price:,.2f}"


COLUMNS = (
    Column[Row]("name", "Name", 120, lambda r: r.name, numeric=False),
    Column[Row]("price", "Price", 90, lambda r: r.price, lambda r: r.text(), flash=True),
    Column[Row](
        "action",
        "",
        120,
        lambda r: None,
        numeric=False,
        actions=lambda r: (RowAction("edit", "Modify"), RowAction("cancel", "Cancel")),
    ),
)


def rows(*prices: float | None) -> list[Row]:
    return [Row(f"S{n}", price) for n, price in enumerate(prices)]


def view_of(qtbot: QtBot, data: list[Row]) -> FastTableView:
    model: FastTableModel[Row] = FastTableModel(COLUMNS)
    model.set_rows(data)
    view = FastTableView(model, "Nothing here")
    view.setObjectName("table")
    view.resize(400, 300)
    qtbot.addWidget(view)
    view.show()
    qtbot.waitExposed(view)
    return view


# -- store -------------------------------------------------------------------------------------
def test_numbers_sort_as_numbers_and_unknown_ones_last() -> None:
    store: RowStore[Row] = RowStore(COLUMNS)
    store.set_rows(rows(9.5, 10.2, None, 100.0))
    store.sort(1, False)
    assert [store.row_at(i).price for i in range(4)] == [9.5, 10.2, 100.0, None]
    store.sort(1, True)
    assert [store.row_at(i).price for i in range(4)] == [100.0, 10.2, 9.5, None]
    store.sort(None, False)
    assert [store.row_at(i).name for i in range(4)] == ["S0", "S1", "S2", "S3"]
    assert [store.place[source] for source in store.order] == [0, 1, 2, 3]


def test_a_row_is_formatted_only_when_it_changed_and_is_looked_at() -> None:
    store: RowStore[Row] = RowStore(COLUMNS)
    data = rows(1.0, 2.0)
    store.set_rows(data)
    for _ in range(50):
        data[0].price = (data[0].price or 0) + 1
        store.touch(0)
    assert data[0].formatted == []
    assert store.cells(0).texts[1] == "51.00"
    store.cells(0)
    assert len(data[0].formatted) == 1
    assert data[1].formatted == []


def test_a_changed_number_flashes_in_its_direction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_store, "FLASH_TIME", 3600.0)  # however late it is looked at
    store: RowStore[Row] = RowStore(COLUMNS)
    data = rows(1.0, 2.0)
    store.set_rows(data)
    store.cells(0)
    store.cells(1)
    data[0].price, data[1].price = 2.0, 1.0
    for source in (0, 1):
        store.touch(source)
        store.cells(source)
    assert (store.flash(0, 1), store.flash(1, 1)) == ("up", "down")
    assert store.flash(0, 0) == ""


# -- model -------------------------------------------------------------------------------------
def test_copies_are_plain_numbers_and_formulas_are_defused(qapp: QApplication) -> None:
    model: FastTableModel[Row] = FastTableModel(COLUMNS)
    model.set_rows([Row("=HYPERLINK(1)", 1_234_567.5), Row("B", None), Row("-5", -2.0)])
    assert model.as_text([0]) == "Name\tPrice\n'=HYPERLINK(1)\t1234567.50"
    assert model.as_csv() == "Name,Price\r\n'=HYPERLINK(1),1234567.50\r\nB,\r\n-5,-2.00\r\n"


def test_selection_stays_on_its_row_when_the_order_changes(qtbot: QtBot) -> None:
    data = rows(3.0, 2.0, 1.0)
    view = view_of(qtbot, data)
    view.sortByColumn(1, Qt.SortOrder.AscendingOrder)
    assert [view.table.row_at(i).name for i in range(3)] == ["S2", "S1", "S0"]
    # Said in full: selectRow() asks which keys were held at the last click of any test before.
    command = QItemSelectionModel.SelectionFlag
    view.selectionModel().select(view.table.index(0, 0), command.ClearAndSelect | command.Rows)
    data[2].price = 10.0
    view.table.touch(2)
    view.flush()
    assert [view.table.row_at(i).name for i in range(3)] == ["S1", "S0", "S2"]
    assert [index.row() for index in view.selectionModel().selectedRows()] == [2]


# -- view --------------------------------------------------------------------------------------
def test_only_rows_in_view_are_formatted(qtbot: QtBot) -> None:
    data = rows(*range(5_000))
    view = view_of(qtbot, data)
    view.grab()
    formatted = [row for row in data if row.formatted]
    assert 5 <= len(formatted) <= 20
    for source in range(5_000):
        view.table.touch(source)
    view.flush()
    view.grab()
    assert len([row for row in data if row.formatted]) == len(formatted)


def test_links_need_press_and_release_on_the_same_place(qtbot: QtBot) -> None:
    view = view_of(qtbot, rows(1.0, 2.0))
    seen: list[tuple[str, int]] = []
    view.action_clicked.connect(lambda name, row: seen.append((name, row)))
    left = Qt.MouseButton.LeftButton
    viewport = view.viewport()
    first = view.action_rect(0, "edit").center()
    second = view.action_rect(1, "cancel").center()
    QTest.mouseClick(viewport, left, pos=second)
    assert seen == [("cancel", 1)]
    QTest.mousePress(viewport, left, pos=first)
    QTest.mouseRelease(viewport, left, pos=second)
    QTest.mouseClick(viewport, Qt.MouseButton.RightButton, pos=first)
    assert seen == [("cancel", 1)]
    QTest.mouseDClick(viewport, left, pos=first)
    assert len(seen) <= 2  # never two orders from one double click


def test_an_empty_table_says_so_and_hides_nothing(qtbot: QtBot) -> None:
    view = view_of(qtbot, [])
    empty = view.grab().toImage()
    view.empty_text = ""
    assert view.grab().toImage() != empty


def test_text_is_elided_to_its_column_and_numbers_end_at_the_right(qtbot: QtBot) -> None:
    view = view_of(qtbot, [Row("A" * 60, 7.0)])
    image = view.grab().toImage()
    panel = theme.current().color("panel").rgb()
    y = view.horizontalHeader().height() + 12
    edge = view.columnViewportPosition(1)
    gap = {image.pixel(x, y + dy) for x in range(edge - 3, edge + 3) for dy in range(-5, 6)}
    assert gap == {panel}


def test_a_full_repaint_costs_what_is_in_sight(qtbot: QtBot) -> None:
    """How long it takes is measured by bench/ui.py."""

    @dataclass
    class Wide:
        values: list[float]

    def step_of(count: int) -> Callable[[], None]:
        wide = tuple(
            Column[Wide](
                *(f"c{i}", f"C{i}", 56, lambda r, i=i: r.values[i]),
                lambda r, i=i: f"{r.values[i]:.2f}",
            )
            for i in range(12)
        )
        data = [Wide([float(n + i) for i in range(12)]) for n in range(count)]
        model: FastTableModel[Wide] = FastTableModel(wide)
        model.set_rows(data)
        view = FastTableView(model)
        view.setObjectName(f"wide-{count}")
        view.resize(12 * 56 + 20, 26 + 24 * 42 + 12)
        qtbot.addWidget(view)
        view.show()
        qtbot.waitExposed(view)
        view.viewport().repaint()

        def step() -> None:
            for source in range(0, 42, 3):
                data[source].values = [value + 0.05 for value in data[source].values]
                model.touch(source)
            view.flush()
            view.viewport().repaint()

        return step

    assert times_dearer(step_of(20_000), step_of(42)) < 3


def test_hit_test_outside_of_links_is_nothing(qtbot: QtBot) -> None:
    view = view_of(qtbot, rows(1.0))
    assert view.action_at(QPoint(5, 5)) is None
    assert view.action_at(QPoint(5, 5_000)) is None


def test_a_row_that_looks_the_same_is_not_painted_again(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tick that changes nothing costs no paint, and of two distant rows only these are painted,
    not all between them."""
    data = rows(*[float(price) for price in range(9)])
    view = view_of(qtbot, data)
    view.flush()
    view.repaint()
    QApplication.processEvents()
    painted: list[int] = []
    paint = view._paint_row

    def counted(painter: object, row: int, *rest: object) -> None:
        painted.append(row)
        paint(painter, row, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(view, "_paint_row", counted)
    for source in (0, 8):
        view.table.touch(source)
    view.flush()
    QApplication.processEvents()
    assert painted == []
    for source in (0, 8):
        data[source].price = 50.0
        view.table.touch(source)
    view.flush()
    qtbot.waitUntil(lambda: len(painted) >= 2)
    assert set(painted) == {0, 8}


def test_a_text_by_value_is_made_once_for_a_value() -> None:
    column = Column[Row]("price", "", 9, lambda r: r.price, lambda r: r.text(), by_value=True)
    store = RowStore([column, COLUMNS[0]])
    row = Row("A", 1.0)
    store.set_rows([row])
    store.cells(0)
    row.name = "B"
    store.touch(0)
    assert store.looks_new(0) and row.formatted == ["A"]
    row.price = 2.0
    store.touch(0)
    assert store.looks_new(0) and row.formatted == ["A", "B"]
    store.touch(0)
    assert not store.looks_new(0)
