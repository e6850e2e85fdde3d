"""The question before a strategy is started: what it trades, and where its orders go."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.confirm import WIDEST
from openalgo_desktop.ui.kit.dialogs import ask
from openalgo_desktop.ui.kit.fields import BORDER, HatchedFrame
from openalgo_desktop.ui.kit.plain_list import PlainList
from openalgo_desktop.ui.kit.segments import Segments
from openalgo_desktop.ui.kit.widgets import label, named, push_button, set_role

NAME = "dialog-start"
NO_ACCOUNT = "no live account is connected."
SANDBOX, LIVE = "Sandbox", "Live"


class StartDialog(QDialog):
    """Sandbox at first, always. ``no_live`` says why it cannot go live; ``account`` is where live
    orders would go."""

    def __init__(
        self, parent: QWidget, name: str, rows: Sequence[str], no_live: str, account: str
    ) -> None:
        super().__init__(parent)
        self._name, self._no_live, self._account = name, no_live, account
        self.setWindowTitle(f"Start {name}")
        self.setMinimumWidth(look.px(480))
        named(self, NAME, f"Start {name}")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        self.frame = named(HatchedFrame(), f"{NAME}-frame", "Border that tells the mode")
        outer.addWidget(self.frame)
        column = QVBoxLayout(self.frame)
        column.setContentsMargins(BORDER + 12, BORDER + 12, BORDER + 12, BORDER + 12)
        column.setSpacing(10)
        column.addWidget(label(name, f"{NAME}-name", "heading"))
        if rows:
            listed = PlainList.to_read(f"{NAME}-rows", "What it trades", rows)
            column.addWidget(listed)
            listed.ensurePolished()  # the theme's font, which is wider than Qt's own
            needed = listed.sizeHintForColumn(0) + 44
            listed.setWordWrap(needed > WIDEST)
            self.setMinimumWidth(max(look.px(480), min(WIDEST, needed + 2 * (BORDER + 12))))
        self.where = Segments(f"{NAME}-mode", "Where its orders go", (SANDBOX, LIVE))
        self.where.button(LIVE).setEnabled(not no_live)
        self.where.changed.connect(lambda _: self._show())
        column.addWidget(self.where)
        self.words = label("", f"{NAME}-words")
        self.words.setWordWrap(True)
        column.addWidget(self.words)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        self.no = push_button("Cancel", f"{NAME}-cancel", "Cancel", self.reject)
        self.yes = push_button("", f"{NAME}-yes", "Start", self.accept)
        self.yes.setAutoDefault(False)
        self.no.setDefault(True)
        buttons.addWidget(self.no)
        buttons.addWidget(self.yes)
        column.addLayout(buttons)
        self._show()
        self.no.setFocus()

    @property
    def mode(self) -> Mode:
        """The chosen one."""
        return Mode.LIVE if self.where.value() == LIVE else Mode.SANDBOX

    def _show(self) -> None:
        live = self.mode is Mode.LIVE
        self.frame.set_hatched(not live)
        self.yes.setText("Start LIVE" if live else "Start in the sandbox")
        self.yes.setAccessibleName(f"{self.yes.text()}: {self._name}")
        set_role(self.yes, "danger" if live else "primary")
        if live:
            text = (
                f"Its orders go to {self._account} with real money, also while the window stands "
                "at SANDBOX, until it is stopped."
            )
        else:
            text = "Its orders go to the paper account, also while the window stands at LIVE."
            if self._no_live:
                text += f" Live: {self._no_live}"
        self.words.setText(text)


async def ask_start(
    parent: QWidget, bridge: Bridge, name: str, rows: Sequence[str], no_live: str
) -> Mode | None:
    """The mode in which to start; None when it was cancelled. ``no_live`` says why it may not go
    live. Raises :class:`AppError` where live orders go to another account than the one that was
    shown: that is not what was answered."""
    account = bridge.desk.account_of(Mode.LIVE)
    no_live = no_live or ("" if account else NO_ACCOUNT)
    dialog = StartDialog(parent, name, rows, no_live, account)
    chosen: list[Mode] = []
    dialog.accepted.connect(lambda: chosen.append(dialog.mode))
    if not await ask(dialog) or not chosen:
        return None
    if chosen[0] is Mode.LIVE and bridge.desk.account_of(Mode.LIVE) != account:
        raise AppError(f"{name} was not started: live orders go to another account by now.")
    return chosen[0]
