"""The list of the lines of a folded tag. It sends nothing: a line that is taken gets its own tag,
and its x, by being the chosen one."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QMenu, QWidget

from openalgo_desktop.ui.chart.lines import PriceLine
from openalgo_desktop.ui.chart.over.overlay import Overlay
from openalgo_desktop.ui.kit.widgets import named


def offer(parent: QWidget, overlay: Overlay, lines: Sequence[PriceLine], at: QPoint) -> QMenu:
    """Open it at a place of the screen."""
    menu = named(QMenu(parent), f"{parent.objectName()}-lines", "Lines of this tag")
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    for line in lines:
        action = menu.addAction(overlay.words(line).replace("&", "&&"))
        action.setObjectName(f"{menu.objectName()}-{line.line_id}")
        action.triggered.connect(lambda _on=False, ident=line.line_id: overlay.choose(ident))
    menu.popup(at)
    return menu
