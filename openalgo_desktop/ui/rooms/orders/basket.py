"""The basket builder: orders that are put together, looked at as a whole and sent together."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.core.acts import Act
from openalgo_desktop.core.basket import (
    MOST_LINES,
    Basket,
    LineResult,
    sequence,
)
from openalgo_desktop.core.enums import CASH_EXCHANGES, Action, FeedMode, Mode, PriceType, Product
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Key, Order, OrderRequest
from openalgo_desktop.core.money import decimals
from openalgo_desktop.core.wording import in_words
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.frames import Ticks
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.confirm import confirm
from openalgo_desktop.ui.kit.dock import Dock
from openalgo_desktop.ui.kit.fields import BORDER, HatchedFrame, VerticalArea
from openalgo_desktop.ui.kit.search import SymbolSearch
from openalgo_desktop.ui.kit.sending import sends
from openalgo_desktop.ui.kit.symbol_drag import keys_of
from openalgo_desktop.ui.kit.widgets import label, named, push_button, set_role, slug
from openalgo_desktop.ui.rooms.orders.basket_keeping import BasketKeeping, menu_item
from openalgo_desktop.ui.rooms.orders.basket_line import BasketLine
from openalgo_desktop.ui.rooms.orders.basket_totals import asked_totals
from openalgo_desktop.ui.rooms.orders.ticket_text import one_line

#: Totals are asked for again so long after the last edit, milliseconds.
SETTLE_MS = 300
#: In the sandbox they follow prices: every so many seconds.
FOLLOW_S = 5
#: Problems of a file that are shown at most.
SHOWN_PROBLEMS = 6
#: From this width on a line stands in one row, at a text scale of 100 per cent; pixels.
WIDE = 860
#: A file larger than this is no basket, bytes.
LARGEST_FILE = 1_000_000


class BasketDock(Dock):
    """Lines are edited where they stand; what is out stays and is never sent again."""

    name = "basket"
    title = "Basket"
    empty_text = "Drop symbols here, search for them above,\nor open a CSV file."

    def __init__(self, bridge: Bridge, name: str = "") -> None:
        super().__init__(bridge, name)
        self.lines: list[BasketLine] = []
        self.keeping = BasketKeeping(self)
        self._rules = Basket()  # how it is sent; its lines do not count
        self._made = 0
        self._asked = 0
        self._age = 0
        self._priced: set[Key] = set()
        self._sending = False
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
        column = QVBoxLayout(self.frame)
        column.setContentsMargins(BORDER + 2, BORDER + 2, BORDER + 2, BORDER + 2)
        column.setSpacing(4)
        column.addLayout(self._build_bar())
        self.problems = label("", f"{self.name}-problems", "error")
        self.problems.setWordWrap(True)
        self.problems.hide()
        column.addWidget(self.problems)
        ground = self._ground = QWidget()
        self._column = QVBoxLayout(ground)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        self._column.addStretch(1)
        area = self._area = named(VerticalArea(), f"{self.name}-scroll", "Lines of the basket")
        area.setWidget(ground)
        self.content.addWidget(self.frame)
        self.content = column
        column.addWidget(area, 1)
        self.place_empty_over(area)
        self.totals = label("", f"{self.name}-totals", "muted")
        self.totals.setWordWrap(True)
        column.addWidget(self.totals)
        row = QHBoxLayout()
        row.setSpacing(6)
        self.send = sends(named(QPushButton(), f"{self.name}-send", "Send the basket"))
        self.send.setProperty("role", "primary")
        self.send.clicked.connect(lambda _checked: self.submit())
        self.again = push_button(
            "Start over", f"{self.name}-again", "Forget the results and edit again", self.start_over
        )
        row.addWidget(self.send, 1)
        row.addWidget(self.again)
        column.addLayout(row)

    def _build_bar(self) -> QGridLayout:
        self.add_field = SymbolSearch(self.bridge, f"{self.name}-add", "Add symbol")
        self.add_field.chosen.connect(lambda key: self.add_keys([key]))
        self.name_field = named(QLineEdit(), f"{self.name}-name", "Name of the basket")
        self.name_field.setPlaceholderText("Name")
        self.name_field.setMaxLength(40)
        for field in (self.name_field, self.add_field):
            field.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        keeping = self._keeping = QHBoxLayout()
        keeping.setSpacing(4)
        keeping.addWidget(self.name_field, 1)
        keeping.addWidget(
            push_button(
                "Save", f"{self.name}-save", "Keep the basket by its name", self.keeping.save
            )
        )
        for words, fill in (("Open", self.keeping.fill_menu), ("Sending", self._fill_rules)):
            button = named(QPushButton(words), f"{self.name}-{slug(words)}", words)
            menu = named(QMenu(self), f"{self.name}-{slug(words)}-menu", words)
            menu.aboutToShow.connect(lambda menu=menu, fill=fill: fill(menu))
            button.setMenu(menu)
            keeping.addWidget(button)
        self._bar = QGridLayout()
        self._bar.setSpacing(4)
        self._place_bar()
        return self._bar

    def _place_bar(self) -> None:
        self._bar.removeWidget(self.add_field)
        self._bar.removeItem(self._keeping)
        self._bar.addWidget(self.add_field, 0, 0)
        self._bar.addLayout(self._keeping, *((0, 1) if self._wide else (1, 0)))
        for column in (0, 1):
            self._bar.setColumnStretch(column, 1 if self._wide or not column else 0)

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
                continue
            product = Product(self.bridge.setting("ui.default_product"))
            if product not in (Product.MIS, _carried(row.exchange)):
                product = _carried(row.exchange)
            self.add(
                OrderRequest(
                    row.symbol, row.exchange, Action.BUY, max(1, row.lot_size), PriceType.MARKET,
                    product,
                )
            )  # fmt: skip

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
        if self._sending:
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
        if self._sending:
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
                    problem = in_words(error)
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
        what = f"{len(rest)} order" + ("s" if len(rest) != 1 else "")
        where = self.bridge.mode.value.upper()
        words = f"Send {'the other ' if sent and rest else ''}{what} to {where}"
        self.send.setText("All lines are out" if sent and not rest else words)
        wrong = any(line.problem for line in rest)
        self.send.setEnabled(bool(rest) and not wrong and not self._sending)
        self._ground.setEnabled(not self._sending)  # what is on its way is not edited
        self.name_field.setEnabled(not self._sending)
        if not rest:
            self.totals.setText("")

    def show_problems(self, texts: Sequence[str]) -> None:
        """What is wrong with a file or a stored basket; nothing clears it."""
        shown = list(texts[:SHOWN_PROBLEMS])
        if len(texts) > SHOWN_PROBLEMS:
            shown.append(f"... and {len(texts) - SHOWN_PROBLEMS} more.")
        self.problems.setText("\n".join(shown))
        self.problems.setVisible(bool(shown))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Bar and lines in one row where there is room, else in two."""
        scale, wide = look.px(1000), self.width() >= look.px(WIDE)
        if (wide, scale) != (self._wide, self._scale):
            self._wide, self._scale = wide, scale
            self._place_bar()
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
        if self._rest() and not self._sending and not self._released:
            self._asked += 1
            self.spawn(self._total(self._asked), "basket totals")

    async def _total(self, number: int) -> None:
        basket, mode = self.basket(rest=True), self.bridge.mode
        text, short = await asked_totals(self.bridge, basket, mode)
        if number != self._asked or mode is not self.bridge.mode:
            return  # an answer to an older question
        self.totals.setText(text)
        set_role(self.totals, "warning" if short else "muted")

    # -- sending ----------------------------------------------------------------------------
    def submit(self) -> None:
        """Send what is not out, after a look at it where the settings want one."""
        if self._sending or not self._rest():
            return
        self._check_lines()
        if any(line.problem for line in self._rest()):
            self._show()
            return
        self._sending = True
        self._show()
        self.spawn(self._send(self.bridge.mode), "send basket", sends=True)

    async def _send(self, mode: Mode) -> None:
        lines, basket = self._rest(), self.basket(rest=True)
        try:
            why = self.bridge.orders.why_ask(Act.BASKET, basket.lines, mode)
            if why and not await self._agreed(basket, why, mode):
                return
            for line in lines:
                line.show_result(LineResult())

            def on_line(place: int, result: LineResult) -> None:
                lines[place].show_result(result)
                self._show_order_of(lines[place])  # its fill may have been told before

            results = await self.bridge.baskets.send(basket, mode, on_line)
            self._tell(results)
        except AppError as error:
            self.show_problems([in_words(error)])
        finally:
            self._sending = False
            self._edited()

    async def _agreed(self, basket: Basket, why: Sequence[str], mode: Mode) -> bool:
        order = sequence(basket)
        rows = [
            f"{number}.  {self._words(basket.lines[place])}"
            for number, place in enumerate(order, 1)
        ]
        text = "\n".join([*why, "", self.totals.text()]).strip()
        count = len(rows)
        return await confirm(
            self,
            f"Send {count} order{'s' if count != 1 else ''} to {mode.value.upper()}?",
            text,
            f"Send to {mode.value.upper()}",
            rows,
            danger=mode is Mode.LIVE,
        )

    def _words(self, line: OrderRequest) -> str:
        row = self.bridge.instrument(line.key)
        places = decimals(row.tick_size) if row is not None else 2
        lot = row.lot_size if row is not None else 1
        return one_line(line, lot, places, self.bridge.name(line.key))

    def _tell(self, results: Sequence[LineResult]) -> None:
        bad = sum(result.state.is_bad for result in results)
        if bad:
            self.show_problems(
                [
                    f"{len(results) - bad} of {len(results)} orders are out. What is open now may "
                    "be unhedged: look at it, then send the others or close it."
                    if bad < len(results)
                    else "No order was sent."
                ]
            )
        else:
            self.show_problems([])

    def _show_orders(self, orders: Sequence[Order]) -> None:
        """How the orders of the basket stand."""
        moved = {order.order_id for order in orders}
        for line in self.lines:
            if line.result is not None and not moved.isdisjoint(line.result.order_ids):
                self._show_order_of(line)

    def _show_order_of(self, line: BasketLine) -> None:
        ids = line.result.order_ids if line.result is not None else ()
        known = [self.bridge.books.orders.get(one) for one in ids]
        if any(known):
            line.show_order(", ".join(_state(order) for order in known if order is not None))

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
        if self._sending:  # nor what is going out now: it goes on when the dock is closed
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


def _carried(exchange: str) -> Product:
    """The product that stays overnight."""
    return Product.CNC if exchange in CASH_EXCHANGES else Product.NRML


def _state(order: Order) -> str:
    if order.filled_quantity:
        done = f"{fmt.quantity(order.filled_quantity)} of {fmt.quantity(order.quantity)} filled"
        return f"{done} at {fmt.exact(order.average_price)}"
    text = order.status.value
    return f"{text}: {order.rejection_reason}" if order.rejection_reason else text
