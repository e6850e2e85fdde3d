"""Enumerations of the unified trading vocabulary. Values are the texts of the OpenAlgo API."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import TypeVar


class Exchange(StrEnum):
    """Exchange segments, in the order in which validation messages list them."""

    NSE = "NSE"
    NFO = "NFO"
    CDS = "CDS"
    BSE = "BSE"
    BFO = "BFO"
    BCD = "BCD"
    MCX = "MCX"
    NCDEX = "NCDEX"
    NCO = "NCO"
    NSE_INDEX = "NSE_INDEX"
    BSE_INDEX = "BSE_INDEX"
    MCX_INDEX = "MCX_INDEX"
    GLOBAL_INDEX = "GLOBAL_INDEX"
    CRYPTO = "CRYPTO"


#: Exchanges that carry quotes only; an order on them is refused.
INDEX_EXCHANGES = frozenset(
    {Exchange.NSE_INDEX, Exchange.BSE_INDEX, Exchange.MCX_INDEX, Exchange.GLOBAL_INDEX}
)
#: Cash segments: products CNC and MIS.
CASH_EXCHANGES = frozenset({Exchange.NSE, Exchange.BSE})
#: Derivative segments: products NRML and MIS, quantities in multiples of the lot size.
DERIVATIVE_EXCHANGES = frozenset(
    {
        Exchange.NFO,
        Exchange.BFO,
        Exchange.MCX,
        Exchange.CDS,
        Exchange.NCO,
        Exchange.BCD,
        Exchange.NCDEX,
        Exchange.CRYPTO,
    }
)


class Action(StrEnum):
    """Side of an order."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        """+1 for BUY, -1 for SELL."""
        return 1 if self is Action.BUY else -1

    @property
    def opposite(self) -> Action:
        """The other side."""
        return Action.SELL if self is Action.BUY else Action.BUY


class Product(StrEnum):
    """MIS intraday, CNC equity delivery, NRML overnight derivatives."""

    MIS = "MIS"
    NRML = "NRML"
    CNC = "CNC"


class PriceType(StrEnum):
    """MARKET, LIMIT, SL (stop-limit), SL-M (stop-market)."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    SL = "SL"
    SLM = "SL-M"

    @property
    def has_price(self) -> bool:
        """Whether a limit price belongs to the order."""
        return self in (PriceType.LIMIT, PriceType.SL)

    @property
    def has_trigger(self) -> bool:
        """Whether a trigger price belongs to the order."""
        return self in (PriceType.SL, PriceType.SLM)


class Validity(StrEnum):
    """How long an order works: DAY until the session ends; IOC (immediate or cancel) trades what
    it can at once, and the rest is cancelled."""

    DAY = "DAY"
    IOC = "IOC"


class OrderStatus(StrEnum):
    """Order states. ``UNKNOWN`` is ours: sent, no answer; reconciled, never retried."""

    PENDING = "pending"  # accepted by the desk, not yet acknowledged by the gateway
    OPEN = "open"
    TRIGGER_PENDING = "trigger pending"
    COMPLETE = "complete"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    UNKNOWN = "unknown"

    @property
    def is_working(self) -> bool:
        """Resting at the exchange: may still fill, can be modified and cancelled."""
        return self in _WORKING

    @property
    def is_final(self) -> bool:
        """No further change can come."""
        return self in _FINAL


# Asked for every order of a book: a name that is looked up in the class costs five times as much.
_WORKING = frozenset({OrderStatus.OPEN, OrderStatus.TRIGGER_PENDING})
_FINAL = frozenset(
    {
        OrderStatus.COMPLETE,
        OrderStatus.CANCELLED,
        OrderStatus.REJECTED,
        OrderStatus.EXPIRED,
    }
)


class Mode(StrEnum):
    """Where orders go. The API calls the sandbox ``analyze``."""

    SANDBOX = "sandbox"
    LIVE = "live"

    @property
    def api_text(self) -> str:
        """``analyze`` or ``live``, as the local API spells it."""
        return "analyze" if self is Mode.SANDBOX else "live"


