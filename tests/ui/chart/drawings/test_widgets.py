"""Tool box, style bar, list, form."""

from __future__ import annotations

import msgspec
import pytest
from PySide6.QtCore import Qt

from openalgo_desktop.core.charting.drawings.magnet import Magnet
from openalgo_desktop.core.charting.drawings.model import Family, Level
from openalgo_desktop.core.charting.drawings.tools import by_family, tool
from openalgo_desktop.ui.chart.drawings.object_list import LOCKED, NAME, ObjectList
from openalgo_desktop.ui.chart.drawings.settings import DrawingDialog, Unclear, levels_of
from openalgo_desktop.ui.chart.drawings.style_bar import StyleBar
from openalgo_desktop.ui.chart.drawings.tool_box import ToolBox
from openalgo_desktop.ui.chart.drawings.tool_search import ToolSearch
from openalgo_desktop.ui.engine.drawings import FIRST
from openalgo_desktop.ui.kit.widgets import controls
from tests.unit.core.charting.drawings.pane import drawn


def put(bench, ident, **more):
    row = drawn(tool(ident), **more)
    bench.board.put("put", [row])
    return row


def test_a_click_takes_the_tool_of_its_family_and_a_second_puts_it_away(bench, qtbot):
    box = ToolBox(bench.board, "chart")
    qtbot.addWidget(box)
    button = box._families[Family.FIBONACCI]
    button.click()
    assert bench.board.tool is by_family()[Family.FIBONACCI][0] and button.isChecked()
    button.click()
    assert bench.board.tool is None and not button.isChecked()
    bench.board.take(tool("fib-fan"))  # by a key or the menu: the button has it from now on
    bench.board.take(None)
    button.click()
    assert bench.board.tool is tool("fib-fan")
    assert all(one.objectName() and one.accessibleName() for one in controls(box))


def test_the_box_folds_into_columns_and_keeps_favourites(bench, qtbot):
    box = ToolBox(bench.board, "chart")
    qtbot.addWidget(box)
    box.show()
    box.resize(40, 900)
    narrow = box.width()
    box.resize(box.width(), 200)
    assert box.width() > 2 * narrow
    assert all(box.rect().contains(one.geometry()) for one in box._buttons)
    bench.board.set_favourite("sine-line", True)
    assert "sine-line" in box._favourites
    after = [one for one in box._buttons if one.nextInFocusChain() not in box._buttons]
    assert after == [box.objects]  # Tab goes as they stand, also through what came last
    assert box.search.nextInFocusChain() is box._favourites["sine-line"]
    state = bench.board.save_state()
    bench.board.set_favourite("sine-line", False)
    bench.board.restore_state({**state, "magnet": "strong", "favourites": ["sine-line", "x"]})
    assert bench.board.favourites == ("sine-line",) and bench.board.magnet is Magnet.STRONG
    bench.board.restore_state({"favourites": 5, "magnet": []})
    assert bench.board.magnet is Magnet.OFF


def test_the_style_bar_changes_all_that_is_chosen_in_one_step(bench, qtbot):
    bar = StyleBar(bench.board, "chart", bench.view)
    one = put(bench, "trend")
    bench.board.choose([one.ident])
    assert bar.isVisible()
    bench.board.restyle(width=4.0)
    assert bench.drawings[0].style.width == 4.0 and bar.width_.text() == "4 px"
    bench.board.undo()
    assert bench.drawings[0].style.width == one.style.width
    bar.lock.click()
    assert bench.drawings[0].locked
    bar.remove.click()
    assert len(bench.drawings) == 1  # locked
    bar.lock.click()
    bar.remove.click()
    assert bench.drawings == () and not bar.isVisible()
    assert all(one.objectName() and one.accessibleName() for one in controls(bar))


def test_templates_are_kept_and_the_first_is_that_of_new_ones(bench):
    assert bench.door.templates("ray")["Mine"].width == 4.0
    assert bench.door.templates("path") == {} == bench.door.templates("arc")  # cannot be read
    bar = StyleBar(bench.board, "chart", bench.view)
    row = put(bench, "trend")
    bench.board.choose([row.ident])
    bench.board.restyle(colour="#ff0000", width=3.0)
    style = bench.drawings[0].style
    bench.door.save_template("trend", "Mine", style)
    bench.door.save_template("trend", FIRST, style)
    assert set(bench.kept["trend"]) == {"Mine", FIRST}
    assert bench.door.made(tool("trend"), ()).style == style
    menu = bar.template_menu(bench.drawings[0])
    assert menu.actions()[0].text() == "Mine"
    bench.door.save_template("trend", FIRST, None)
    assert bench.door.made(tool("trend"), ()).style == tool("trend").style


