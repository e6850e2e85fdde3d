"""Columns of the position book."""

from __future__ import annotations

from collections.abc import Callable

from openalgo_desktop.core.model import Position
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.names import contract_tip
from openalgo_desktop.ui.kit.table_dock import Col
from openalgo_desktop.ui.kit.tables import RowAction
from openalgo_desktop.ui.rooms.portfolio.exit_columns import ExitColumns
from openalgo_desktop.ui.rooms.portfolio.position_greeks import GreekColumns
from openalgo_desktop.ui.rooms.portfolio.position_rows import (
    Line,
    price_text,
    strategy_of,
)

Column = Col[Line]
OPEN_ACTIONS = (
    RowAction("half", "½"),
    RowAction("close", "Close", "down"),
    RowAction("reverse", "Rev"),
    RowAction("stop", "SL"),
    RowAction("target", "TGT"),
)
#: The account's figure and ours differ from here on, rupees.
DIFFERS = 0.05


class PositionColumns:
    """Makes the columns; ``differs`` says what is odd about a row's quantity (empty: nothing)."""

    def __init__(self, bridge: Bridge, differs: Callable[[Position], str]) -> None:
        self._bridge = bridge
        self._differs = differs

    def all(self) -> tuple[Column, ...]:
        """In their order; those beyond what a day trader looks at are hidden at first."""
        return (
            self._symbol(),
            self._own("product", "Prod", 48, lambda p: p.product.value),
            self._net(),
            self._ltp(),
            self._profit("pnl", "Day P&L", lambda p: p.pnl, live=True),
            Col(
                "action",
                "",
                188,
                lambda line: not line.closed,
                numeric=False,
                spoken="Buttons",
                actions=lambda line: () if line.closed or line.title else OPEN_ACTIONS,
            ),
            self._price("average", "Avg", lambda p: p.average_price if p.quantity else None),
            Col(
                "percent",
                "P&L %",
                64,
                lambda line: line.percent,
                lambda line: _percent(line.percent),
                lambda line: _muted(line) or fmt.sign_role(line.percent or 0.0),
                live=True,
                tooltip="Open P&L in per cent of what is held at its average price",
            ),
            *ExitColumns(self._bridge).all(),
            *GreekColumns(self._bridge).all(),
            self._profit("unrealised", "Open P&L", lambda p: p.unrealised, live=True),
            self._profit("realised", "Realised", lambda p: p.realised_today),
            self._profit("total", "Total P&L", lambda p: p.realised + p.unrealised, live=True),
            self._net_of_charges(),
            self._price("buy_average", "Buy avg", self._buy_average, "Of today's purchases"),
            self._price("sell_average", "Sell avg", self._sell_average, "Of today's sales"),
            self._own("source", "Source", 110, lambda p: strategy_of(self._bridge, p)),
            self._broker(),
            self._own("exchange", "Exch", 50, lambda p: p.exchange, hidden=True),
            self._count("bought", "Bought", lambda p: p.buy_quantity),
            self._count("sold", "Sold", lambda p: p.sell_quantity),
            Col(
                "margin",
                "Margin",
                98,
                lambda line: line.total(lambda p: p.margin),
                lambda line: fmt.money(line.total(lambda p: p.margin)),
                hidden=True,
            ),
        )

    # -- kinds of columns -------------------------------------------------------------------
    def _own(
        self,
        key: str,
        title: str,
        width: int,
        text: Callable[[Position], str],
        hidden: bool = False,
    ) -> Column:
        """A text of single positions."""
        return Col(
            key,
            title,
            width,
            lambda line: "" if line.position is None else text(line.position),
            tone=_muted,
            numeric=False,
            hidden=hidden,
        )

    def _count(self, key: str, title: str, value: Callable[[Position], int]) -> Column:
        return Col(
            key,
            title,
            70,
            lambda line: line.total(value),
            lambda line: fmt.quantity(line.total(value)),
            _muted,
            hidden=True,
        )

    def _price(
        self, key: str, title: str, value: Callable[[Position], float | None], tip: str = ""
    ) -> Column:
        """A price of single positions; a dash where it is not known."""

        def number(line: Line) -> float | None:
            return None if line.position is None else value(line.position)

        def text(line: Line) -> str:
            price = number(line)
            if line.position is None:
                return ""
            return price_text(self._bridge, line.position, price) if price else fmt.MISSING

        return Col(key, title, 84, number, text, _muted, tooltip=tip)

    def _profit(
        self, key: str, title: str, value: Callable[[Position], float], live: bool = False
    ) -> Column:
        """Rupees of a line; with a price that is not known a dash."""

        def amount(line: Line) -> float | None:
            return line.total(value) if line.valued or not live else None

        return Col(
            key,
            title,
            94,
            amount,
            lambda line: _signed(amount(line)),
            lambda line: _muted(line) or fmt.sign_role(amount(line) or 0.0),
            live=live,
        )

    # -- columns ----------------------------------------------------------------------------
    def _symbol(self) -> Column:
        bridge = self._bridge

        def text(line: Line) -> str:
            if line.position is None:
                count = len(line.members)
                return f"{'▸' if line.folded else '▾'} {line.title}  ({count})"
            name = bridge.name(line.position.key)
            return f"    {name}" if line.indented else name

        def tip(line: Line) -> str:
            row = line.position
            if row is None:
                return "A double click or Enter folds the group"
            told = [] if bridge.books.is_live(row) else [bridge.feed.tips([row.key])]
            if line.closed:
                told.append("Closed today: nothing of it moves any more")
            if odd := self._differs(row):
                told.append(odd)
            return "\n".join([*told, contract_tip(row.key)])

        return Col(
            "symbol",
            "Symbol",
            180,
            lambda line: (
                (line.title,) if line.position is None else bridge.names.of(line.position.key).rank
            ),
            text,
            _muted,
            numeric=False,
            tip=tip,
            copied=lambda line: line.title if line.position is None else line.position.symbol,
        )

    def _net(self) -> Column:
        def text(line: Line) -> str:
            row = line.position
            if row is None:
                return ""
            if not row.quantity:
                return "closed"
            return fmt.units_text(row.quantity, self._bridge.lot(row.key))

        def tone(line: Line) -> str:
            if line.position is None or line.closed:
                return "muted"
            return "buy" if line.position.quantity > 0 else "sell"

        return Col(
            "quantity",
            "Net",
            104,
            lambda line: None if line.position is None else line.position.quantity,
            text,
            tone,
            badge=lambda line: (
                "differs" if line.position is not None and self._differs(line.position) else ""
            ),
            tip=lambda line: self._differs(line.position) if line.position is not None else "",
            copied=lambda line: "" if line.position is None else str(line.position.quantity),
        )

    def _ltp(self) -> Column:
        bridge = self._bridge

        def old(line: Line) -> bool:
            return line.position is not None and not bridge.books.is_live(line.position)

        def text(line: Line) -> str:
            row = line.position
            if row is None:
                return ""
            return (
                price_text(self._bridge, row, row.ltp) if row.quantity and row.ltp else fmt.MISSING
            )

        def value(line: Line) -> float | None:
            row = line.position
            return (row.ltp or None) if row is not None and row.quantity else None

        def tip(line: Line) -> str:
            row = line.position
            if row is None or not old(line):
                return ""
            return f"{bridge.feed.tips([row.key])}. {bridge.feed.tip(row.key)}"

        return Col(
            "ltp",
            "LTP",
            96,
            value,
            text,
            _muted,
            flash=True,
            live=True,
            badge=lambda line: (
                bridge.feed.note(line.members[0].key) or "no price" if old(line) else ""
            ),
            tip=tip,
        )

    def _net_of_charges(self) -> Column:
        def charges(line: Line) -> tuple[float | None, bool]:
            found = [self._bridge.day_trades.of(p.key, p.product) for p in line.members]
            parts = [day.charges for day in found]
            if None in parts:
                return None, True
            return sum(filter(None, parts)), any(day.estimated for day in found)

        def amount(line: Line) -> float | None:
            cost = charges(line)[0]
            if cost is None or not line.valued:
                return None
            return line.total(lambda p: p.pnl) - cost

        def tip(line: Line) -> str:
            cost, estimated = charges(line)
            if cost is None:
                return "The charges of its trades are not known."
            about = "about " if estimated else ""
            return (
                f"Day P&L less {about}₹ {fmt.money(cost)} charges of today's trades; what closing "
                "would cost is not in it."
            )

        return Col(
            "after_charges",
            "After charges",
            100,
            amount,
            lambda line: _signed(amount(line)),
            lambda line: _muted(line) or fmt.sign_role(amount(line) or 0.0),
            live=True,
            tip=tip,
            tooltip="Day P&L less the charges of today's trades; estimated where the account "
            "does not tell them",
        )

    def _broker(self) -> Column:
        def told(line: Line) -> float | None:
            row = line.position
            if row is None or not line.valued:
                return None
            theirs = self._bridge.books.told_pnl.get((row.key, row.product))
            return None if theirs is None or abs(theirs - row.pnl) < DIFFERS else theirs

        return Col(
            "broker",
            "Account's P&L",
            100,
            told,
            lambda line: _signed(told(line)),
            _muted,
            tooltip="Day P&L as the account told it when it was read last, where it differs",
            hidden=True,
        )

    # -- prices -----------------------------------------------------------------------------
    def _buy_average(self, row: Position) -> float | None:
        return self._bridge.day_trades.of(row.key, row.product).buy_average

    def _sell_average(self, row: Position) -> float | None:
        return self._bridge.day_trades.of(row.key, row.product).sell_average


def _muted(line: Line) -> str:
    return "muted" if line.closed else ""


def _signed(value: float | None) -> str:
    return fmt.MISSING if value is None else fmt.signed_money(value)


def _percent(value: float | None) -> str:
    return fmt.MISSING if value is None else fmt.signed_percent(value)
