"""Orders from a chart: a button for each side with its price.

Armed, a button sends the size of a new ticket as a limit at the price that it showed when it was
pressed; else it opens the ticket on that side.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from openalgo_desktop.core.enums import Action, PriceType, Product
from openalgo_desktop.core.model import Instrument, OrderRequest
from openalgo_desktop.core.money import decimals
from openalgo_desktop.core.offered import products
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import quote
from openalgo_desktop.ui.kit.sending import sends
from openalgo_desktop.ui.kit.widgets import named, plain_tip, push_button
from openalgo_desktop.ui.rooms.market.one_click import OneClick

#: Side, and where its price comes from: what can be had at once.
TOUCH = ((Action.SELL, "bid"), (Action.BUY, "ask"))


class SideButtons(QWidget):
    """Sell at the bid and buy at the ask of the chart's instrument; none on an index.
    ``resized`` is called when they need more room or less."""

    def __init__(
        self, name: str, bridge: Bridge, hand: OneClick, resized: Callable[[], None]
    ) -> None:
        super().__init__()
        named(self, f"{name}-sides", "Buy and sell")
        self._bridge, self._hand, self._resized = bridge, hand, resized
        self._instrument: Instrument | None = None
        self._shown: dict[Action, float] = {}  # prices on the buttons, 0 while not known
        self._pressed: dict[Action, float] = {}
        self._void: set[Action] = set()  # buttons that were down when the instrument changed
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        self.buttons: dict[Action, QPushButton] = {}
        for action, _ in TOUCH:
            word = action.value.lower()
            button = push_button(
                word.title(),
                f"{name}-{word}",
                f"{word.title()} from the chart",
                partial(self._on_click, action),
            )
            button.setProperty("role", f"side-{word}")
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keys to the chart
            button.pressed.connect(partial(self._on_press, action))
            row.addWidget(sends(button))
            button.hide()
            self.buttons[action] = button

    def show_instrument(self, instrument: Instrument) -> None:
        """Begin for another instrument, without prices. A press that is under way meant the one
        before: it sends nothing."""
        self._instrument = instrument
        self._shown.clear()
        self._void = {action for action, button in self.buttons.items() if button.isDown()}
        for button in self.buttons.values():
            button.setVisible(not instrument.is_index)
            button.setMinimumWidth(0)
        self.show_prices(None)

    def hide_all(self) -> None:
        """There is nothing to trade: arithmetic of several."""
        self._instrument = None
        self._void = {action for action, button in self.buttons.items() if button.isDown()}
        for button in self.buttons.values():
            button.hide()

    @property
    def used(self) -> bool:
        """Whether there is something to trade."""
        return self._instrument is not None and not self._instrument.is_index

    def show_prices(self, tick: Tick | None) -> None:
        """The prices of now. The buttons grow with them and never shrink under a hand."""
        if self._instrument is None or self._instrument.is_index:
            return
        if self._void and not self._held():
            self._void.clear()  # it was let go elsewhere
        places, grown = decimals(self._instrument.tick_size), False
        for action, name in TOUCH:
            price = quote.price(tick, name) or 0.0
            if self._shown.get(action) == price:
                continue
            self._shown[action] = price
            button = self.buttons[action]
            text = fmt.price(price, places) if price else fmt.MISSING
            button.setText(f"{action.value.title()} {text}")
            wide = button.sizeHint().width()
            if wide > button.minimumWidth():
                button.setMinimumWidth(wide)
                grown = True
        if grown:
            self._resized()

    def show_armed(self) -> None:
        """What a click would do, in the tooltips."""
        row = self._instrument
        if row is None or row.is_index:
            return
        for action, button in self.buttons.items():
            word = action.value.lower()
            units = request_at(self._bridge, self._hand, row, action, 0.0).quantity
            tip = f"Opens the ticket to {word}; armed it sends {fmt.quantity(units)} at once"
            if self._hand.armed:
                size = fmt.units_text(units, row.lot_size)
                tip = f"ARMED: a click sends {word} {size} as a limit at this price"
            button.setToolTip(plain_tip(tip))

    def _held(self) -> bool:
        """Whether a press may be under way; a hand that left a button may come back to it."""
        down = any(button.isDown() for button in self.buttons.values())
        return down or QGuiApplication.mouseButtons() != Qt.MouseButton.NoButton

    # -- sending ----------------------------------------------------------------------------
    def _on_press(self, action: Action) -> None:
        """What is meant is the price that was there when the button went down."""
        self._pressed[action] = self._shown.get(action, 0.0)

    def _on_click(self, action: Action) -> None:
        row, price = self._instrument, self._pressed.pop(action, 0.0)
        if row is None or row.is_index:
            return
        if action in self._void:
            self._void.discard(action)
            text = "Not sent: the chart showed another instrument when the button went down."
            self._bridge.notice.emit("warning", text)
        elif not self._hand.armed:
            self._bridge.trade_wanted.emit(row.key, action)
        elif not price:
            self._bridge.notice.emit("warning", "Not sent: nobody quotes on that side.")
        else:
            self._hand.place(
                request_at(self._bridge, self._hand, row, action, price), self._bridge.mode
            )


def request_at(
    bridge: Bridge, hand: OneClick, row: Instrument, action: Action, price: float
) -> OrderRequest:
    """A limit of the size of a new ticket at a price of the chart, in the product of what is
    held, so that a sell closes it; else in that of a new ticket."""
    lots = int(bridge.setting("ui.default_lots"))
    units = lots * row.lot_size if row.lot_size > 1 else 1
    kind, product = PriceType.LIMIT, _product(bridge, hand, row)
    return OrderRequest(row.symbol, row.exchange, action, units, kind, product, price)


def _product(bridge: Bridge, hand: OneClick, row: Instrument) -> Product:
    held = {position.product for position in hand.positions(row.key)}
    if len(held) == 1:
        return held.pop()
    wanted, fitting = Product(bridge.setting("ui.default_product")), products(row)
    return wanted if wanted in fitting or not fitting else fitting[-1]
