"""The buttons over a chart: its kind, indicators, comparison, and everything else in a menu.

None of them sends anything.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QWidget

from openalgo_desktop.ui.chart.paint.kinds import BY_ID, KINDS
from openalgo_desktop.ui.chart.scales.price_scale import ScaleKind
from openalgo_desktop.ui.chart.series import LOW
from openalgo_desktop.ui.kit import icons
from openalgo_desktop.ui.kit.dock import Dock
from openalgo_desktop.ui.kit.widgets import named, plain_tip
from openalgo_desktop.ui.rooms.charts.comparing import MOST

if TYPE_CHECKING:
    from openalgo_desktop.ui.rooms.charts.cell import ChartCell

SPACING = 2
#: Where volumes are drawn, in words.
VOLUMES = {"pane": "Volume below", "foot": "Volume at the foot", "nowhere": "No volume"}
SCALES = {
    ScaleKind.LINEAR: "Linear scale",
    ScaleKind.LOG: "Logarithmic scale",
    ScaleKind.PERCENT: "Percent of the first bar in view",
}
#: Why that of the logarithms cannot be chosen.
NO_LOGS = "  (none of 0 and less)"


class Shown(Enum):
    """Which of the buttons there are."""

    ALL = "all"
    MORE = "more"  # the dots, whose menu has the others, too


class ChartTools(QWidget):
    """One of a chart."""

    def __init__(self, cell: ChartCell) -> None:
        super().__init__()
        self._cell, self._dock = cell, cell.host
        self.resized: Callable[[], object] = lambda: None  # a button became wider
        named(self, f"{cell.name}-tools", "Chart tools")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING)
        self.kind = self._button("kind", "Candles ▾", "How the bars are drawn", self._show_kinds)
        self.studies = self._button(
            "studies", "ƒx", "Indicators: add, change, templates", cell.open_studies
        )
        self.compare = self._button(
            "compare", "±", "Compare, or chart arithmetic of several", self._show_compare
        )
        self.more = self._button(
            "more", "", "Scale, volume, lines, replay, export", self._show_more
        )
        icons.put(self.more, "more")
        for button in (self.kind, self.studies, self.compare, self.more):
            row.addWidget(button)

    def _button(self, ident: str, text: str, tip: str, call: Callable[[], object]) -> QToolButton:
        button = named(QToolButton(), f"{self._cell.name}-{ident}", tip)
        button.setText(text)
        button.setToolTip(plain_tip(tip))
        button.setProperty("role", "dock-button")
        button.setAutoRaise(True)
        button.clicked.connect(lambda _=False: call())
        return button

    def show_kind(self) -> None:
        """Name the kind of now on its button."""
        self.kind.setText(f"{BY_ID[self._cell.appearance.kind].title} ▾")
        self.resized()

    def width_of(self, shown: Shown) -> int:
        """Pixels that these buttons take."""
        if shown is Shown.MORE:
            return self.more.sizeHint().width()
        wide = [one.sizeHint().width() for one in (*self._others, self.more)]
        return sum(wide) + SPACING * len(self._others)

    @property
    def _others(self) -> tuple[QToolButton, ...]:
        return (self.kind, self.studies, self.compare)

    def show_only(self, shown: Shown) -> None:
        """Show these buttons."""
        for one in self._others:
            one.setVisible(shown is Shown.ALL)

    def _popup(self, menu: QMenu, under: QToolButton) -> None:
        menu.popup(under.mapToGlobal(under.rect().bottomLeft()))

    # -- kinds ------------------------------------------------------------------------------
    def _show_kinds(self) -> None:
        menu = self._dock.menu()
        self.fill_kinds(menu)
        self._popup(menu, self.kind)

    def fill_kinds(self, menu: QMenu) -> None:
        """All kinds; those that are made of bars after a line."""
        made = False
        for kind in KINDS:
            if kind.transform and not made:
                menu.addSeparator()
                made = True
            choose = partial(self._cell.appearance.set_kind, kind.kind)
            self._dock.add_check(menu, kind.title, kind.kind == self._cell.appearance.kind, choose)
        if BY_ID[self._cell.appearance.kind].transform:
            menu.addSeparator()
            self._dock.add_item(menu, "Box and other inputs…", self._cell.appearance.ask_kind)

    # -- others -----------------------------------------------------------------------------
    def _show_compare(self) -> None:
        menu = self._dock.menu()
        self.fill_compare(menu)
        self._popup(menu, self.compare)

    def fill_compare(self, menu: QMenu) -> None:
        """Compared instruments, more of them, arithmetic."""
        cell, add = self._cell, self._dock.add_item
        comparing = cell.comparing
        for key in comparing.keys:
            words = f"Take {cell.bridge.name(key)} away"
            if key in comparing.problems:
                words += f"  ({comparing.problems[key]})"
            add(menu, words, partial(cell.appearance.compare_without, key))
        if comparing.keys:
            own = self._dock.add_check
            own(menu, "Scales of their own", comparing.own, cell.appearance.toggle_own_scales)
            menu.addSeparator()
        if len(comparing.keys) < MOST:
            add(menu, "Compare with…", cell.appearance.ask_compare)
        add(menu, "Arithmetic of symbols…", cell.appearance.ask_expression)
        straddle = cell.arithmetic.straddle()
        if straddle is not None:
            shown, meant = straddle
            add(menu, f"Straddle: {shown}", partial(cell.show_expression, meant))

    def _show_more(self) -> None:
        menu = self._dock.menu()
        self.fill_more(menu)
        self._popup(menu, self.more)

    def fill_more(self, menu: QMenu) -> None:
        """What has no button here, then scale, volume, lines, then what is done with the chart."""
        cell, check = self._cell, self._dock.add_check
        appearance = cell.appearance
        look, put = appearance.look, appearance.set_look
        if self.kind.isHidden():
            self._fill_hidden(menu)
        if cell.drawings.box.isHidden():
            cell.drawings.fill_tools(_below(menu, "Draw", f"{cell.name}-more-draw"))
            menu.addSeparator()
        for scale, words in SCALES.items():
            lacks = "" if scale is not ScaleKind.LOG or self._has_logs() else NO_LOGS
            choose = partial(put, scale=scale.value)
            check(menu, words + lacks, look.scale == scale, choose).setEnabled(not lacks)
        check(
            menu,
            "Upside down",
            look.inverted,
            partial(put, inverted=not look.inverted),
        )
        check(menu, "Lock prices at the edges", cell.price_lock.on, cell.price_lock.turn)
        menu.addSeparator()
        for where, words in VOLUMES.items():
            check(menu, words, look.volume == where, partial(put, volume=where))
        menu.addSeparator()
        check(
            menu,
            "Bid and ask lines",
            look.touch,
            partial(put, touch=not look.touch),
        )
        check(menu, "Days divided", look.days, partial(put, days=not look.days))
        menu.addSeparator()
        for words, call in cell.chart_menu.tool_items():
            self._dock.add_item(menu, words, call)

    def _has_logs(self) -> bool:
        """Whether all prices are above 0, so that they have logarithms."""
        lows = self._cell.view.canvas.series.column(LOW)
        return not len(lows) or not float(np.nanmin(lows)) <= 0.0

    def _fill_hidden(self, menu: QMenu) -> None:
        """The menus of the buttons that have no room."""
        name = self._cell.name
        self.fill_kinds(_below(menu, "Kind of chart", f"{name}-more-kind"))
        self._dock.add_item(menu, "Indicators…", self._cell.open_studies)
        self.fill_compare(_below(menu, "Compare", f"{name}-more-compare"))
        menu.addSeparator()


def _below(menu: QMenu, title: str, object_name: str) -> QMenu:
    """A menu in a menu."""
    made = menu.addMenu(title)
    made.setObjectName(object_name)
    return made


__all__ = ["ChartTools", "Dock", "Shown"]
