"""What a broker is: tables. The kit executes them; nothing here does I/O.

Three small languages are used inside the tables.

* *Templates* (paths, headers, addresses): ``{name}`` is a value of the context, quoted in paths.
* *Values* (query and body fields): a text that begins with ``$`` takes a value of the context,
  anything else is sent as it stands. ``$name`` keeps the type, ``$name:text`` makes shortest
  decimal text, ``:int`` and ``:float`` JSON numbers; a ``?`` at the end leaves the field out when
  the value is empty or zero.
* *Paths* (replies): ``ohlc.open``, ``depth.buy.0.price``; ``a|b`` takes the first that is there.

The context holds the session and credentials, the unified request (``symbol``, ``quantity``,
``price`` ...), what the spec's maps make of it (``wire_exchange``, ``wire_product``,
``wire_price_type``, ``wire_action``), the instrument (``brsymbol``, ``brexchange``, ``token``)
and ``tag``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import time
from typing import Any, Generic, TypeVar

import msgspec

from openalgo_desktop.core.enums import (
    INDEX_EXCHANGES,
    Action,
    Exchange,
    FeedMode,
    Interval,
    OrderStatus,
    PriceType,
    Product,
)
from openalgo_desktop.core.errors import AppError, ConfigError
from openalgo_desktop.core.model import Instrument

K = TypeVar("K")


class TwoWay(Generic[K]):
    """A unified value and the broker's text for it, both ways.

    ``also`` lists further texts of the broker that mean the same value (read only), so the
    pairs themselves stay one to one; :func:`check` refuses maps that are not.
    """

    __slots__ = ("also", "pairs", "read", "send")

    def __init__(self, pairs: Mapping[K, Any], also: Mapping[Any, K] | None = None) -> None:
        self.pairs = dict(pairs)
        self.also = dict(also or {})
        self.send: dict[K, Any] = dict(self.pairs)
        self.read: dict[Any, K] = {wire: ours for ours, wire in self.pairs.items()} | self.also

    def problems(self, name: str) -> list[str]:
        """Why the pairs are not one to one."""
        found = []
        if len(set(self.pairs.values())) != len(self.pairs):
            found.append(f"{name}: two unified values share one text of the broker")
        if clash := set(self.also) & set(self.pairs.values()):
            found.append(f"{name}: {sorted(map(str, clash))} is in the pairs and in also")
        return found


def identity(values: Sequence[K], also: Mapping[Any, K] | None = None) -> TwoWay[K]:
    """The map of a broker that uses our texts."""
    return TwoWay({value: str(value) for value in values}, also)


class Field(msgspec.Struct, frozen=True):
    """One thing that a login asks for. From these the dialog and the prompts are made.

    ``stored`` keeps it in the secret store for the next login (API key, optional TOTP secret);
    ``digits`` demands exactly so many digits.
    """

    name: str
    label: str
    secret: bool = False
    stored: bool = False
    optional: bool = False
    digits: int = 0
    help: str = ""


class Op(msgspec.Struct, frozen=True, kw_only=True):
    """One request. ``reply`` is the path of its payload inside the reply's data.

    ``write`` marks an order write: never repeated, and a lost answer makes the order's state
    unknown. ``limit`` names the buckets it draws from, besides ``all``.
    """

    method: str
    path: str
    host: str = "rest"
    encoding: str = "none"  # none, json, form, jdata (Noren)
    query: Mapping[str, Any] = {}
    body: Mapping[str, Any] = {}
    headers: Mapping[str, str] = {}
    limit: str = ""
    reply: str = ""
    write: bool = False
    public: bool = False  # without the session's headers
    timeout: float = 10.0


class Ask(msgspec.Struct, frozen=True, tag=True):
    """Login step: have these fields."""

    fields: tuple[Field, ...]


class Browser(msgspec.Struct, frozen=True, tag=True):
    """Login step: the system browser at ``url``; the callback's parameters become values.

    ``gives`` maps a callback parameter to a name of the context. ``{state}`` in the address is
    our one-shot value; a broker that cannot return it leaves it out.
    """

    url: str
    gives: Mapping[str, str]


class Compute(msgspec.Struct, frozen=True, tag=True):
    """Login step: values from templates, e.g. ``sha256:{api_key}{code}{api_secret}``.

    Functions: ``sha256`` (hex), ``base64``, ``totp`` (six digits of a base32 secret), none.
    A value that the context already has is kept.
    """

    values: Mapping[str, str]


class Call(msgspec.Struct, frozen=True, tag=True):
    """Login step: a request, and the values its reply gives (name -> path)."""

    op: Op
    gives: Mapping[str, str]


class Hook(msgspec.Struct, frozen=True, tag=True):
    """Login step that only code can say: a coroutine method of the broker's API class that
    takes the context and returns new values."""

    method: str


LoginStep = Ask | Browser | Compute | Call | Hook


class Login(msgspec.Struct, frozen=True):
    """One way to log in. ``session`` names the values that make up a session; they are kept in
    the secret store until it ends."""

    id: str
    title: str
    steps: tuple[LoginStep, ...]
    session: tuple[str, ...] = ("access_token",)
    client_id: str = "client_id"  # the value that tells accounts apart

    @property
    def fields(self) -> tuple[Field, ...]:
        """All that the user may have to give, in order."""
        return tuple(f for step in self.steps if isinstance(step, Ask) for f in step.fields)

    @property
    def needs_browser(self) -> bool:
        """Whether a redirect address must be registered with the broker."""
        return any(isinstance(step, Browser) for step in self.steps)


class Rate(msgspec.Struct, frozen=True):
    """At most ``count`` requests in any ``seconds``."""

    count: int
    seconds: float = 1.0


class ErrorRule(msgspec.Struct, frozen=True):
    """If all that is given fits (``code`` exactly, ``pattern`` as a regular expression in the
    message, ``status`` the HTTP code), the answer is this error."""

    error: type[AppError]
    code: str = ""
    pattern: str = ""
    status: int = 0
    field: str = ""  # of a login or an order, where the error class has one


class Envelope(msgspec.Struct, frozen=True):
    """How a reply says whether it is good. ``ok`` empty: good unless the HTTP status or a
    message at ``message`` says otherwise."""

    state: str = ""
    ok: tuple[str, ...] = ()
    data: str = ""
    message: str = "message"
    code: str = ""
    empty: tuple[str, ...] = ()  # patterns of messages that mean an empty list


class IntervalRule(msgspec.Struct, frozen=True):
    """A candle interval: the broker's text and the most days of one request."""

    wire: str
    days: int


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What may be asked; the window hides or explains the rest."""

    exchanges: tuple[Exchange, ...]
    products: Mapping[Exchange, tuple[Product, ...]]
    price_types: tuple[PriceType, ...] = tuple(PriceType)
    intervals: Mapping[Interval, IntervalRule] = {}
    quote_batch: int = 1
    depth_levels: int = 5
    margin: bool = False
    gtt: bool = False
    order_stream: bool = False
    tags: bool = True  # orders keep our own tag; else they are found by attributes and time
    modify_price_type: bool = True
    market_protection: bool = False  # the broker protects market orders itself
    static_ip: bool = False
    multiplier: bool = False  # positions carry a contract size


class MasterFile(msgspec.Struct, frozen=True, kw_only=True):
    """One download of the symbol master.

    ``pack``: "", gz, zip (``member`` is a file name pattern in it). ``form``: csv, json (an
    array, or the array at ``rows``), jsonl. ``header`` names the columns of a file without a
    header line. ``exchange`` is a hint that the row reader gets. ``auth`` sends the session.
    """

    path: str
    host: str = "rest"
    name: str = ""
    exchange: str = ""
    pack: str = ""
    member: str = ""
    form: str = "csv"
    rows: str = ""
    delimiter: str = ","
    header: tuple[str, ...] = ()
    auth: bool = False
    optional: bool = False


#: Makes the instrument of one source row (column -> text or JSON value), or None to skip it.
RowReader = Callable[[Mapping[str, Any], MasterFile], Instrument | None]


class MasterSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Symbol master: files, and the reader of a row. A copy older than ``refresh`` (IST) of
    today is out of date."""

    files: tuple[MasterFile, ...]
    reader: RowReader
    refresh: time = time(8, 0)


class StreamSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The market feed, and the order feed where both share a socket.

    ``url`` is a template relative to host ``host``. ``codec(instruments, clock, session)`` makes
    the object that knows the wire: see ``kit.feed.codec.StreamCodec``. ``silence``: seconds without
    any frame (heartbeats count) after which the socket is dropped; ``mute``: seconds without a
    market frame in market hours after which the feed is reported stale. ``ping``: seconds between
    our heartbeats, 0 = none.
    """

    url: str
    codec: Callable[..., Any]
    host: str = "stream"
    transport: str = "websocket"  # websocket, socketio, mqtt, nats
    headers: Mapping[str, str] = {}
    modes: Mapping[FeedMode, str] = {}
    per_socket: int = 1000
    sockets: int = 1
    batch: int = 200
    ping: float = 0.0
    ping_frame: str | bytes = b""  # empty: a WebSocket ping
    silence: float = 15.0
    mute: float = 30.0
    max_frame: int = 1 << 20
    backoff: tuple[float, float] = (1.0, 60.0)
    orders: bool = False  # order updates arrive on this socket
    session_limit: float = 0.0  # seconds after which the broker closes by itself


class BrokerSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about a broker that is data. See the module docstring for the languages."""

    id: str
    title: str
    kind: str = "IN_stock"
    family: str = ""
    docs: str = ""
    hosts: Mapping[str, str]
    headers: Mapping[str, str] = {}
    logins: tuple[Login, ...]
    session_ends: time | None = time(3, 0)  # IST, daily
    session_hours: float = 0.0  # or after so many hours
    envelope: Envelope = Envelope()
    errors: tuple[ErrorRule, ...] = ()
    limits: Mapping[str, tuple[Rate, ...]] = {}
    exchanges: TwoWay[Exchange]
    products: TwoWay[Product]
    price_types: TwoWay[PriceType]
    actions: TwoWay[Action]
    statuses: TwoWay[OrderStatus]
    #: Where the broker counts contracts instead of units, see ``kit.master.contracts``.
    in_contracts: frozenset[Exchange] = frozenset()
    #: Status texts of an open order between two states, which cannot be cancelled yet.
    settling: frozenset[str] = frozenset()
    ops: Mapping[str, Op]
    rows: Mapping[str, Mapping[str, str]] = {}
    master: MasterSpec
    stream: StreamSpec | None = None
    capabilities: Capabilities
    quirks: frozenset[str] = frozenset()
    http2: bool = True
    #: What each contract group rests on: vectors, sdk, emulator, live.
    evidence: Mapping[str, tuple[str, ...]] = {}

    @property
    def feed_mode(self) -> FeedMode:
        """The fullest streamed mode."""
        modes = self.stream.modes if self.stream is not None else {}
        return max(modes, default=FeedMode.LTP)


