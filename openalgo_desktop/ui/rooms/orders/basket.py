"""The basket builder: orders that are put together, looked at as a whole and sent together."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import (
    QMenu,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.core.basket import (
    MOST_LINES,
    Basket,
    sequence,
)
from openalgo_desktop.core.enums import FeedMode, Mode, Product
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Key, Order, OrderRequest
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.frames import Ticks
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.dock import Dock
from openalgo_desktop.ui.kit.fields import HatchedFrame, VerticalArea
from openalgo_desktop.ui.kit.refusals import told
from openalgo_desktop.ui.kit.symbol_drag import keys_of
from openalgo_desktop.ui.kit.widgets import label, named
from openalgo_desktop.ui.rooms.orders.basket_bar import BasketBar
from openalgo_desktop.ui.rooms.orders.basket_foot import BasketFoot
from openalgo_desktop.ui.rooms.orders.basket_keeping import BasketKeeping, menu_item
from openalgo_desktop.ui.rooms.orders.basket_line import BasketLine, first_order
from openalgo_desktop.ui.rooms.orders.basket_sending import BasketSending
from openalgo_desktop.ui.rooms.orders.basket_totals import asked_totals

#: Totals are asked for again so long after the last edit, milliseconds.
SETTLE_MS = 300
#: In the sandbox they follow prices: every so many seconds.
FOLLOW_S = 5
#: Problems of a file that are shown at most.
SHOWN_PROBLEMS = 6
#: From this width on a line stands in one row, at a text scale of 100 per cent; pixels.
WIDE = 860
#: In a lower dock the totals give way, at a text scale of 100 per cent; pixels.
LOW = 140
#: The list of lines is never lower, at a text scale of 100 per cent; pixels.
LOWEST = 44


class _Lines(VerticalArea):
    """Gives way in a low place: the foot stays in sight."""

    def minimumSizeHint(self) -> QSize:
        return QSize(super().minimumSizeHint().width(), look.px(LOWEST))


class BasketDock(Dock):
    """Lines are edited where they stand; what is out stays and is never sent again."""

    name = "basket"
    title = "Basket"
    empty_text = "Drop symbols here, search for them above,\nor open a CSV file."

    def __init__(self, bridge: Bridge, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(bridge, name, parent)
        self.lines: list[BasketLine] = []
        self.keeping = BasketKeeping(self)
        self.sending = BasketSending(self)
        self._rules = Basket()  # how it is sent; its lines do not count
        self._made = 0
        self._asked = 0
        self._age = 0
        self._priced: set[Key] = set()
        self._wide = True
        self._scale = look.px(1000)
        self._grown = False  # lines came or changed their form
        self.setAcceptDrops(True)
        self.frame = named(HatchedFrame(), f"{self.name}-frame", "Basket")
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self._ask)
        self._build()
        self.listen(bridge.mode_changed, self._on_mode)
        self.listen(bridge.feed.aged, self._on_aged)
        self.listen(bridge.books.orders_updated, self._show_orders)
        self._on_mode(bridge.mode)
        self._show()
        self.spawn(self.keeping.load_names(), "basket names")

    def release(self) -> None:
        self._settle.stop()  # it would ask on behalf of a dock that is gone
        super().release()

    # -- building ---------------------------------------------------------------------------
    def _build(self) -> None:
        """The bar and the lines scroll in a low place; the foot never does."""
        self.bar = BasketBar(
            self.bridge,
            self.name,
            lambda key: self.add_keys([key]),
            self.keeping.save,
            self.keeping.fill_menu,
            self._fill_rules,
        )
        self.add_field, self.name_field = self.bar.add_field, self.bar.name_field
        self.problems = label("", f"{self.name}-problems", "error")
        self.problems.setWordWrap(True)
        self.problems.hide()
        ground = self._ground = QWidget()
        self._column = QVBoxLayout(ground)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        self._column.addStretch(1)
        area = self._area = named(_Lines(), f"{self.name}-scroll", "Lines of the basket")
        area.setWidget(ground)
        self.content.setSpacing(4)
        self.content.addWidget(self.bar)
        self.content.addWidget(self.problems)
        self.content.addWidget(area, 1)
        self.place_empty_over(area)
        self.foot = BasketFoot(self.name, self.submit, self.start_over)
        self.send, self.again, self.totals = self.foot.send, self.foot.again, self.foot.totals
        self.pin_foot(self.frame, self.foot)

    def _fill_rules(self, menu: QMenu) -> None:
        menu.clear()
        for field, words in (
            ("buys_first", "Buys before sells"),
            ("wait", "Sells wait until the buys are filled"),
            ("stop", "Stop at the first failure"),
        ):
            on = bool(msgspec.structs.asdict(self._rules)[field])
            menu_item(menu, self.name, words, partial(self._turn_rule, field), on)

    def _turn_rule(self, field: str) -> None:
        now = msgspec.structs.asdict(self._rules)[field]
        self._rules = msgspec.structs.replace(self._rules, **{field: not now})
        self._edited()

    # -- the basket -------------------------------------------------------------------------
    def basket(self, *, rest: bool = False) -> Basket:
        """The orders as they stand; with ``rest`` those that are not out."""
        lines = tuple(line.request() for line in self.lines if not (rest and line.is_out))
        return msgspec.structs.replace(self._rules, lines=lines)

    def _rest(self) -> list[BasketLine]:
        return [line for line in self.lines if not line.is_out]

    def add_keys(self, keys: Sequence[Key]) -> None:
        """A lot of each at market, bought."""
        for key in keys:
            row = self.bridge.instrument(key)
            if row is None or row.is_index:
                why = "is an index; it cannot be traded" if row else "is not in the symbol master"
                self.bridge.notice.emit("warning", f"{key[1]} {why}.")
            else:
                self.add(first_order(row, Product(self.bridge.setting("ui.default_product"))))

    def add(self, request: OrderRequest, at: int | None = None) -> None:
        """One line more."""
        self._append(request, at)
        self._want()
        self._edited()

    def _append(self, request: OrderRequest, at: int | None = None) -> None:
        row = self.bridge.instrument(request.key)
        if row is None or row.is_index:
            return
        if len(self.lines) >= MOST_LINES:
            self.bridge.notice.emit("warning", f"A basket has {MOST_LINES} lines at most.")
            return
        self._made += 1
        line = BasketLine(self.bridge, row, request, f"{self.name}-line-{self._made}")
        line.edited.connect(self._edited)
        line.wanted.connect(lambda what, line=line: self._on_wanted(line, what))
        line.place(wide=self._wide)
        place = len(self.lines) if at is None else at
        self.lines.insert(place, line)
        self._column.insertWidget(place, line)

    def _drop_line(self, line: BasketLine) -> None:
        self.lines.remove(line)
        self._column.removeWidget(line)
        line.hide()
        line.deleteLater()

    def _on_wanted(self, line: BasketLine, what: str) -> None:
        place = self.lines.index(line)
        if what == "delete":
            self._drop_line(line)
            self._want()
        elif what == "clone":
            self.add(line.request(), place + 1)
        else:
            target = place + (1 if what == "down" else -1)
            if not 0 <= target < len(self.lines):
                return
            self.lines.insert(target, self.lines.pop(place))
            self._column.removeWidget(line)
            self._column.insertWidget(target, line)
        self._edited()

    def fill(self, basket: Basket, name: str = "") -> None:
        """Show another basket in the place of this one; lines that are not listed are left out,
        and it is said."""
        if self.sending.busy:
            return
        for line in tuple(self.lines):
            self._drop_line(line)
        self._rules = msgspec.structs.replace(basket, lines=())
        self.keeping.current = name
        self.name_field.setText(name)
        gone = [one.symbol for one in basket.lines if self.bridge.instrument(one.key) is None]
        for request in basket.lines:
            self._append(request)
        left_out = f"Not listed any more and left out: {', '.join(gone)}."
        self.show_problems([left_out] if gone else [])
        self._want()
        self._edited()

    def clear(self) -> None:
        """An empty basket."""
        self.fill(Basket())

    def start_over(self) -> None:
        """Forget what came of the lines: all of them can be edited and sent again."""
        if self.sending.busy:
            return
        for line in self.lines:
            line.show_result(None)
        self._edited()

    def _place_lines(self) -> None:
        for line in self.lines:
            line.place(wide=self._wide)
        self._grown = self.dirty = True

    def _want(self) -> None:
        self._grown = True
        self.want({line.row.key: FeedMode.QUOTE for line in self.lines})
        self.dirty = True

    # -- what is shown ----------------------------------------------------------------------
    def _edited(self) -> None:
        self._check_lines()
        self._show()
        self._settle.start()

    def _check_lines(self) -> None:
        """What the corridor would refuse, said at the line."""
        for line in self.lines:
            problem = ""
            if not line.is_out:
                try:
                    self.bridge.orders.check(line.request())
                    problem = line.unread()
                except AppError as error:
                    problem = told(error)
            if problem != line.problem:
                line.show_problem(problem)

    def _show(self) -> None:
        rest = self._rest()
        self.set_empty(not self.lines)
        order = sequence(self.basket(rest=True))
        numbers = {id(rest[place]): number for number, place in enumerate(order, 1)}
        for line in self.lines:
            line.show_number(numbers.get(id(line), 0))
        sent = len(self.lines) - len(rest)
        self.again.setVisible(any(line.result is not None for line in self.lines))
        wrong = any(line.problem for line in rest)
        ready = bool(rest) and not wrong and not self.sending.busy
        self.foot.show_count(len(rest), sent, self.bridge.mode, ready=ready)
        self._ground.setEnabled(not self.sending.busy)  # what is on its way is not edited
        self.name_field.setEnabled(not self.sending.busy)
        if not rest:
            self.totals.setText("")

    def show_problems(self, texts: Sequence[str]) -> None:
        """What is wrong with a file or a stored basket; nothing clears it."""
        shown = list(texts[:SHOWN_PROBLEMS])
        if len(texts) > SHOWN_PROBLEMS:
            shown.append(f"… and {len(texts) - SHOWN_PROBLEMS} more.")
        self.problems.setText("\n".join(shown))
        self.problems.setVisible(bool(shown))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Bar and lines in one row where there is room, else in two."""
        scale, wide = look.px(1000), self.width() >= look.px(WIDE)
        self.totals.setVisible(self.height() >= look.px(LOW))  # what sends is seen first
        if (wide, scale) != (self._wide, self._scale):
            self._wide, self._scale = wide, scale
            self.bar.place(wide=wide)
            self.foot.place(wide=wide)
            self._place_lines()

    def _on_mode(self, mode: Mode) -> None:
        self.frame.set_hatched(mode is Mode.SANDBOX)
        self._edited()

    def _on_aged(self) -> None:
        if self.is_hidden() or not self.lines:
            return
        self._fit()  # texts may have another size
        self.dirty = True
        self._age += 1
        if self._age % FOLLOW_S == 0 and self.bridge.mode is Mode.SANDBOX:
            self._ask()

    # -- prices -----------------------------------------------------------------------------
    def take(self, ticks: Ticks) -> None:
        if any(line.row.key in ticks for line in self.lines):
            self.dirty = True

    def flush(self) -> None:
        super().flush()
        if self._grown:
            self._grown = False
            self._area.updateGeometry()  # it is never narrower than its lines
        priced = set()
        for line in self.lines:
            key = line.row.key
            tick = self.bridge.latest(key)
            line.show_price(tick, self.bridge.feed.note(key))
            if tick is not None:
                priced.add(key)
        if priced - self._priced:
            self._settle.start()  # charges and premium of it are known now
        self._priced = priced

    # -- money ------------------------------------------------------------------------------
    def _ask(self) -> None:
        if self._rest() and not self.sending.busy and not self._released:
            self._asked += 1
            self.spawn(self._total(self._asked), "basket totals")

    async def _total(self, number: int) -> None:
        basket, mode = self.basket(rest=True), self.bridge.mode
        text, short = await asked_totals(self.bridge, basket, mode)
        if number != self._asked or mode is not self.bridge.mode:
            return  # an answer to an older question
        self.foot.show_money(text, short=short)

    # -- sending ----------------------------------------------------------------------------
    def submit(self) -> None:
        """Send what is not out, after a look at it where the settings want one."""
        if self.sending.busy or not self._rest():
            return
        self._check_lines()
        if any(line.problem for line in self._rest()):
            self._show()
            return
        self.sending.busy = True
        self._show()
        self.spawn(self._send(self.bridge.mode), "send basket", sends=True)

    async def _send(self, mode: Mode) -> None:
        try:
            await self.sending.send(self._rest(), self.basket(rest=True), mode)
        finally:
            self._edited()

    def _show_orders(self, orders: Sequence[Order]) -> None:
        """How the orders of the basket stand."""
        moved = {order.order_id for order in orders}
        for line in self.lines:
            if line.result is not None and not moved.isdisjoint(line.result.order_ids):
                self.sending.show_order_of(line)

    # -- dropping ---------------------------------------------------------------------------
    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if keys_of(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        keys = keys_of(event.mimeData())
        if keys:
            self.add_keys(keys)
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()

    # -- state ------------------------------------------------------------------------------
    def save_state(self) -> dict[str, Any]:
        rest = self.basket(rest=True)  # what is out must not come back as something to send
        if self.sending.busy:  # nor what is going out now: it goes on when the dock is closed
            rest = msgspec.structs.replace(rest, lines=())
        return super().save_state() | {
            "basket": msgspec.to_builtins(rest),
            "name": self.keeping.current,
        }

    def restore_state(self, state: Mapping[str, Any]) -> None:
        super().restore_state(state)
        with contextlib.suppress(msgspec.ValidationError):
            basket = msgspec.convert(state.get("basket"), Basket)
            name = state.get("name")
            self.fill(basket, name if isinstance(name, str) else "")
