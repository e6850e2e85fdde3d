"""Protocols through which rooms that may not import each other meet; wired in ``app``."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from datetime import date, datetime
from typing import Any, Protocol

import msgspec

from openalgo_desktop.core.alerts import PriceAlert, ToldAlert
from openalgo_desktop.core.api_rows import Alert, ApiRequest, Approval
from openalgo_desktop.core.conversion import ConvertRequest
from openalgo_desktop.core.enums import FeedMode, Interval, JournalState, Mode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.exits import AnyPlan
from openalgo_desktop.core.gtt import Gtt, GttRequest
from openalgo_desktop.core.logins import LoginHelper
from openalgo_desktop.core.model import (
    AccountStatus,
    BookRows,
    Funds,
    Holding,
    Instrument,
    Key,
    Margin,
    ModifyRequest,
    Order,
    OrderAck,
    OrderRequest,
    OrderUpdate,
    Position,
    SizeAnswer,
    Trade,
)
from openalgo_desktop.core.secret import Secret
from openalgo_desktop.core.ticks import Bars, Part, Tick
from openalgo_desktop.core.traits import Traits
from openalgo_desktop.core.webhook_log import WebhookEvent


class TradingGateway(Protocol):
    """Where an order leaves: a broker account or the sandbox. Both look the same from above.

    A refusal raises a subclass of :class:`OrderError`; a timeout or a lost connection after the
    request may have left raises :class:`OrderStateUnknown`, never anything retryable. A call that
    :attr:`traits` deny raises :class:`NotSupported` and sends nothing. Rows of books may be
    shared with other readers: nobody changes one. Rows that could not be read are told by
    ``BookRows.unreadable``.
    """

    @property
    def account_id(self) -> str:
        """``broker:client``, or ``sandbox:...``."""

    @property
    def broker(self) -> str:
        """Broker id; ``sandbox`` for the paper account."""

    @property
    def traits(self) -> Traits:
        """What can be done here; the same for the life of the gateway."""

    def set_listener(self, listener: Callable[[OrderUpdate], None]) -> None:
        """Who is told of every order change, whatever its origin."""

    async def place(self, request: OrderRequest, tag: str) -> OrderAck: ...
    async def modify(self, request: ModifyRequest) -> OrderAck: ...
    async def cancel(self, order_id: str) -> OrderAck: ...
    async def convert(self, request: ConvertRequest, tag: str) -> OrderAck:
        """Move units of an open position to another product; the acknowledgement carries ``tag``
        as ``order_id``. Opens and enlarges nothing."""

    async def orders(self) -> BookRows[Order]: ...
    async def order(self, order_id: str) -> Order:
        """One order of the book as the gateway has it now; raises :class:`OrderNotFound`."""

    async def trades(self) -> BookRows[Trade]: ...
    async def positions(self) -> BookRows[Position]: ...
    async def holdings(self) -> BookRows[Holding]: ...
    async def funds(self) -> Funds: ...
    async def margin(self, legs: Sequence[OrderRequest]) -> Margin:
        """What these orders together would block now."""

    async def recall(self, tags: Set[str], order_ids: Set[str]) -> list[Order]:
        """Orders with these tags or ids, of any session."""

    async def gtt_place(self, request: GttRequest, tag: str) -> OrderAck:
        """Place a good-till-triggered order; the acknowledgement carries the trigger id as
        ``order_id``."""

    async def gtt_modify(self, trigger_id: str, request: GttRequest) -> OrderAck:
        """Replace triggers, prices and quantity; symbol, exchange, action and type are fixed.
        An unknown or inactive id raises :class:`GttNotFound`."""

    async def gtt_cancel(self, trigger_id: str) -> OrderAck:
        """Cancel; an unknown or inactive id raises :class:`GttNotFound`."""

    async def gtt_orders(self) -> BookRows[Gtt]:
        """Active ones, newest first."""


class MarketSource(Protocol):
    """Market data of the data account. Prices flow to the sink given to :meth:`set_sink`."""

    @property
    def broker(self) -> str: ...

    def set_sink(self, sink: Callable[[Tick], None]) -> None:
        """Where streamed ticks go; called on the loop thread."""

    def set_reports(
        self, muted: Callable[[str], None], refused: Callable[[Key, AppError], None]
    ) -> None:
        """Who hears on the loop thread that the feed is mute (connected, but no data although
        its market is open; an empty text: it speaks again), and of instruments that were refused
        after :meth:`subscribe` had returned. A feed that is mute says so at once."""

    async def subscribe(self, wanted: Mapping[Key, FeedMode]) -> dict[Key, AppError]:
        """Stream these at (at least) these modes; returns the ones that were refused."""

    async def unsubscribe(self, keys: Sequence[Key]) -> None: ...

    @property
    def depth_levels(self) -> tuple[int, ...]:
        """Levels a side that its streams offer, fewest first."""

    def deepen(self, key: Key, levels: int) -> Callable[[], None]:
        """Have at least so many levels of an instrument whenever its depth is streamed, as far
        as the streams offer them; the fullest wish holds. Gives the end of this wish. Raises what
        a stream refuses."""

    async def quotes(self, keys: Sequence[Key]) -> dict[Key, Tick | AppError]:
        """Fresh snapshots, mode QUOTE or DEPTH."""

    async def depth(self, key: Key) -> Tick:
        """A fresh snapshot with ``depth`` filled."""

    async def history(self, key: Key, interval: Interval, start: date, end: date) -> Bars:
        """Candles of the inclusive IST date range, ascending."""

    def intervals(self) -> Sequence[Interval]:
        """Intervals served natively."""

    def history_days(self, interval: Interval) -> int:
        """The most days that one request for candles of ``interval`` may span; 0 where there are
        none. :meth:`history` takes longer ranges all the same and asks several times."""


class MasterSource(Protocol):
    """Gives the symbol master."""

    async def instruments(self, *, anew: bool = False) -> list[Instrument]:
        """Today's rows, one for each symbol and for each token of an exchange. ``anew`` downloads
        them, whatever is there already."""


class BrokerAccount(Protocol):
    """One login at one broker. Gateway and market source are valid while connected."""

    @property
    def status(self) -> AccountStatus: ...
    @property
    def gateway(self) -> TradingGateway: ...
    @property
    def market(self) -> MarketSource: ...
    @property
    def master(self) -> MasterSource: ...

    @property
    def always_open(self) -> bool:
        """Whether its market has no hours."""

    @property
    def needs_login(self) -> bool:
        """Whether there is a login; an account without one refuses :meth:`login`."""

    def set_status_listener(self, listener: Callable[[AccountStatus], None]) -> None: ...
    async def connect(self) -> None: ...
    async def disconnect(self) -> None: ...

    async def login(
        self, given: Mapping[str, str], helper: LoginHelper | None = None, login_id: str = ""
    ) -> AccountStatus:
        """Log in with what is given, stored, or asked from ``helper``. Raises
        :class:`BadCredentials` with the field that is wrong."""

    async def logout(self) -> None:
        """End the session; credentials stay."""

    async def forget(self) -> None:
        """Drop credentials and session from the secret store."""

    async def learn_names(self) -> None:
        """Have the broker's names of the symbols, which come with the symbol master: for an
        account that takes orders while another one gives the master."""

    async def confirm_sizes(self) -> list[SizeAnswer]:
        """Settle from the symbol master what the broker counts on exchanges where its
        documentation leaves that open, and orders are refused until then; empty where nothing is
        open. Writes nothing at the broker."""

    def details(self) -> dict[str, Any]:
        """For the account's status panel: ``feed`` (figures or None), ``limits`` (free requests),
        ``master`` (a sentence), ``master_problem`` (why it is not of today), ``busy`` (what it does
        in the background, in words), ``downloaded`` (share of a symbol master on its way, 0 to 1,
        or None), ``sizes`` (exchanges whose orders wait for :meth:`confirm_sizes`), ``skew``
        (seconds that our clock is behind the broker's at least, negative ahead), ``timings``;
        empty where there is nothing to tell."""

    async def control(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Move prices and switch faults of a simulated market; :class:`ConfigError` elsewhere."""


class TickSource(Protocol):
    """Live prices as the sandbox and the desk see them."""

    def latest(self, key: Key) -> Tick | None:
        """What was last heard, or None when the instrument is not streamed; to be shown, and to
        value what is held. Parts that no longer come are unknown in it."""

    def fresh(self, key: Key, need: int = Part.LTP, max_age: float | None = None) -> Tick | None:
        """:meth:`latest` when it may be traded on: the feed is sound and each part in ``need``
        (:class:`Part`) is known and at most ``max_age`` seconds old; else None."""

    def watch(
        self, key: Key, mode: FeedMode, listener: Callable[[Tick], None]
    ) -> Callable[[], None]:
        """Call ``listener`` on each tick; returns the stop call. Reference-counted upstream."""

    async def quotes(self, keys: Sequence[Key]) -> dict[Key, Tick | AppError]:
        """Fresh snapshots of several, asked together."""

    async def snapshot(self, key: Key, need: int = Part.QUOTE) -> Tick:
        """The market now: from the stream when it has every part in ``need`` fresh, else asked
        from the source. Raises :class:`AppError` when nobody can say."""


class PriceAlertStore(Protocol):
    """Durable price alerts."""

    async def load(self) -> list[PriceAlert]: ...
    def save(self, *alerts: PriceAlert) -> Future[Any]:
        """Store alerts as they are now, all of them or none, in the order of the calls; done when
        they are durable. Errors come by the future."""

    async def forget(self, alert_id: str) -> None: ...


class ToldAlertStore(Protocol):
    """What alerts told, durable."""

    async def load(self) -> list[ToldAlert]:
        """All rows, oldest first."""

    def save(self, told: ToldAlert) -> None:
        """Store a row without waiting; what the disk does not take is tried again."""

    def forget(self, told_id: str) -> None:
        """Delete one without waiting."""


class PaperStore(Protocol):
    """Durable state of paper accounts. Rows are plain dicts of JSON values.

    ``save`` queues puts of rows per table and returns when they are committed; ``load`` gives
    all rows of an account and table. Tables: orders, trades, positions, holdings, ledger, meta.
    """

    async def save(self, account_id: str, rows: Mapping[str, Sequence[PaperRow]]) -> None: ...
    async def load(self, account_id: str) -> dict[str, list[dict[str, Any]]]: ...
    async def clear(self, account_id: str, tables: Sequence[str]) -> None: ...


class PaperRow(msgspec.Struct, frozen=True, gc=False):
    """One row of a paper table: ``key`` is unique per account and table; ``data`` is JSON, None
    deletes."""

    key: str
    data: bytes | None


class JournalEntry(msgspec.Struct, frozen=True, gc=False):
    """One intent of the order journal, keyed by our own tag."""

    tag: str
    kind: str  # place, modify, cancel
    account_id: str
    mode: Mode
    source: str
    request: dict[str, Any]
    created_at: datetime
    order_id: str = ""
    state: JournalState = JournalState.INTENT
    message: str = ""
    updated_at: datetime | None = None


class OrderJournal(Protocol):
    """Durable record of every order write, made before the send."""

    @property
    def well(self) -> bool:
        """Whether the last rows could be stored."""

    def intent(self, entry: JournalEntry, *, shared: bool = False) -> Awaitable[Any]:
        """Store the intent; done when it is durable. A ``shared`` one may wait a moment for
        the commit of rows that are written because of it."""

    def settle(
        self, tag: str, state: JournalState, order_id: str = "", message: str = ""
    ) -> Awaitable[Any]:
        """Say what became of an intent; an empty ``order_id`` keeps the one known."""

    async def open_entries(self) -> list[JournalEntry]:
        """Entries in state intent or unknown, oldest first."""

    async def find(self, tag: str) -> JournalEntry | None: ...
    async def placed(self, account_id: str, order_ids: Sequence[str]) -> set[str]:
        """Those of ``order_ids`` that a *place* of the account already owns."""

    async def of_orders(
        self, account_id: str, order_ids: Sequence[str], tags: Sequence[str]
    ) -> list[JournalEntry]:
        """Entries of the account with one of these order ids or tags, oldest first."""

    async def sent_by(self, source: str, since: datetime) -> list[JournalEntry]:
        """Placements of a source since a time, oldest first."""

    async def refused(self, limit: int) -> list[JournalEntry]:
        """Placements in state rejected among the newest ``limit`` entries, oldest first."""

    async def recent(self, limit: int) -> list[JournalEntry]: ...


class PlanStore(Protocol):
    """Durable exit plans and local triggers."""

    def save(self, plan: AnyPlan) -> Future[Any]:
        """Store a plan as it is now, in the order of the calls; done when it is durable. Errors
        come by the future."""

    async def unended(self) -> list[AnyPlan]:
        """Plans that are neither done nor cancelled, oldest first."""

    async def recent(self, limit: int) -> list[AnyPlan]:
        """The plans that changed last, newest first."""


class ApprovalStore(Protocol):
    """Durable queue of requests that wait for a human."""

    async def add(self, approval: Approval) -> int:
        """Store a new row (its id is not used); returns the id given."""

    async def update(self, approval: Approval) -> None:
        """Store a decision or a result; returns when it is durable."""

    async def pending(self) -> list[Approval]:
        """Rows that nobody decided on, oldest first."""

    async def recent(self, limit: int) -> list[Approval]:
        """The newest rows of any status, newest first."""


class AlertStore(Protocol):
    """Durable queue of the orders of webhook alerts."""

    async def add(self, alerts: Sequence[Alert], event: WebhookEvent | None = None) -> list[int]:
        """Store new rows, all or none (their ids are not used), and in the same commit the row of
        the log of webhooks that tells of them; returns the ids when durable."""

    async def begin(self, alert_id: int, at: datetime) -> None:
        """Say that sending begins; returns when it is durable."""

    async def finish(self, alert_id: int, result: str) -> None:
        """Say what came of it; returns when it is durable."""

    async def unfinished(self) -> list[Alert]:
        """Rows that are waiting or were being sent, oldest first."""

    async def was_sent(self, alert: Alert) -> bool:
        """Whether the journal or the action centre has it, of a row that was being sent."""

    async def hold(self, held: Sequence[tuple[int, Approval]]) -> list[Approval]:
        """Give rows to a human: in one commit they are held and in the action centre; returns
        the requests with their ids."""

    async def seen_since(self, moment: datetime) -> list[tuple[str, datetime]]:
        """Fingerprints of alerts since then, with their times, oldest first."""

    async def forget_before(self, moment: datetime) -> None:
        """Delete finished rows of older alerts."""


class SecretStore(Protocol):
    """OS keyring or vault file. Calls run off the loop and time out."""

    async def get(self, name: str) -> Secret | None: ...
    async def set(self, name: str, value: Secret) -> None: ...
    async def delete(self, name: str) -> None: ...


class ApiMonitor(Protocol):
    """What the local API has answered lately."""

    @property
    def serial(self) -> int:
        """Grows with every request: who remembers it knows whether there is something new."""

    def recent(self, count: int) -> list[ApiRequest]:
        """The last ``count`` requests, newest first."""


class InstrumentLookup(Protocol):
    """Read side of the instrument table."""

    def get(self, key: Key) -> Instrument | None: ...
    def require(self, symbol: str, exchange: str) -> Instrument:
        """The instrument, or :class:`SymbolUnknown`."""
