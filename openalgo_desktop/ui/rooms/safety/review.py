"""Where our own books and the broker's disagree, and the one click that settles it."""

from __future__ import annotations

from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.core.errors import AppError
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.dialogs import is_open
from openalgo_desktop.ui.kit.plain_table import PlainTable
from openalgo_desktop.ui.kit.widgets import label, named, push_button, set_role

NAME = "dialog-review"
COLUMNS = ("What", "Which", "Here", "At the broker")


KEPT = (
    "This program keeps its own books from the order updates and compares them with the account "
    "every minute."
)
MISSED = (
    "Something happened that it was not told of: an order from another program, or an update that "
    "was lost."
)


class ReviewDialog(QDialog):
    """The differences of the mode that was shown when it opened."""

    def __init__(self, parent: QWidget, bridge: Bridge) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._mode = bridge.mode
        self.setWindowTitle("Books differ")
        self.resize(look.px(720), look.px(320))
        named(self, NAME, "Differences between the books")
        column = QVBoxLayout(self)
        column.setSpacing(10)
        self.note = label(f"{KEPT} {MISSED}", f"{NAME}-note", "muted")
        self.note.setWordWrap(True)
        column.addWidget(self.note)
        self.table = PlainTable(f"{NAME}-table", "Differences", COLUMNS)
        column.addWidget(self.table, 1)
        bottom = QHBoxLayout()
        self.message = label("", f"{NAME}-message", "muted")
        bottom.addWidget(self.message, 1)
        bottom.addWidget(push_button("Close", f"{NAME}-close", "Close", self.accept))
        again = push_button("Compare again", f"{NAME}-again", "Compare again", self._again)
        again.setAutoDefault(False)
        bottom.addWidget(again)
        self.take = push_button(
            "Take the account's books",
            f"{NAME}-take",
            "Take the account's books as ours",
            self._take,
        )
        self.take.setProperty("role", "primary")
        self.take.setDefault(True)
        bottom.addWidget(self.take)
        column.addLayout(bottom)
        bridge.safety.differ.connect(self.reload)
        self.reload()

    def reload(self) -> None:
        """Show the differences as they are now."""
        rows = self._bridge.safety.differences(self._mode)
        self.table.show_rows([(row.kind, row.subject, row.ours, row.theirs) for row in rows])
        self.take.setEnabled(bool(rows))
        self.note.setText(f"{KEPT} {MISSED}" if rows else KEPT)
        if not rows:
            self._say("The books agree.", "success")

    def _say(self, text: str, role: str) -> None:
        self.message.setText(text)
        set_role(self.message, role)

    def _again(self) -> None:
        self._bridge.spawn(self._compare(), "compare books")

    async def _compare(self) -> None:
        self._say("Comparing…", "muted")
        try:
            found = await self._bridge.safety.compare(self._mode)
        except AppError as error:
            if not is_open(self):
                raise
            self._say(error.message, "error")
            return
        if not is_open(self):
            return
        self._say(f"{len(found)} differences." if found else "The books agree.", "muted")
        self.reload()

    def _take(self) -> None:
        self._bridge.spawn(self._rebase(), "take books")

    async def _rebase(self) -> None:
        await self._bridge.safety.take_books(self._mode)
        self._bridge.books.refresh()
        if is_open(self):
            self.reload()
