"""Baskets: lines to send together, how, what came of each, and their CSV form. Pure.

CSV columns, in any order, titles in any case: ``symbol``, ``exchange``, ``action`` (BUY or SELL),
``quantity`` in units or ``lots``, and, where they are not the defaults, ``price_type`` (MARKET),
``product`` (NRML for derivatives, MIS for shares), ``price``, ``trigger_price``, ``strategy``,
``validity`` (DAY), ``disclosed_quantity`` in units (0: all of it is shown).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TypeVar

import msgspec

from openalgo_desktop.core.csvtext import bare_cell, csv_text
from openalgo_desktop.core.enums import (
    DERIVATIVE_EXCHANGES,
    Action,
    Exchange,
    PriceType,
    Product,
    Validity,
)
from openalgo_desktop.core.model import Instrument, Key, OrderRequest
from openalgo_desktop.core.money import plain
from openalgo_desktop.core.numbers import NotClear, written

T = TypeVar("T", bound=StrEnum)

#: Lines of one basket at most.
MOST_LINES = 100
#: What a line may say, in the order in which it is written.
COLUMNS = (
    "symbol",
    "exchange",
    "action",
    "quantity",
    "price_type",
    "product",
    "price",
    "trigger_price",
    "strategy",
    "validity",
    "disclosed_quantity",
)
_NEEDED = ("symbol", "exchange", "action")
_TITLES = frozenset((*COLUMNS, "lots"))


class Basket(msgspec.Struct, frozen=True):
    """Orders that are sent together.

    ``buys_first``: every buy before the first sell, so that hedges lower the margin of what is
    sold. ``wait``: the first sell waits until the buys are filled. ``stop``: the first failure ends
    it; otherwise every line is tried.
    """

    lines: tuple[OrderRequest, ...] = ()
    buys_first: bool = True
    wait: bool = True
    stop: bool = True


class LineState(StrEnum):
    """What came of a line; the value is what people read."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"  # sent, no answer: it is looked for, and never sent again
    SKIPPED = "not sent"

    @property
    def is_bad(self) -> bool:
        """Whether the line did not go as it was meant."""
        return self in (LineState.FAILED, LineState.UNKNOWN, LineState.SKIPPED)


class LineResult(msgspec.Struct, frozen=True):
    """A line's state, a sentence where there is something to say, and the orders it became."""

    state: LineState = LineState.WAITING
    text: str = ""
    order_ids: tuple[str, ...] = ()


class BasketMargin(msgspec.Struct, frozen=True):
    """Rupees. ``whole`` is what all lines together block, ``alone`` the sum of each by itself,
    ``benefit`` what they save each other; ``peak`` the most that is blocked on the way, in the
    order of sending. None: the account does not tell (``note`` says why)."""

    whole: float | None = None
    alone: float | None = None
    peak: float | None = None
    note: str = ""

    @property
    def benefit(self) -> float | None:
        """What the lines save each other; never below 0."""
        if self.whole is None or self.alone is None:
            return None
        return max(0.0, self.alone - self.whole)


def sequence(basket: Basket) -> list[int]:
    """Places of the lines in the order in which they are sent."""
    places = list(range(len(basket.lines)))
    if basket.buys_first:
        places.sort(key=lambda place: basket.lines[place].action is not Action.BUY)
    return places


# -- CSV ------------------------------------------------------------------------------------
class Problem(msgspec.Struct, frozen=True):
    """What is wrong in a file: its line there (the titles are line 1; 0 is the file as a whole),
    the column, and a sentence with the fix."""

    line: int
    column: str
    text: str

    def __str__(self) -> str:
        place = f"Line {self.line}" if self.line else "The file"
        return f"{place}, {self.column}: {self.text}" if self.column else f"{place}: {self.text}"


class _Wrong(Exception):
    """A field that cannot be read."""

    def __init__(self, column: str, text: str) -> None:
        super().__init__(text)
        self.column, self.text = column, text


