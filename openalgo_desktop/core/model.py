"""The unified model: instruments, orders, positions, money. Prices are rupees as floats (ledgers
convert to Decimal), quantities units. Market data is in :mod:`openalgo_desktop.core.ticks`.

Structs are msgspec: slots, fast, typed. Frozen ones may be shared freely between rooms.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Protocol, TypeAlias, TypeVar

import msgspec

from openalgo_desktop.core.enums import (
    AccountState,
    Action,
    OrderStatus,
    PriceType,
    Product,
    Validity,
)

#: (exchange, symbol): the one key of an instrument everywhere in the program.
Key: TypeAlias = tuple[str, str]

T = TypeVar("T")

#: Strategy under which positions are closed by the program, as existing clients expect.
SQUARE_OFF_STRATEGY = "AUTO_SQUARE_OFF"


class Instrument(msgspec.Struct, frozen=True, gc=False):
    """One row of the symbol master. ``tick_size`` in rupees, ``strike`` 0 for non-options."""

    symbol: str
    exchange: str
    name: str = ""
    instrument_type: str = "EQ"  # EQ, INDEX, FUT, CE, PE
    lot_size: int = 1
    tick_size: float = 0.05
    expiry: date | None = None
    strike: float = 0.0
    token: str = ""
    brsymbol: str = ""
    brexchange: str = ""
    freeze_qty: int = 0  # 0 = unknown
    contract_value: float = 1.0

    @property
    def key(self) -> Key:
        return (self.exchange, self.symbol)

    @property
    def is_option(self) -> bool:
        return self.instrument_type in ("CE", "PE")

    @property
    def is_index(self) -> bool:
        return self.exchange.endswith("_INDEX")


class OrderRequest(msgspec.Struct, frozen=True, gc=False):
    """An order in unified vocabulary. ``quantity`` in units; prices that do not apply are 0.
    ``disclosed_quantity`` units are shown in the depth at a time, 0: all of it."""

    symbol: str
    exchange: str
    action: Action
    quantity: int
    price_type: PriceType = PriceType.MARKET
    product: Product = Product.MIS
    price: float = 0.0
    trigger_price: float = 0.0
    disclosed_quantity: int = 0
    strategy: str = ""
    validity: Validity = Validity.DAY

    @property
    def key(self) -> Key:
        return (self.exchange, self.symbol)

    @property
    def is_prompt(self) -> bool:
        """Whether it is meant to trade at once, or not at all."""
        return self.price_type is PriceType.MARKET or self.validity is Validity.IOC


class Held(Protocol):
    """A row with a signed quantity: a position of any book."""

    symbol: str
    exchange: str
    product: Product
    quantity: int


def closing_order(row: Held, strategy: str = SQUARE_OFF_STRATEGY) -> OrderRequest:
    """The MARKET order that closes an open row, in the name of ``strategy``."""
    return OrderRequest(
        symbol=row.symbol,
        exchange=row.exchange,
        action=Action.SELL if row.quantity > 0 else Action.BUY,
        quantity=abs(row.quantity),
        price_type=PriceType.MARKET,
        product=row.product,
        strategy=strategy,
    )


def with_quantity(request: OrderRequest, quantity: int) -> OrderRequest:
    """The same order for ``quantity`` units: a part, or what is missing to a position. It
    discloses no more than there is of it."""
    disclosed = min(request.disclosed_quantity, quantity)
    return msgspec.structs.replace(request, quantity=quantity, disclosed_quantity=disclosed)


class ModifyRequest(msgspec.Struct, frozen=True, gc=False):
    """New values of a working order. ``None`` keeps a field; identity fields are checked against
    the order when given (another symbol, exchange, action or product is refused)."""

    order_id: str
    quantity: int | None = None
    price: float | None = None
    trigger_price: float | None = None
    price_type: PriceType | None = None
    disclosed_quantity: int | None = None
    symbol: str | None = None
    exchange: str | None = None
    action: Action | None = None
    product: Product | None = None
    validity: Validity | None = None  # of the order, which keeps it


class Order(msgspec.Struct, gc=False):
    """A live order. Gateways hand out copies; the desk's book keeps one object per order id.

    ``tag`` is our own key (at most 20 letters and digits), ``source`` who asked (window, key
    name, strategy). Times are aware, IST.
    """

    order_id: str
    symbol: str
    exchange: str
    action: Action
    quantity: int
    price_type: PriceType
    product: Product
    price: float = 0.0
    trigger_price: float = 0.0
    disclosed_quantity: int = 0
    status: OrderStatus = OrderStatus.OPEN
    filled_quantity: int = 0
    average_price: float = 0.0
    rejection_reason: str = ""
    placed_at: datetime | None = None
    updated_at: datetime | None = None
    strategy: str = ""
    tag: str = ""
    source: str = ""
    account_id: str = ""
    reported_pending: int | None = None  # what the broker says, where it says something
    settling: bool = False  # open, but between two states at the broker: cannot be cancelled yet
    validity: Validity = Validity.DAY

    @property
    def key(self) -> Key:
        return (self.exchange, self.symbol)

    @property
    def pending_quantity(self) -> int:
        """Units not filled; a cancelled order keeps them, a rejected one has none."""
        if self.reported_pending is not None:
            return self.reported_pending
        if self.status in (OrderStatus.REJECTED, OrderStatus.COMPLETE):
            return 0
        return max(0, self.quantity - self.filled_quantity)

    @property
    def rests(self) -> bool:
        """Whether its kind waits at a price or for a trigger, and does not trade at once."""
        if self.validity is Validity.IOC:
            return False
        return self.price_type.has_price or self.status is OrderStatus.TRIGGER_PENDING

    def leaves(self, row: Position) -> bool:
        """Whether it would reduce (or turn) this position."""
        same = (self.key, self.product) == (row.key, row.product)
        return same and row.quantity * self.action.sign < 0


class Trade(msgspec.Struct, frozen=True, gc=False):
    """One execution. ``charges`` in rupees where the account knows them, else 0."""

    trade_id: str
    order_id: str
    symbol: str
    exchange: str
    action: Action
    product: Product
    quantity: int
    price: float
    traded_at: datetime
    strategy: str = ""
    account_id: str = ""
    charges: float = 0.0

    @property
    def key(self) -> Key:
        return (self.exchange, self.symbol)

    @property
    def value(self) -> float:
        """Turnover in rupees."""
        return self.quantity * self.price

    @classmethod
    def of(
        cls, order: Order, trade_id: str, quantity: int, price: float, traded_at: datetime
    ) -> Trade:
        """An execution of ``order``."""
        return cls(
            trade_id=trade_id,
            order_id=order.order_id,
            symbol=order.symbol,
            exchange=order.exchange,
            action=order.action,
            product=order.product,
            quantity=quantity,
            price=price,
            traded_at=traded_at,
            strategy=order.strategy,
            account_id=order.account_id,
        )


def can_close(product: Product, units: int) -> bool:
    """Whether a position of so many signed units is one that can be closed. Delivered shares that
    were sold make a short CNC row until they have settled; closing that would buy them back."""
    return units > 0 or (units < 0 and product is not Product.CNC)


class Position(msgspec.Struct, gc=False):
    """Net position of one symbol and product. ``quantity`` is signed."""

    symbol: str
    exchange: str
    product: Product
    quantity: int
    average_price: float
    ltp: float = 0.0
    realised: float = 0.0  # all time
    realised_today: float = 0.0
    buy_quantity: int = 0
    sell_quantity: int = 0
    margin: float = 0.0
    multiplier: float = 1.0
    account_id: str = ""

    @property
    def key(self) -> Key:
        return (self.exchange, self.symbol)

    @property
    def can_close(self) -> bool:
        """Whether closing it brings anything down; see :func:`can_close`."""
        return can_close(self.product, self.quantity)

    @property
    def unrealised(self) -> float:
        """Open profit at ``ltp``, rupees; 0 while no price is known."""
        if not self.quantity or not self.ltp:
            return 0.0
        return (self.ltp - self.average_price) * self.quantity * self.multiplier

    @property
    def pnl(self) -> float:
        """Today's profit: realised today plus unrealised."""
        return self.realised_today + self.unrealised


