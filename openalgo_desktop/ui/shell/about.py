"""About: version, licence, where the source is, and what the program is made of."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop import __version__
from openalgo_desktop.ui.engine.product import about
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.plain_table import PlainTable
from openalgo_desktop.ui.kit.widgets import copy_text, label, named, push_button

NAME = "dialog-about"
COLUMNS = ("Library", "Version", "Licence")


class AboutDialog(QDialog):
    """Plain text that can be selected and copied."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"About {about.NAME}")
        self.resize(look.px(660), look.px(560))
        named(self, NAME, f"About {about.NAME}")
        column = QVBoxLayout(self)
        column.setSpacing(12)
        column.addWidget(label(f"{about.NAME} {__version__}", f"{NAME}-title", "heading"))
        for name, text in (
            ("licence", f"Licence: {about.LICENCE}. {about.WORDS}"),
            ("source", f"Source: {about.source()}"),
            ("independent", about.INDEPENDENT),
        ):
            line = label(text, f"{NAME}-{name}", "muted" if name == "independent" else "")
            line.setWordWrap(True)
            line.setTextInteractionFlags(
                Qt.TextInteractionFlag.TextSelectableByMouse
                | Qt.TextInteractionFlag.TextSelectableByKeyboard
            )
            named(line, line.objectName(), text)
            column.addWidget(line)
        column.addWidget(label("Made of", f"{NAME}-parts-title", "caption"))
        self.table = _table()
        column.addWidget(self.table, 1)
        bottom = QHBoxLayout()
        bottom.addStretch(1)
        bottom.addWidget(push_button("Copy", f"{NAME}-copy", "Copy all of it", self._copy))
        close = push_button("Close", f"{NAME}-close", "Close", self.accept)
        close.setDefault(True)
        bottom.addWidget(close)
        column.addLayout(bottom)

    def _copy(self) -> None:
        rows = (f"{part.name} {part.version} {part.licence}" for part in about.parts())
        copy_text("\n".join((about.summary(), f"Source: {about.source()}", *rows)))


def _table() -> PlainTable:
    parts = about.parts()
    table = PlainTable(f"{NAME}-parts", "Libraries", COLUMNS)
    table.show_rows(parts)
    return table