def read_csv(
    text: str, instrument: Callable[[Key], Instrument | None]
) -> tuple[list[OrderRequest], list[Problem]]:
    """The lines of a CSV text, and what is wrong with it. With a problem nobody should take the
    lines: half a basket is a position that nobody meant."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    try:
        records = [[bare_cell(cell.strip()) for cell in record] for record in reader]
    except csv.Error as error:
        return [], [Problem(reader.line_num, "", f"This is no CSV ({error}).")]
    numbered = [(number, record) for number, record in enumerate(records, 1) if any(record)]
    if not numbered:
        return [], [Problem(0, "", "It is empty. The first line names the columns.")]
    top, titles = numbered[0][0], [cell.lower() for cell in numbered[0][1]]
    problems = _title_problems(top, titles)
    if problems:
        return [], problems
    lines: list[OrderRequest] = []
    for number, record in numbered[1:]:
        fields = dict.fromkeys(titles, "") | dict(zip(titles, record, strict=False))
        try:
            if len(record) > len(titles):
                raise _Wrong("", "It has more fields than there are titles.")
            lines.append(_line(fields, instrument))
        except _Wrong as wrong:
            problems.append(Problem(number, wrong.column, wrong.text))
    if not problems and not lines:
        problems.append(Problem(0, "", "It has titles and no line below them."))
    if len(lines) > MOST_LINES:
        problems.append(Problem(0, "", f"A basket has {MOST_LINES} lines at most."))
    return lines, problems


def _title_problems(line: int, titles: Sequence[str]) -> list[Problem]:
    known = ", ".join((*COLUMNS[:4], "lots", *COLUMNS[4:]))
    problems = [
        Problem(line, title, f"There is no such column. Known are {known}.")
        for title in titles
        if title and title not in _TITLES
    ]
    problems += [
        Problem(line, name, "This column is needed.") for name in _NEEDED if name not in titles
    ]
    if "quantity" not in titles and "lots" not in titles:
        problems.append(Problem(line, "quantity", "This column (or lots) is needed."))
    problems += [
        Problem(line, title, "This column is there twice.")
        for title in sorted(set(titles))
        if title and titles.count(title) > 1
    ]
    return problems


def _line(fields: dict[str, str], instrument: Callable[[Key], Instrument | None]) -> OrderRequest:
    symbol, exchange = fields["symbol"].upper(), fields["exchange"].upper()
    if not symbol:
        raise _Wrong("symbol", "It is missing.")
    if exchange not in Exchange.__members__:
        raise _Wrong("exchange", f"{exchange or 'Nothing'} is no exchange. Write NSE, NFO or MCX.")
    row = instrument((exchange, symbol))
    if row is None:
        raise _Wrong("symbol", f"{symbol} is not in the symbol master of {exchange}.")
    if row.is_index:
        raise _Wrong("symbol", f"{symbol} is an index; it cannot be traded.")
    kind = _choice(fields, "price_type", PriceType, PriceType.MARKET)
    derivative = exchange in DERIVATIVE_EXCHANGES
    product = _choice(fields, "product", Product, Product.NRML if derivative else Product.MIS)
    price = _price(fields, "price", kind.has_price, kind)
    trigger = _price(fields, "trigger_price", kind.has_trigger, kind)
    return OrderRequest(
        symbol=symbol,
        exchange=exchange,
        action=_choice(fields, "action", Action, None),
        quantity=_quantity(fields, row),
        price_type=kind,
        product=product,
        price=price,
        trigger_price=trigger,
        strategy=fields.get("strategy", ""),
        validity=_choice(fields, "validity", Validity, Validity.DAY),
        disclosed_quantity=_disclosed(fields),
    )


def _disclosed(fields: dict[str, str]) -> int:
    name = "disclosed_quantity"
    text = fields.get(name, "")
    try:
        value = written(text) if text else 0.0
    except NotClear as error:
        raise _Wrong(name, str(error)) from None
    if value < 0 or value != int(value):
        raise _Wrong(name, "It must be a whole number, 0 for all of it.")
    return int(value)


def _choice(fields: dict[str, str], name: str, kind: type[T], default: T | None) -> T:
    text = fields.get(name, "").upper()
    if not text and default is not None:
        return default
    try:
        return kind(text)
    except ValueError:
        names = ", ".join(kind)
        raise _Wrong(name, f"{text or 'Nothing'} is not one of {names}.") from None


def _quantity(fields: dict[str, str], row: Instrument) -> int:
    units, lots = fields.get("quantity", ""), fields.get("lots", "")
    if units and lots:
        raise _Wrong("quantity", "Give quantity or lots, not both.")
    name = "lots" if lots else "quantity"
    try:
        value = written(units or lots)
    except NotClear as error:
        raise _Wrong(name, str(error)) from None
    if value <= 0 or value != int(value):
        raise _Wrong(name, "It must be a whole number above 0.")
    lot = max(1, row.lot_size)
    quantity = int(value) * (lot if lots else 1)
    if quantity % lot:
        raise _Wrong(name, f"One lot of {row.symbol} is {lot} units; {quantity} is no multiple.")
    return quantity


def _price(fields: dict[str, str], name: str, applies: bool, kind: PriceType) -> float:
    text = fields.get(name, "")
    try:
        value = written(text) if text else 0.0
    except NotClear as error:
        raise _Wrong(name, str(error)) from None
    if value < 0:
        raise _Wrong(name, "It cannot be below 0.")
    if applies and not value:
        raise _Wrong(name, f"{kind.value} needs it.")
    if value and not applies:
        raise _Wrong(name, f"{kind.value} has none; leave it empty.")
    return value


def write_csv(lines: Sequence[OrderRequest]) -> str:
    """Lines as CSV that :func:`read_csv` reads back."""
    rows = [list(COLUMNS)]
    for line in lines:
        rows.append(
            [
                line.symbol,
                line.exchange,
                line.action.value,
                str(line.quantity),
                line.price_type.value,
                line.product.value,
                plain(line.price) if line.price else "",
                plain(line.trigger_price) if line.trigger_price else "",
                line.strategy,
                line.validity.value if line.validity is not Validity.DAY else "",
                str(line.disclosed_quantity) if line.disclosed_quantity else "",
            ]
        )
    return csv_text(rows)