class Holding(msgspec.Struct, gc=False):
    """Delivered shares. ``pledged`` units are given as collateral; None where the account does
    not tell."""

    symbol: str
    exchange: str
    quantity: int
    average_price: float
    ltp: float = 0.0
    product: Product = Product.CNC
    t1_quantity: int = 0
    settlement_date: date | None = None
    account_id: str = ""
    pledged: int | None = None

    @property
    def key(self) -> Key:
        return (self.exchange, self.symbol)

    @property
    def pnl(self) -> float:
        return (self.ltp - self.average_price) * self.quantity if self.ltp else 0.0

    @property
    def pnl_percent(self) -> float:
        base = self.average_price * self.quantity
        return 100.0 * self.pnl / base if base else 0.0


class Funds(msgspec.Struct):
    """Money of an account, rupees. ``payin`` and ``payout`` are of today, None where the account
    does not tell them; ``used_by`` is ``utilised`` by segment, where the account tells it."""

    available_cash: float = 0.0
    collateral: float = 0.0
    m2m_realised: float = 0.0  # today
    m2m_unrealised: float = 0.0
    utilised: float = 0.0
    realised_total: float = 0.0
    last_reset: datetime | None = None
    reset_count: int = 0
    account_id: str = ""
    payin: float | None = None
    payout: float | None = None
    used_by: dict[str, float] = {}


