"""The review before everything is closed: which positions, and how."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QListWidgetItem, QRadioButton, QWidget

from openalgo_desktop.core.enums import Mode, Product
from openalgo_desktop.core.model import Position
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit.confirm import ConfirmDialog
from openalgo_desktop.ui.kit.plain_list import PlainList
from openalgo_desktop.ui.kit.widgets import named, plain_tip
from openalgo_desktop.ui.rooms.portfolio import closing

NAME = "dialog-close-all"
#: How a line of the list says what goes out.
MARKET, LIMIT = " at market ", " by a limit "
PROTECTED = (
    "A limit a little through the last price: it trades at once in a normal market and never far "
    "away from it. What the market has left behind rests as an order, and is then still held."
)


def asked(mode: Mode, count: int, cancelled: int, gap: str) -> str:
    """The question over the list."""
    where = "in the sandbox" if mode is Mode.SANDBOX else "LIVE, with real money"
    what = "1 position" if count == 1 else f"{count} positions"
    text = f"{what} will be closed {where}. {closing.words(cancelled)}"
    return f"{text}\n\n{gap}." if gap else text


class CloseAllDialog(ConfirmDialog):
    """All are ticked at first. The orders that rest against a position are listed below it, and
    are cancelled with it."""

    def __init__(self, parent: QWidget, bridge: Bridge, rows: Sequence[Position]) -> None:
        self._bridge, self._positions = bridge, list(rows)
        lines = closing.lines(bridge, rows)
        gap = bridge.books.gaps.get("positions")
        self._gap = "" if gap is None else gap.text
        self._mode = bridge.mode
        cancelled = closing.count(bridge, rows)
        self._others = bridge.books.working_count - cancelled
        super().__init__(
            parent,
            "Close all positions?",
            asked(self._mode, len(rows), cancelled, self._gap),
            "Close all",
            lines,
            danger=True,
            option=self._option_text() if self._others > 0 else "",
        )
        assert self.review is not None
        self._boxes: list[QListWidgetItem] = []
        self._make_ticks(self.review)
        self.review.itemChanged.connect(lambda _: self._on_ticked())
        self._build_how(self.review)

    def _make_ticks(self, review: PlainList) -> None:
        """Positions before what is cancelled with them, and a box before each."""
        review.clear()
        for position in self._positions:
            *cancels, order = closing.lines(self._bridge, [position])
            box = QListWidgetItem(order)
            box.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
            box.setCheckState(Qt.CheckState.Checked)
            review.addItem(box)
            self._boxes.append(box)
            for text in cancels:
                below = QListWidgetItem(f"        {text}")
                below.setFlags(Qt.ItemFlag.ItemIsEnabled)
                review.addItem(below)

    def _build_how(self, review: PlainList) -> None:
        row = QHBoxLayout()
        group = QButtonGroup(self)
        self.market = named(QRadioButton("At market"), f"{NAME}-market", "Close at market")
        self.limit = named(
            QRadioButton("Limit with protection"), f"{NAME}-limit", "Close by limits"
        )
        self.limit.setToolTip(plain_tip(PROTECTED))
        self.limit.setAccessibleDescription(PROTECTED)
        self.market.setChecked(True)
        self.limit.toggled.connect(self._show_how)
        for button in (self.market, self.limit):
            group.addButton(button)
            row.addWidget(button)
        row.addStretch(1)
        self.body.insertLayout(self.body.indexOf(review) + 1, row)

    def _show_how(self, limits: bool) -> None:
        """The lines say how, too."""
        before, after = (MARKET, LIMIT) if limits else (LIMIT, MARKET)
        for box in self._boxes:
            box.setText(box.text().replace(before, after))

    # -- answers ----------------------------------------------------------------------------
    def chosen(self) -> list[Position]:
        """The positions that are ticked."""
        pairs = zip(self._positions, self._boxes, strict=True)
        return [row for row, box in pairs if box.checkState() is Qt.CheckState.Checked]

    def only(self) -> set[tuple[str, str, Product]] | None:
        """What to close; None when it is everything, also what is about to be opened."""
        chosen = self.chosen()
        if len(chosen) == len(self._positions):
            return None
        return {(row.exchange, row.symbol, row.product) for row in chosen}

    def protected(self) -> bool:
        """Whether they go out as limits."""
        return self.limit.isChecked()

    def _option_text(self) -> str:
        orders = "1 other working order" if self._others == 1 else f"{self._others} other working"
        orders += "" if self._others == 1 else " orders"
        return f"Cancel {orders} first: what fills later would open a position again"

    def _on_ticked(self) -> None:
        chosen = self.chosen()
        whole = len(chosen) == len(self._positions)
        self.yes.setEnabled(bool(chosen))
        self.yes.setText("Close all" if whole else f"Close {len(chosen)}")
        self.question.setText(
            asked(self._mode, len(chosen), closing.count(self._bridge, chosen), self._gap)
        )
        self.option.setText(
            self._option_text() if whole else "Cancel the other orders of these symbols first"
        )