def test_the_list_names_locks_orders_and_deletes(bench, qtbot):
    rows = ObjectList(bench.board, "chart")
    qtbot.addWidget(rows)
    rows.show()
    put(bench, "trend")
    bench.board.put("put", [bench.door.copied(bench.drawings[0])])
    tree = rows.tree
    assert tree.topLevelItemCount() == 2
    tree.topLevelItem(1).setText(NAME, "Base")
    assert bench.drawings[0].name == "Base"
    tree.topLevelItem(1).setCheckState(LOCKED, Qt.CheckState.Checked)
    assert bench.drawings[0].locked
    tree.topLevelItem(1).setSelected(True)
    assert bench.board.chosen == (bench.drawings[0].ident,)
    rows._order(1)
    assert [row.name for row in bench.drawings] == ["", "Base"]
    rows._delete_all()
    assert [row.name for row in bench.drawings] == ["Base"]


def test_the_form_changes_what_it_says(bench, qtbot):
    row = put(bench, "long-position")
    taken = []
    dialog = DrawingDialog(bench.view, row, 2, taken.append)
    qtbot.addWidget(dialog)
    assert dialog.drawing() == row
    dialog.numbers["risk"].setText("5,000")
    dialog.numbers["risk"].setModified(True)
    dialog.prices[1].setText("abc")
    dialog.prices[1].setModified(True)
    dialog.yes.click()
    assert not taken and "Price 2" in dialog.error.text()
    dialog.prices[1].setText("115.5")
    dialog.prices[1].setModified(True)
    next(iter(dialog.units.values())).setChecked(False)
    dialog.yes.click()
    assert taken[0].numbers["risk"] == 5000.0 and taken[0].anchors[1].price == 115.5
    assert "s" not in taken[0].spans and "m" in taken[0].spans


def test_levels_are_written_between_commas():
    before = (Level(0.0, "muted"), Level(0.5, "link-3"), Level(1.0, "muted", False))
    made = levels_of("0.5, 0.7,1", before)
    assert [(row.value, row.colour, row.shown) for row in made] == [
        (0.0, "muted", False),
        (0.5, "link-3", True),
        (0.7, "", True),
        (1.0, "muted", True),
    ]
    with pytest.raises(Unclear, match="'x' is no number"):
        levels_of("0.5, x", before)


def test_a_tool_is_found_by_its_name_and_taken_with_enter(bench, qtbot):
    box = ToolBox(bench.board, "chart")
    qtbot.addWidget(box)
    box.show()
    box.search.click()
    menu = next(iter(box.findChildren(ToolSearch)))
    qtbot.keyClicks(menu.field, "gartley")
    named = [action.objectName() for action in menu.actions()][1:]
    assert named and all("pattern" in name or "xabcd" in name for name in named)
    menu.field.setText("nothing like it")
    assert not menu.actions()[-1].isEnabled()
    menu.field.setText("fib fan")
    qtbot.keyClick(menu.field, Qt.Key.Key_Return)
    assert bench.board.tool is tool("fib-fan")
    # A chart without studies offers no tool that adds one.
    box.search.click()
    menu = box.findChildren(ToolSearch)[-1]
    menu.field.setText("fixed range")
    assert not menu.actions()[-1].isEnabled()
    menu.close()


def test_a_template_is_for_the_chosen_ones_of_its_tool_only(bench, qtbot):
    bar = StyleBar(bench.board, "chart", bench.view)
    line = put(bench, "trend")
    levels = msgspec.structs.replace(drawn(tool("fib-retracement")), ident="d2")
    bench.board.put("put", [levels])
    bench.board.choose(["d1", "d2"])
    bench.door.save_template("trend", "Thick", msgspec.structs.replace(line.style, width=4.0))
    menu = bar.template_menu(line)
    menu.actions()[0].trigger()
    assert [row.style.width for row in bench.drawings] == [4.0, levels.style.width]
    assert bench.drawings[1].style.levels == levels.style.levels


def test_a_note_without_a_text_would_be_seen_by_nobody(qtbot):
    row = drawn(tool("text"))
    dialog = DrawingDialog(None, row, 2, lambda made: None, only_text=True)
    qtbot.addWidget(dialog)
    dialog.text.setPlainText("  ")
    with pytest.raises(Unclear, match="delete the drawing"):
        dialog.drawing()


def test_in_a_small_chart_the_bar_keeps_what_deletes(bench, qtbot):
    bar = StyleBar(bench.board, "chart", bench.view)
    put(bench, "rectangle")
    bench.board.choose(["d1"])
    wide = bar.width()
    bench.view.resize(230, 200)
    bar.place()
    assert bar.width() <= 230 and bar.remove.isVisible() and not bar.width_.isVisible()
    bench.view.resize(900, 560)
    bar.place()
    assert bar.width() == wide and bar.width_.isVisible()