class SizeAnswer(msgspec.Struct, frozen=True):
    """Whether it is settled what a broker counts on an exchange, units or contracts, and why."""

    exchange: str
    good: bool
    text: str


class Margin(msgspec.Struct, frozen=True):
    """What a set of orders would block, rupees; ``charges`` where the broker estimates them.
    ``released`` is what the units that only close positions give back, where the account tells;
    negative when the rest needs more without them (a hedge)."""

    total: float
    span: float = 0.0
    exposure: float = 0.0
    charges: float | None = None
    released: float | None = None


class BookRows(list[T]):
    """Rows of a book as the gateway gave them.

    ``unreadable`` has one sentence for each row that could not be read and is therefore not in
    the list. Such a book is *partial*: it shows what is there, and proves nothing about what is
    not (an order that it does not list may well exist).
    """

    __slots__ = ("unreadable",)

    def __init__(self, rows: Iterable[T] = (), unreadable: Iterable[str] = ()) -> None:
        super().__init__(rows)
        self.unreadable: tuple[str, ...] = tuple(unreadable)

    @property
    def partial(self) -> bool:
        """Whether rows are missing that the gateway has."""
        return bool(self.unreadable)


class OrderAck(msgspec.Struct, frozen=True, gc=False):
    """A gateway's answer to place, modify or cancel."""

    order_id: str
    message: str = ""


class OrderUpdate(msgspec.Struct, frozen=True, gc=False):
    """Pushed by a gateway on every state change of any order of the account.

    ``order`` is a copy of the state after the change; ``trade`` is set when it was a fill.
    """

    account_id: str
    order: Order
    trade: Trade | None = None


class AccountStatus(msgspec.Struct, frozen=True):
    """Login state of one broker account, as shown in the toolbar."""

    account_id: str
    broker: str
    client_id: str
    title: str
    state: AccountState
    message: str = ""
    valid_until: datetime | None = None  # of the session, IST
    hosts: tuple[str, ...] = ()  # addresses that a setting overrides, as name=address
