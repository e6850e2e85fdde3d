"""The strip over a chart that is replayed: where it is, what moves it, practice buttons.

It says in words and colour that nothing is sent. While it has the focus Space plays and pauses,
Right and Left step.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.core.errors import AppError
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.tool_row import ToolRow
from openalgo_desktop.ui.kit.widgets import label, named, plain_tip, push_button, set_role
from openalgo_desktop.ui.rooms.charts.replay.moments import parse, shown

#: Said on every chart of a replay.
PRACTICE = "REPLAY — practice, nothing is sent"
CHOOSE = "REPLAY — click the bar to begin after, or give a moment"
PROFIT = "Practice P&L after charges"
#: Texts as long as those of a replay become: what stands below moves by none of them.
_MOMENT, _PROFIT = "Wed 28 Nov 2028  00:00:00", f"{PROFIT} -₹ 88,88,888.88"


class ReplayBanner(QWidget):
    """The words, on each chart of a replay. While it runs its height follows from its width alone:
    a button that moved below a hand would be another one. So what went wrong then stands in the
    place of the result."""

    def __init__(self, name: str) -> None:
        super().__init__()
        named(self, f"{name}-replay-banner", "Replay")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setProperty("role", "banner-replay")
        self.words = label(PRACTICE, f"{name}-replay-words", "banner-replay")
        self.moment = label("", f"{name}-replay-moment", "banner-replay")
        self.profit = label("", f"{name}-replay-profit", "banner-replay")
        self.error = label("", f"{name}-replay-error", "banner-replay")
        self._runs, self._wrong = False, ""
        row = ToolRow(f"{name}-replay-line", (self.words, self.moment, self.profit, self.error))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(row)

    def show_state(self, words: str, moment: datetime | None, profit: str) -> None:
        """What it says."""
        self._runs = moment is not None
        self.words.setText(words)
        self.moment.setText("" if moment is None else f"{moment:%a %d %b %Y  %H:%M:%S}")
        self.profit.setText(profit)
        self._share_out()

    def tell(self, text: str) -> None:
        """What went wrong; empty for nothing."""
        self._wrong = text
        self.error.setToolTip(plain_tip(text))
        self._share_out()

    def _share_out(self) -> None:
        room, wrong = 0, self._wrong
        for part, longest in ((self.moment, _MOMENT), (self.profit, _PROFIT)):
            part.ensurePolished()
            room = part.fontMetrics().horizontalAdvance(longest)
            part.setMinimumWidth(room if part.text() else 0)
        held = self._runs and bool(self.profit.text())
        if held:
            wrong = self.error.fontMetrics().elidedText(wrong, Qt.TextElideMode.ElideRight, room)
        self.error.setText(wrong)
        self.error.setMinimumWidth(room if held else 0)
        self.moment.setVisible(self._runs)
        self.profit.setVisible(bool(self.profit.text()) and not wrong)
        self.error.setVisible(bool(wrong))


class ReplayStrip(QWidget):
    """Signals only: what they mean is the control's."""

    wanted = Signal(str)  # back, play, step, session, jump, buy, sell, close, figures, end, random
    speed_chosen = Signal(str)
    start_given = Signal(object, bool)  # datetime, whether all charts are meant
    jump_given = Signal(object)  # datetime

    def __init__(self, name: str, speeds: tuple[str, ...]) -> None:
        super().__init__()
        named(self, f"{name}-replay", "Replay")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._name = name
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.banner = ReplayBanner(name)
        column.addWidget(self.banner)
        self.when = named(QLineEdit(), f"{name}-replay-when", "Moment of the past")
        self.when.setMinimumWidth(look.px(150))
        self.when.setPlaceholderText("2026-11-20 10:15")
        self.when.returnPressed.connect(self._on_when)
        self.all = named(QCheckBox("All charts"), f"{name}-replay-all", "Replay all charts")
        self.choosing = ToolRow(f"{name}-replay-choosing", self._choosing())
        self.playing = ToolRow(f"{name}-replay-playing", self._playing(speeds))
        column.addWidget(self.choosing)
        column.addWidget(self.playing)
        self.show_choosing(True)

    def _button(self, word: str, text: str, tip: str) -> QPushButton:
        call: Callable[[], object] = lambda: self.wanted.emit(word)  # noqa: E731
        button = push_button(text, f"{self._name}-replay-{word}", tip, call)
        button.setToolTip(plain_tip(tip))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keys to the strip
        return button

    def _choosing(self) -> tuple[QWidget, ...]:
        begin = push_button("Begin", f"{self._name}-replay-begin", "Begin there", self._on_when)
        return (
            self.when,
            begin,
            self._button("random", "Random day", "Begin at the opening of any day"),
            self.all,
            self._button("cancel", "Cancel", "No replay"),
        )

    def _playing(self, speeds: tuple[str, ...]) -> tuple[QWidget, ...]:
        self.play = self._button("play", "Play", "Play or pause (Space)")
        self.speed = named(QComboBox(), f"{self._name}-replay-speed", "Speed of the replay")
        self.speed.addItems(speeds)
        self.speed.activated.connect(lambda _: self.speed_chosen.emit(self.speed.currentText()))
        self.to = named(QLineEdit(), f"{self._name}-replay-to", "Jump to a moment")
        self.to.setMinimumWidth(look.px(150))
        self.to.setPlaceholderText("Jump to: date, time")
        self.to.returnPressed.connect(self._on_to)
        self.quantity = named(QSpinBox(), f"{self._name}-replay-quantity", "Practice quantity")
        self.quantity.setRange(1, 1_000_000)
        buy = self._button("buy", "Practice buy", "Buy at the last replayed price; nothing is sent")
        sell = self._button("sell", "Practice sell", "Sell at it; nothing is sent")
        return (
            self._button("back", "Back", "One bar back (Left): charts and account as they were"),
            self.play,
            self._button("step", "Step", "One bar on (Right)"),
            self.speed,
            self._button("session", "Next day", "To the opening of the next session"),
            self.to,
            self.quantity,
            buy,
            sell,
            self._button("close", "Practice close", "Close what is held here in practice"),
            self._button("figures", "Result", "What was practised so far"),
            self._button("end", "End replay", "Back to now; the practice account goes"),
        )

    # -- what is typed ----------------------------------------------------------------------
    def _on_when(self) -> None:
        self._take(self.when, lambda moment: self.start_given.emit(moment, self.all.isChecked()))

    def _on_to(self) -> None:
        self._take(self.to, self.jump_given.emit)

    def _take(self, field: QLineEdit, give: Callable[[datetime], object]) -> None:
        try:
            moment = parse(field.text())
        except AppError as error:
            self.tell(error.message)
        else:
            self.tell("")
            give(moment)

    def tell(self, text: str) -> None:
        """What went wrong; empty for nothing."""
        self.banner.tell(text)

    # -- what is shown ----------------------------------------------------------------------
    def show_choosing(self, choosing: bool, example: datetime | None = None) -> None:
        """Whether a begin is being chosen, or the replay runs."""
        self.choosing.setVisible(choosing)
        self.playing.setVisible(not choosing)
        if choosing:
            self.banner.show_state(CHOOSE, None, "")
            if example is not None:
                self.when.setText(shown(example))

    def show_state(self, moment: datetime | None, playing: bool, step: str, profit: float) -> None:
        """Where the replay is."""
        money = f"{PROFIT} {fmt.rupees(profit, signed=True)}"
        self.banner.show_state(PRACTICE, moment, money)
        set_role(self.play, "primary" if playing else "plain")
        self.play.setText("Pause")  # the wider one: the others stay where they are
        widest = max(self.play.minimumWidth(), self.play.sizeHint().width())
        self.play.setMinimumWidth(widest)
        self.play.setText("Pause" if playing else "Play")
        self.speed.setToolTip(plain_tip(f"A bar is one of {step}" if step else ""))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = {Qt.Key.Key_Space: "play", Qt.Key.Key_Right: "step", Qt.Key.Key_Left: "back"}
        word = keys.get(Qt.Key(event.key()))
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if word is None or not plain or self.playing.isHidden():
            super().keyPressEvent(event)
        elif word != "play" or not event.isAutoRepeat():
            self.wanted.emit(word)