#: Requests that every broker must have; others go with a capability.
REQUIRED_OPS = ("place", "modify", "cancel", "orders", "trades", "positions", "holdings", "funds")
#: Fields that a book row must say.
REQUIRED_ROWS: Mapping[str, tuple[str, ...]] = {
    "order": ("order_id", "action", "quantity", "price_type", "product", "status"),
    "trade": ("order_id", "action", "product", "quantity", "price"),
    "position": ("product", "quantity", "average_price"),
    "holding": ("quantity", "average_price"),
}


def check(spec: BrokerSpec) -> list[str]:
    """What is wrong with a spec, empty when it is complete and its maps are one to one."""
    found: list[str] = []
    for name in ("exchanges", "products", "price_types", "actions"):
        found += getattr(spec, name).problems(name)
    if clash := set(spec.statuses.also) & set(spec.statuses.pairs.values()):
        found.append(f"statuses: {sorted(map(str, clash))} is in the pairs and in also")
    if missing := set(Action) - set(spec.actions.send):
        found.append(f"actions: {sorted(missing)} missing")
    found += _check_capabilities(spec)
    wanted = REQUIRED_OPS + (("quotes",) if spec.capabilities.quote_batch else ())
    wanted += ("margin",) if spec.capabilities.margin else ()
    wanted += ("history",) if spec.capabilities.intervals else ()
    if spec.capabilities.gtt:
        wanted += ("gtt_place", "gtt_modify", "gtt_cancel", "gtt_orders")
    found += [f"ops: {name} missing" for name in wanted if name not in spec.ops]
    for kind, fields in REQUIRED_ROWS.items():
        found += [f"rows: {kind}.{f} missing" for f in fields if f not in spec.rows.get(kind, {})]
    found += _check_hosts(spec)
    if not spec.logins:
        found.append("logins: none")
    return found


def _check_capabilities(spec: BrokerSpec) -> list[str]:
    found = []
    can = spec.capabilities
    for exchange in can.exchanges:
        if exchange in INDEX_EXCHANGES:
            continue  # quotes only: the instrument row carries the broker's exchange
        if exchange not in spec.exchanges.send:
            found.append(f"exchanges: {exchange} is offered but not mapped")
        if not can.products.get(exchange):
            found.append(f"capabilities: no product on {exchange}")
    for products in can.products.values():
        found += [f"products: {p} not mapped" for p in products if p not in spec.products.send]
    found += [
        f"price_types: {p} not mapped" for p in can.price_types if p not in spec.price_types.send
    ]
    return found


def _check_hosts(spec: BrokerSpec) -> list[str]:
    used = {op.host for op in spec.ops.values()} | {f.host for f in spec.master.files}
    if spec.stream is not None:
        used.add(spec.stream.host)
    used |= {s.op.host for login in spec.logins for s in login.steps if isinstance(s, Call)}
    found = [f"hosts: {name!r} is used but not declared" for name in sorted(used - set(spec.hosts))]
    for op in spec.ops.values():
        if op.limit and op.limit not in spec.limits:
            found.append(f"limits: {op.limit!r} is used but not declared")
    return sorted(set(found))


def require_valid(spec: BrokerSpec) -> BrokerSpec:
    """The spec itself; :class:`ConfigError` names all that is wrong with it."""
    if problems := check(spec):
        raise ConfigError(f"Broker {spec.id}: " + "; ".join(problems))
    return spec
