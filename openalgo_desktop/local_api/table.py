"""The vocabulary of the endpoint table: a row, a call, a reply."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias

from openalgo_desktop.core.api_rows import ApiKey
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.local_api.context import ApiContext
from openalgo_desktop.trading.gtt import GttDesk
from openalgo_desktop.trading.lane import Lane
from openalgo_desktop.trading.own_part import OwnPart

if TYPE_CHECKING:
    from openalgo_desktop.local_api.bodies import Body
    from openalgo_desktop.local_api.services import Services
    from openalgo_desktop.local_api.webhook_queue import Trial

JSON_TYPE = "application/json"
TEXT_TYPE = "text/plain; charset=utf-8"


class ErrorForm(Enum):
    """How a validation error is told; existing clients depend on each form."""

    TEXT = "A"  # message is the Python text of the error dictionary
    OBJECT = "B"  # message is the error dictionary
    ERRORS = "C"  # message "Validation error", errors the dictionary
    FAILED = "C'"  # message "Validation failed", errors the dictionary


class Need(Enum):
    """What a key must be allowed to do."""

    NOTHING = "nothing"  # no key at all
    READ = "read"
    ACCOUNT = "account"  # reads books of the account that the key is bound to
    TRADE = "trade"
    STRATEGY = "strategy"  # starts and stops made strategies; each run has its own mode


class Pieces(list[bytes]):
    """A long answer, encoded: it leaves piece by piece, and others get the loop in between."""

    @property
    def size(self) -> int:
        """Bytes of all."""
        return sum(map(len, self))

    @classmethod
    def of(cls, head: bytes, parts: Sequence[bytes], tail: bytes) -> Pieces:
        """``parts`` are rows of a list; commas come between them."""
        return cls([head, *(part + b"," for part in parts[:-1]), *parts[-1:], tail])


@dataclass(slots=True)
class Reply:
    """An answer. ``payload`` is encoded as JSON unless it is already bytes or pieces of them."""

    payload: Any
    status: int = 200
    content_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)


class ApiError(AppError):
    """A refusal with its status and, if wanted, more fields of the answer.

    ``with_mode`` False leaves out ``mode`` on an endpoint that normally carries it.
    """

    def __init__(
        self, status: int, message: Any, /, *, with_mode: bool = True, **fields: Any
    ) -> None:
        super().__init__(str(message))
        self.body_message = message
        self.http_status = status
        self.with_mode = with_mode
        self.fields = fields


@dataclass(slots=True)
class Call:
    """One authorised request: validated ``data`` without the key, and who asks."""

    ctx: ApiContext
    services: Services
    endpoint: Endpoint
    data: dict[str, Any]
    mode: Mode
    source: str  # who orders, as the journal and the order book show it
    key: ApiKey | None = None
    path_arg: str = ""
    client_id: str = ""  # header Idempotency-Key
    client: str = ""  # address of the sender
    body: Body | None = None  # of an alert
    test: Trial | None = None  # an alert of the owner's own
    decided: bool = False  # a human let it out of the action centre

    @property
    def desk(self) -> Lane:
        """The corridor of this call: that of the switch, or of the mode of a bound key."""
        return lane_of(self.ctx, self.key)

    @property
    def gtt(self) -> GttDesk:
        """Good-till-triggered orders of that corridor."""
        return GttDesk(self.desk, self.ctx.instruments, self.ctx.hub)

    @property
    def own(self) -> OwnPart | None:
        """What a key of one strategy may cancel, change and close; None for other keys."""
        if self.key is None or not self.key.strategy:
            return None
        return OwnPart(self.desk, self.key.strategy)

    @property
    def account(self) -> str:
        """The account that its live orders must reach; empty for any. (A paper account is meant by
        the account whose prices it trades at, too, and does not change while the program runs.)"""
        return self.key.account_id if self.key is not None and self.mode is Mode.LIVE else ""

    def begin_write(self, *, closes: bool = False) -> None:
        """Just before an order leaves, or a change of one: its key works still and may send one
        more within this minute. What ``closes`` a position is not counted. Raises
        :class:`ApiError` and :class:`RateLimited`."""
        self.may_write(closes=closes)
        self.count_write(closes=closes)

    def may_write(self, *, closes: bool = False) -> None:
        """As :meth:`begin_write`, and nothing is counted: for what may turn out to send nothing,
        and takes back resting orders before it sends. :meth:`count_write` follows."""
        if self.key is None:
            return
        if not self.ctx.keys.works(self.key):
            raise ApiError(403, BAD_KEY, with_mode=False)
        if not (closes or self.decided):
            self.services.quotas.check(self.key)

    def count_write(self, *, closes: bool = False) -> None:
        """Count what leaves now."""
        if self.key is not None and not (closes or self.decided):
            self.services.quotas.count(self.key)


def lane_of(ctx: ApiContext, key: ApiKey | None) -> Lane:
    """Where calls with a key run."""
    return ctx.desk if key is None or key.mode is None else ctx.desk.bound(key.mode)


Handler: TypeAlias = Callable[[Call], Awaitable[dict[str, Any] | Reply]]
#: Makes the fields that the schema sees out of those of the request; may refuse early.
Prepare: TypeAlias = Callable[[ApiContext, dict[str, Any], str], dict[str, Any]]

CRASH = "An unexpected error occurred"
CRASH_API = "An unexpected error occurred in the API endpoint"
BAD_KEY = "Invalid openalgo apikey"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row of the table; everything that is said about an endpoint is said here.

    ``path`` is below ``/api/v1/`` (absolute when it starts with a slash); one that ends in ``/*``
    takes the rest as :attr:`Call.path_arg`. ``schema`` names module and class below ``schemas``,
    which are imported when they are used. ``limit`` is a settings key or a literal limit.
    ``mode_in_errors``: refusals carry ``mode`` while the sandbox is on; ``mode_in_validation``
    says the same of validation errors. ``bad_key`` is the status and text for a wrong key; the
    text may name fields of the request. ``crash`` is the text of an unexpected failure.
    """

    path: str
    handler: Handler
    schema: str | None
    doc: str
    group: str
    method: str = "POST"
    form: ErrorForm = ErrorForm.OBJECT
    limit: str = "limits.api"
    need: Need = Need.READ
    mode_in_errors: bool = False
    mode_in_validation: bool = False
    bad_key: tuple[int, str] = (403, BAD_KEY)
    crash: str = CRASH
    example: Mapping[str, Any] = field(default_factory=dict)
    both_slashes: bool = True
    prepare: Prepare | None = None
    # Semi-auto: an order is queued for approval; anything else of the order family is refused
    # with this text while orders are live.
    queued: bool = False
    refused_in_semi_auto: str = ""
    # Raw fields that make errors plain text, for example {"format": "csv"}.
    text_errors: Mapping[str, str] = field(default_factory=dict)
    # A path that clients know and this version only answers: documented as such.
    stub: bool = False
    # Not for keys that are bound to a strategy or a mode: it is about the whole program.
    owner: bool = False
    # Served only while orders of the caller are simulated.
    sandbox_only: bool = False
    # A page of a broker may send a form here: any Origin, fields instead of JSON.
    foreign_form: bool = False
    # Of other programs that may know no JSON type: the handler reads the body (Call.body).
    alert: bool = False
    # A form is taken, too, where it has a key.
    forms: bool = False
    # Webhooks tell errors under ``error``.
    error_key: str = "message"

    @property
    def name(self) -> str:
        """Short name for monitor and logs."""
        return self.path.strip("/")

    @property
    def route(self) -> str:
        """Absolute path."""
        return self.path if self.path.startswith("/") else f"/api/v1/{self.path}"
