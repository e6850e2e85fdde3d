"""The checker finds planted faults of every kind, and nothing where all is well."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QDialog,
    QGroupBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QMainWindow,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QTabBar,
    QTableWidget,
    QTableWidgetItem,
    QToolBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from openalgo_desktop.ui.kit import look, theme
from openalgo_desktop.ui.kit.clips import PaintsText, clips, may_elide
from openalgo_desktop.ui.kit.fields import PriceField
from openalgo_desktop.ui.kit.tables import Column, FastTableModel, FastTableView, RowAction
from openalgo_desktop.ui.kit.widgets import label, named, plain_tip

LONG = "NIFTY 02 DEC 24,400 CE"


@pytest.fixture(autouse=True)
def plain_look(qapp: QApplication) -> Iterator[None]:
    """What a test changed ends with it."""
    theme.apply(qapp, theme.DEFAULT)
    yield
    look.use(look.Look())
    theme.apply(qapp, theme.DEFAULT)


def page(qtbot: QtBot, widget: QWidget, width: int = 600, height: int = 300) -> QWidget:
    """A shown page with one widget on it, which has all the room it wants."""
    root = named(QWidget(), "page", "Page")
    qtbot.addWidget(root)
    root.resize(width, height)
    widget.setParent(root)
    if not widget.objectName():
        widget.setObjectName("it")
    root.show()
    widget.show()
    widget.ensurePolished()
    hint = widget.sizeHint()
    widget.setGeometry(4, 4, min(hint.width(), width - 8), min(max(hint.height(), 1), height - 8))
    return root


def kinds(root: QWidget) -> set[str]:
    return {clip.kind for clip in clips(root)}


def combo(text: str) -> QComboBox:
    box = QComboBox()
    box.addItem(text)
    return box


def price() -> PriceField:
    field = PriceField()
    field.setValue(1_23_456.85)
    return field


def group() -> QGroupBox:
    box = QGroupBox(LONG)
    box.setMinimumSize(0, 0)
    QVBoxLayout(box).addWidget(QWidget())
    return box


def bar() -> QProgressBar:
    shown = QProgressBar()
    shown.setFormat("Margin used 45 %")
    shown.setValue(45)
    return shown


def field() -> QLineEdit:
    line = QLineEdit()
    line.setPlaceholderText("Type a symbol, or drop one here")
    line.setMinimumWidth(0)
    return line


PLAIN: dict[str, tuple[Callable[[], QWidget], int]] = {
    "label": (lambda: label(LONG, "it"), 60),
    "button": (lambda: QPushButton("Close all positions"), 70),
    "check": (lambda: QCheckBox("Allow partial fills"), 60),
    "spin box": (price, 70),
    "combo box": (lambda: combo("NIFTY 02 DEC FUT"), 60),
    "group": (group, 60),
    "bar": (bar, 50),
    "field": (field, 90),
}


@pytest.mark.parametrize("scale", [100, 160])
@pytest.mark.parametrize("kind", PLAIN)
def test_a_text_too_wide_for_its_box(
    qtbot: QtBot, qapp: QApplication, kind: str, scale: int
) -> None:
    look.use(look.Look(text_scale=scale))
    theme.apply(qapp, "dark")
    make, narrow = PLAIN[kind]
    widget = make()
    root = page(qtbot, widget)
    roomy = max(widget.width(), 420 if kind in ("field", "group", "bar") else 0)
    widget.resize(roomy, widget.height())
    assert clips(root) == []
    widget.resize(narrow, widget.height())
    expected = {"check": "button"}.get(kind, kind)
    assert expected in kinds(root)
    assert all(clip.where == "page/it" or "qt_" in clip.where for clip in clips(root)) or (
        kind == "spin box"
    )


@pytest.mark.parametrize("kind", ["label", "button", "check", "field", "spin box"])
def test_a_text_too_high_for_its_box(qtbot: QtBot, kind: str) -> None:
    widget = PLAIN[kind][0]()
    root = page(qtbot, widget)
    widget.resize(420, widget.height())
    assert clips(root) == []
    widget.setFixedHeight(8)
    expected = {"check": "button"}.get(kind, kind)
    assert f"{expected} (height)" in kinds(root)


def test_a_wrapped_label_with_too_few_lines(qtbot: QtBot) -> None:
    text = label("Orders are simulated, nothing reaches the exchange.", "it")
    text.setWordWrap(True)
    root = page(qtbot, text)
    text.resize(150, text.heightForWidth(150))
    assert clips(root) == []
    text.resize(150, text.heightForWidth(150) - 10)
    assert kinds(root) == {"label (height)"}
    text.resize(50, 200)
    assert kinds(root) == {"label (word)"}


def test_what_lies_beyond_the_edge_of_its_parent(qtbot: QtBot) -> None:
    button = QPushButton("Send")
    root = page(qtbot, button, 200, 60)
    button.move(150, 4)
    assert kinds(root) == {"button beyond the edge"}
    button.move(4, 50)
    assert kinds(root) == {"button below the edge"}


def test_tabs_that_are_cut_or_behind_scroll_buttons(qtbot: QtBot) -> None:
    tabs = QTabBar()
    for text in ("Positions", "Orders", "Trades", "Holdings", "Funds"):
        tabs.addTab(text)
    tabs.setUsesScrollButtons(False)
    tabs.setElideMode(Qt.TextElideMode.ElideRight)
    root = page(qtbot, tabs, 900)
    assert clips(root) == []
    tabs.resize(180, tabs.height())
    assert kinds(root) == {"tab"}
    tabs.setElideMode(Qt.TextElideMode.ElideNone)
    tabs.setUsesScrollButtons(True)
    tabs.resize(181, tabs.height())
    assert "tabs behind scroll buttons" in kinds(root)


def _fast(**more: object) -> FastTableView:
    columns = (
        Column[str]("name", "Symbol", 90, lambda row: row, numeric=False, **more),  # type: ignore[arg-type]
        Column[str]("chg", "Chg %", 70, lambda row: 1.0, text=lambda row: "+1,234.56%"),
        Column[str](
            "act",
            "",
            120,
            lambda row: 0,
            actions=lambda row: (RowAction("a", "Close"), RowAction("b", "Reverse")),
        ),
    )
    model: FastTableModel[str] = FastTableModel(columns)
    view = named(FastTableView(model), "table", "Table")
    model.set_rows([LONG])
    return view


def test_cells_titles_and_links_of_a_table(qtbot: QtBot) -> None:
    view = _fast()
    root = page(qtbot, view, 700)
    view.resize(600, 200)
    assert "cell of Symbol" in kinds(root)  # not painted yet, so no column has grown
    view.grab()
    qtbot.waitUntil(lambda: clips(root) == [])
    view.setColumnWidth(1, 40)
    assert "cell of Chg %" in kinds(root)
    view.setColumnWidth(1, 28)
    assert "table title" in kinds(root)
    view.setColumnWidth(2, 60)
    assert "links in " in kinds(root)
    view.setColumnHidden(1, True)
    view.setColumnHidden(2, True)
    assert clips(root) == []


def test_cells_that_are_cut_on_purpose_have_a_tooltip(qtbot: QtBot) -> None:
    view = _fast(elides=True)
    root = page(qtbot, view, 700)
    view.resize(600, 200)
    view.setColumnWidth(1, 120)
    assert clips(root) == []  # the model gives the whole text as tooltip
    other = _fast(elides=True, tip=lambda row: "something else")
    root = page(qtbot, other, 700)
    other.resize(600, 200)
    other.setColumnWidth(1, 120)
    assert kinds(root) == {"cell of Symbol"}


def test_cells_of_plain_tables_and_lists(qtbot: QtBot) -> None:
    table = QTableWidget(1, 1)
    table.setItem(0, 0, QTableWidgetItem(LONG))
    table.setHorizontalHeaderLabels(["Name"])
    root = page(qtbot, table)
    table.setColumnWidth(0, 300)
    assert clips(root) == []
    table.setColumnWidth(0, 60)
    assert kinds(root) == {"cell"}
    item = table.item(0, 0)
    item.setToolTip(plain_tip(LONG))
    assert kinds(root) == {"cell"}  # nobody said that it may be cut
    may_elide(table)
    assert clips(root) == []
    rows = QListWidget()
    rows.addItem(LONG)
    root = page(qtbot, rows)
    rows.resize(300, 100)
    assert clips(root) == []
    rows.resize(80, 100)
    assert kinds(root) == {"cell"}


def test_a_mark_without_the_whole_text_in_the_tooltip_is_no_excuse(qtbot: QtBot) -> None:
    text = may_elide(label("A & B <Broker> of a long name", "it"))
    root = page(qtbot, text)
    text.resize(60, text.height())
    assert kinds(root) == {"label"}
    text.setToolTip(plain_tip("Accounts"))
    assert kinds(root) == {"label"}
    text.setToolTip(plain_tip("A & B <Broker> of a long name\nConnected"))
    assert clips(root) == []
    text.setProperty("elides", False)
    assert kinds(root) == {"label"}


def test_bars_that_hide_what_does_not_fit(qtbot: QtBot) -> None:
    window = QMainWindow()
    qtbot.addWidget(window)
    bar_ = QToolBar()
    window.addToolBar(bar_)
    for text in ("Cancel all", "Flatten", "Kill switch", "API keys"):
        button = QToolButton()
        button.setText(text)
        bar_.addWidget(button)
    window.resize(800, 200)
    window.show()
    assert clips(window) == []
    window.resize(140, 200)
    qtbot.waitUntil(lambda: "hidden behind an arrow" in kinds(window))


def test_a_page_wider_than_an_area_that_cannot_scroll(qtbot: QtBot) -> None:
    area = QScrollArea()
    inside = named(QWidget(), "inside", "Inside")
    inside.setMinimumSize(300, 100)
    area.setWidget(inside)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    root = page(qtbot, area)
    area.resize(400, 200)
    assert clips(root) == []
    area.resize(200, 200)
    assert kinds(root) == {"page"}


def test_painted_texts_are_told_by_their_widget(qtbot: QtBot) -> None:
    class Ladder(PaintsText):
        def __init__(self) -> None:
            super().__init__()
            self.cut: list[tuple[str, int, int]] = []

        def cut_texts(self) -> list[tuple[str, int, int]]:
            return self.cut

    ladder = Ladder()
    root = page(qtbot, ladder)
    assert clips(root) == []
    ladder.cut = [("24,412.05", 60, 40)]
    assert [(clip.kind, clip.text) for clip in clips(root)] == [("painted text", "24,412.05")]


def test_what_nobody_sees_is_no_fault(qtbot: QtBot) -> None:
    text = label(LONG, "it")
    root = page(qtbot, text)
    text.resize(20, text.height())
    assert clips(root)
    text.hide()
    assert clips(root) == []


def test_a_dialog_of_all_kinds_that_is_well_laid_out_has_no_fault(qtbot: QtBot) -> None:
    dialog = QDialog()
    qtbot.addWidget(dialog)
    column = QVBoxLayout(dialog)
    for make, _ in PLAIN.values():
        widget = make()
        if isinstance(widget, QLineEdit):
            widget.setMinimumWidth(320)
        column.addWidget(widget)
    dialog.show()
    assert clips(dialog) == []
    assert {type(child) for child in dialog.findChildren(QLabel)} <= {QLabel}


def test_a_word_for_what_goes_on_is_whole_and_a_cut_text_is_not(qtbot: QtBot) -> None:
    assert "elided text" not in kinds(page(qtbot, label("Loading…", "a")))
    assert "elided text" in kinds(page(qtbot, label("Loading of the his…", "b")))
    assert "elided text" in kinds(page(qtbot, label("NIFTY 02 DEC…", "c")))