class FeedMode(IntEnum):
    """Market data modes; a higher one contains the lower ones."""

    LTP = 1
    QUOTE = 2
    DEPTH = 3

    @property
    def label(self) -> str:
        """``LTP``, ``Quote``, ``Depth``: the label of acknowledgements."""
        return {1: "LTP", 2: "Quote", 3: "Depth"}[int(self)]

    @property
    def data_text(self) -> str:
        """``ltp``, ``quote``, ``full``: the text inside a tick's ``data``."""
        return {1: "ltp", 2: "quote", 3: "full"}[int(self)]


class Interval(StrEnum):
    """Candle intervals accepted by history."""

    S1 = "1s"
    S5 = "5s"
    S10 = "10s"
    S15 = "15s"
    S30 = "30s"
    S45 = "45s"
    M1 = "1m"
    M2 = "2m"
    M3 = "3m"
    M5 = "5m"
    M10 = "10m"
    M15 = "15m"
    M20 = "20m"
    M30 = "30m"
    H1 = "1h"
    H2 = "2h"
    H3 = "3h"
    H4 = "4h"
    DAY = "D"
    WEEK = "W"
    MONTH = "M"
    QUARTER = "Q"
    YEAR = "Y"

    @property
    def seconds(self) -> int:
        """Length of an intraday bar in seconds; 0 for a day and longer."""
        unit = {"s": 1, "m": 60, "h": 3600}.get(self.value[-1])
        return int(self.value[:-1]) * unit if unit else 0

    @property
    def is_intraday(self) -> bool:
        """Shorter than a day."""
        return self.seconds > 0


class OptionType(StrEnum):
    """Call or put."""

    CE = "CE"
    PE = "PE"


class AccountState(StrEnum):
    """Login state of a broker account; ``LOGIN_NEEDED`` is a state, not an error popup."""

    OFFLINE = "offline"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    LOGIN_NEEDED = "login needed"


class JournalState(StrEnum):
    """Life of an order intent in the journal."""

    INTENT = "intent"
    ACKNOWLEDGED = "acknowledged"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


class KeyRights(StrEnum):
    """What an API key may do: read only, trade (live and sandbox), or trade the sandbox only."""

    READ = "read"
    TRADE = "trade"
    SANDBOX = "sandbox"


class GttType(StrEnum):
    """Kinds of good-till-triggered orders, as requests spell them."""

    SINGLE = "SINGLE"
    OCO = "OCO"

    @property
    def book_text(self) -> str:
        """``single`` or ``two-leg``, as the GTT book spells it."""
        return "single" if self is GttType.SINGLE else "two-leg"


class GttStatus(StrEnum):
    """Life of a GTT; ``PENDING`` and ``TRIGGERED`` are also the states of its legs."""

    ACTIVE = "active"
    PENDING = "pending"
    TRIGGERED = "triggered"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"


E_ = TypeVar("E_", bound=StrEnum)


def surfaced(kind: type[E_], text: str) -> E_:
    """A value that a broker reports and that is not in the vocabulary (product ``MTF``), as a
    member of ``kind`` that equals none of the others. It is shown as it is; ``kind(text)`` still
    refuses it, so it cannot be sent in an order."""
    value = str.__new__(kind, text)
    value._name_ = text
    value._value_ = text
    return value


class AlertState(StrEnum):
    """Life of an order that a webhook alert was answered "queued" for."""

    WAITING = "waiting"  # nothing was sent yet
    SENDING = "sending"  # from here on only the journal can say whether it left
    DONE = "done"  # sent, refused or put into the action centre: ``result`` says which
    HELD = "held"  # of an earlier run: it waits for a human in the action centre


class ApprovalStatus(StrEnum):
    """Life of an order that waits for a human. Only ``PENDING`` can still become an order."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
