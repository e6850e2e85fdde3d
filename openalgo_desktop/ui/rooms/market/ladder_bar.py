"""What stands over and under a ladder: sizes, product and bracket; buttons for the symbol."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.core.enums import CASH_EXCHANGES, Product
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.clips import may_elide
from openalgo_desktop.ui.kit.fields import CountField
from openalgo_desktop.ui.kit.segments import Segments
from openalgo_desktop.ui.kit.sending import sends
from openalgo_desktop.ui.kit.widgets import label, named, plain_tip, set_role

PRESETS = (1, 2, 5, 10, 20)
MOST_LOTS = 100_000
#: Between what is held and what is won, pixels.
GAP = 10
#: Stop and target in ticks that are offered first.
BRACKET = (20, 40)
MOST_TICKS = 100_000


class HeldLine(NamedTuple):
    """One position: lots and average, ticks and rupees won (empty while no price is live)."""

    what: str
    ticks: str
    money: str

    @property
    def won(self) -> str:
        """Ticks and rupees."""
        return "  ".join(filter(None, (self.ticks, self.money)))

    @property
    def whole(self) -> str:
        """All of it."""
        return "  ".join(filter(None, (self.what, self.won)))


class LadderBar(QWidget):
    """Last price, size in lots, product, and the distances of a bracket in ticks."""

    def __init__(self, name: str, product: str) -> None:
        super().__init__()
        named(self, f"{name}-bar", "Size and bracket")
        self._preferred = product
        self._bracket = BRACKET  # what is taken again: see toggle_bracket
        self.presets = list(PRESETS)
        self._keys = [""] * len(PRESETS)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        head = QHBoxLayout()
        self.last = label(fmt.MISSING, f"{name}-last", "heading")
        self.change = label("", f"{name}-change", "number")
        self.product = Segments(
            f"{name}-product", "Product", tuple(p.value for p in Product), compact=True
        )
        head.addWidget(self.last)
        head.addWidget(self.change)
        head.addStretch(1)
        head.addWidget(self.product)
        column.addLayout(head)
        column.addLayout(self._build_size(name))
        column.addLayout(self._build_bracket(name))

    def _build_size(self, name: str) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(2)
        self.caption = label("Lots", f"{name}-lots-caption", "caption")
        self.lots = named(CountField(), f"{name}-lots", "Size of an order in lots")
        self.lots.setRange(1, MOST_LOTS)
        self.lots.setFixedWidth(look.px(64))
        self.lots.valueChanged.connect(lambda _value: self._show_size())
        row.addWidget(self.caption)
        row.addWidget(self.lots)
        row.addSpacing(4)
        self.size_buttons: list[QPushButton] = []
        for index in range(len(PRESETS)):
            button = named(QPushButton(), f"{name}-size-{index + 1}", f"Size {index + 1}")
            button.setProperty("role", "segment")
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.setProperty("room", "tight")
            button.setMinimumWidth(look.px(22))
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            button.clicked.connect(lambda _checked, at=index: self.choose_size(at))
            button.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
            button.customContextMenuRequested.connect(
                lambda position, at=index: self._on_size_menu(at, position)
            )
            self.size_buttons.append(button)
            row.addWidget(button, 1)
        self._show_size()
        return row

    def _build_bracket(self, name: str) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(4)
        self._ticks: list[CountField] = []
        for word, text in (("stop", "Stop"), ("target", "Target")):
            field = named(CountField(), f"{name}-{word}", f"{text} in ticks, 0 for none")
            field.setRange(0, MOST_TICKS)
            field.setSpecialValueText("off")
            field.setValue(1)
            field.setValue(0)  # else the text of the first 0 stays
            field.setMinimumWidth(look.px(46))
            field.setMaximumWidth(look.px(64))
            field.setToolTip(
                "Ticks from the fill. Orders of this ladder that open or add get it; "
                "it is watched only while the program runs"
            )
            row.addWidget(label(text, f"{name}-{word}-caption", "caption"))
            row.addWidget(field)
            self._ticks.append(field)
        row.addWidget(label("ticks", f"{name}-bracket-caption", "caption"))
        row.addStretch(1)
        return row

    # -- what is chosen ---------------------------------------------------------------------
    def show_instrument(self, instrument: Instrument) -> None:
        """Offer the products of the exchange."""
        last = Product.CNC if instrument.exchange in CASH_EXCHANGES else Product.NRML
        fitting = (Product.MIS.value, last.value)
        chosen = self.product.value()
        self.product.allow(fitting)
        if chosen not in fitting:
            self.product.choose(self._preferred if self._preferred in fitting else fitting[0])
        lots = instrument.lot_size > 1
        self.caption.setText("Lots" if lots else "Units")
        units = f"{fmt.quantity(instrument.lot_size)} units a lot" if lots else "Shares or units"
        self.lots.setToolTip(plain_tip(units))

    def chosen_product(self) -> Product:
        """The product of an order."""
        return Product(self.product.value())

    def toggle_bracket(self) -> None:
        """No stop and target any more, or those of before again."""
        now = self.bracket()
        self._bracket, wanted = (now, (0, 0)) if any(now) else (self._bracket, self._bracket)
        for field, ticks in zip(self._ticks, wanted, strict=True):
            field.setValue(ticks)

    def bracket(self) -> tuple[int, int]:
        """Stop and target in ticks from the fill; 0 is none."""
        stop, target = self._ticks
        return stop.value(), target.value()

    def problem(self) -> str:
        """Why what stands in a field is not what an order would get, in a sentence; empty when it
        is."""
        named_fields = zip(("lots", "stop", "target"), (self.lots, *self._ticks), strict=True)
        return next((f"{name}: {why}" for name, f in named_fields if (why := f.problem())), "")

    def choose_size(self, index: int) -> None:
        """Take a size preset."""
        if 0 <= index < len(self.presets):
            self.lots.setValue(self.presets[index])
            self._show_size()

    def set_size(self, index: int) -> None:
        """Make the size of now a preset."""
        self.presets[index] = self.lots.value()
        self._show_size()

    def show_keys(self, keys: Sequence[str]) -> None:
        """The keys of the sizes, for their tooltips."""
        self._keys = list(keys)
        self._show_size()

    def _show_size(self) -> None:
        for index, button in enumerate(self.size_buttons):
            button.setText(fmt.quantity(self.presets[index]))
            button.setAccessibleName(f"Size {self.presets[index]} lots")
            button.setChecked(self.presets[index] == self.lots.value())
            key = f" ({self._keys[index]})" if self._keys[index] else ""
            tip = f"{self.presets[index]} lots{key}; right click: change it"
            button.setToolTip(plain_tip(tip))

    def _on_size_menu(self, index: int, position: QPoint) -> None:
        button = self.size_buttons[index]
        menu = named(QMenu(self), f"{button.objectName()}-menu", "Size preset")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        words = f"Make this {fmt.quantity(self.lots.value())} lots"
        menu.addAction(words).triggered.connect(lambda _checked: self.set_size(index))
        menu.popup(button.mapToGlobal(position))

    # -- state ------------------------------------------------------------------------------
    def save_state(self) -> dict[str, object]:
        """Sizes, product and bracket."""
        stop, target = self.bracket()
        return {
            "lots": self.lots.value(),
            "presets": list(self.presets),
            "product": self.product.value(),
            "stop_ticks": stop,
            "target_ticks": target,
        }

    def restore_state(self, state: Mapping[str, object]) -> None:
        """The other way round; what is not possible is left as it is."""
        presets = state.get("presets")
        if (
            isinstance(presets, list)
            and len(presets) == len(PRESETS)
            and all(isinstance(lots, int) and 1 <= lots <= MOST_LOTS for lots in presets)
        ):
            self.presets = list(presets)
        for name, field in (
            ("lots", self.lots),
            ("stop_ticks", self._ticks[0]),
            ("target_ticks", self._ticks[1]),
        ):
            value = state.get(name)
            if isinstance(value, int) and field.minimum() <= value <= field.maximum():
                field.setValue(value)
        product = state.get("product")
        wanted = product if isinstance(product, str) else self._preferred
        if wanted in self.product.options:
            self.product.choose(wanted)
        self._show_size()


#: Word, text, tooltip, role; the first row needs arming.
BUTTONS = (
    (
        ("join-bid", "Join bid", "Buy at the best bid", "buy"),
        ("join-ask", "Join ask", "Sell at the best ask", "sell"),
        ("buy-market", "Buy mkt", "Buy at market", "buy"),
        ("sell-market", "Sell mkt", "Sell at market", "sell"),
    ),
    (
        ("centre", "Centre", "Last price to the middle", ""),
        ("cancel-mine", "Cancel", "Cancel my orders of this symbol", ""),
        ("flatten", "Flatten", "Cancel my orders of this symbol and close it", ""),
        ("reverse", "Reverse", "Turn what is held to the other side at market", ""),
    ),
)
ARMED_ONLY = ("join-bid", "join-ask", "buy-market", "sell-market", "reverse")


class LadderFoot(QWidget):
    """What is held, whether a click sends, and buttons; ``pressed`` carries the word of one."""

    pressed = Signal(str)

    def __init__(self, name: str) -> None:
        super().__init__()
        named(self, f"{name}-foot", "Position and buttons")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        self._lines: Sequence[HeldLine] = ()
        self.held = may_elide(label("", f"{name}-held", "number"))
        self.state = label("", f"{name}-state", "caption")
        self.won = label("", f"{name}-won", "number")
        self.won.setAccessibleName("Open result")
        self.won.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        for part in (self.held, self.state):  # never wider than the dock; no wrapping: Qt would
            # give the dock its full preferred height then, and a scroll bar
            part.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        line = QHBoxLayout()
        line.setSpacing(GAP)
        line.addWidget(self.held, 1)
        line.addWidget(self.won)
        column.addLayout(line)
        column.addWidget(self.state)
        grid = QGridLayout()
        grid.setSpacing(2)
        self.buttons: dict[str, QPushButton] = {}
        self._tips: dict[str, str] = {}
        for row, words in enumerate(BUTTONS):
            for place, (word, text, tip, side) in enumerate(words):
                button = named(QPushButton(text), f"{name}-{word}", tip)
                button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
                button.setStyleSheet("padding-left: 0px; padding-right: 0px;")
                if side:
                    button.setProperty("role", f"link-{side}")
                if word != "centre":
                    sends(button)
                button.clicked.connect(lambda _checked, word=word: self.pressed.emit(word))
                self.buttons[word] = button
                self._tips[word] = tip
                grid.addWidget(button, row, place)
        column.addLayout(grid)

    def show_keys(self, tip: Callable[[str, str], str]) -> None:
        """Tooltips with the key in force; ``tip`` puts words and the key of an id together."""
        for word, button in self.buttons.items():
            button.setToolTip(plain_tip(tip(self._tips[word], word)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_held()

    def _fit_held(self) -> None:
        """All of it, or without the ticks, or cut where there is no room for either."""
        metrics, lines = self.held.fontMetrics(), self._lines
        room = self.width() - GAP
        fits = all(
            metrics.horizontalAdvance(line.what) + metrics.horizontalAdvance(line.won) <= room
            for line in lines
        )
        won = [line.won if fits else line.money for line in lines]
        room -= max(map(metrics.horizontalAdvance, won), default=0)
        cut = Qt.TextElideMode.ElideRight
        what = [metrics.elidedText(line.what, cut, room) for line in lines]
        self.held.setText("\n".join(what) or "Flat")
        self.won.setText("\n".join(won))

    def set_armed(self, armed: bool) -> None:
        """Say whether a click sends."""
        for word in ARMED_ONLY:
            self.buttons[word].setEnabled(armed)
        self.state.setText(
            "ARMED: a click in bids buys, in asks sells"
            if armed
            else "Not armed: a click fills the ticket"
        )
        set_role(self.state, "warning" if armed else "caption")

    def show_held(self, lines: Sequence[HeldLine], won: float) -> None:
        """What is held, and its open result. Always one line for each: a foot that grew would move
        the prices under the pointer."""
        text = "\n".join(line.whole for line in lines)
        self._lines = lines
        self._fit_held()
        self.held.setToolTip(plain_tip(text))
        set_role(self.won, fmt.sign_role(won), "tone")
