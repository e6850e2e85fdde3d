"""Requests of a broker and how its answers are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from openalgo_desktop.core.errors import AppError


class Rate(msgspec.Struct, frozen=True):
    """At most ``count`` requests in any ``seconds``; with ``shared`` counted together with all
    other rates of that name (linked buckets)."""

    count: int
    seconds: float = 1.0
    shared: str = ""


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
    message at ``message`` says otherwise. ``bad`` are the texts that mean refused: after a write,
    a state that is neither good nor one of them leaves the order unknown (without ``bad``, every
    other text is a refusal; an answer without a state never is one). ``message`` and ``code`` may
    be the one entry of an object (``data.*`` of ``{"data": {"806": "no plan"}}``): its text, key.
    """

    state: str = ""
    ok: tuple[str, ...] = ()
    bad: tuple[str, ...] = ()
    data: str = ""
    message: str = "message"
    code: str = ""
    empty: tuple[str, ...] = ()  # patterns of messages that mean an empty list; reads only


class Pages(msgspec.Struct, frozen=True, kw_only=True):
    """How a long answer comes in pieces: the request is repeated with ``value`` (a name of the
    context) set to what ``next`` finds in the answer, until it finds nothing; or, where ``next``
    is empty, to 1, 2, 3 ... until a page has no rows (a server may cut its pages shorter than it
    was asked to). ``first`` is the value of the first request; ``most`` a bound on pages, and more
    of them an error. Rows are those of ``Op.reply``, in one list.
    """

    value: str
    next: str = ""
    first: Any = ""
    most: int = 100


#: How bodies are written. ``jdata``: Noren's ``jData=<json>&jKey=<key>``.
ENCODINGS = ("none", "json", "form", "jdata")
#: How answers are read: JSON; CSV (a list of rows, by the header line); the bare text; nothing.
FORMS = ("json", "csv", "text", "empty")


class Op(msgspec.Struct, frozen=True, kw_only=True):
    """One request. ``reply`` is the path of its payload inside the reply's data.

    ``write`` marks an order write: never repeated, and a lost answer makes the order's state
    unknown. ``limit`` names the buckets it draws from (blanks between several), besides ``all``;
    ``cost`` is how many of their grants it takes. ``body`` is a table of fields, a list (sent as
    a JSON array), or one value word. ``form`` and ``envelope`` say how the answer is read where
    that differs from the broker's other ones; ``unwrap`` takes the one item out of a list of
    one. ``each`` repeats the request with each of these values added to the context and joins
    the lists of the answers (one request per segment). ``empty`` patterns add to the envelope's.
    ``renew`` names the second session (``BrokerSpec.renewals``) that the request belongs to.
    ``keeps``: values of an order (``wire_validity``) that a change cannot say and does not touch.
    """

    method: str
    path: str
    host: str = "rest"
    encoding: str = "none"  # of ENCODINGS
    query: Mapping[str, Any] = {}
    body: Mapping[str, Any] | Sequence[Any] | str = {}
    headers: Mapping[str, str] = {}
    limit: str = ""
    cost: int = 1
    reply: str = ""
    form: str = "json"  # of FORMS
    header: tuple[str, ...] = ()  # columns of a CSV without a header line
    empty: tuple[str, ...] = ()
    envelope: Envelope | None = None
    unwrap: bool = False
    pages: Pages | None = None
    each: tuple[Mapping[str, Any], ...] = ()
    write: bool = False
    keeps: tuple[str, ...] = ()
    public: bool = False  # without the session's headers
    sign: bool = True  # where the spec signs requests
    renew: str = ""
    timeout: float = 10.0

    @property
    def buckets(self) -> tuple[str, ...]:
        """The rate limits that a request draws from."""
        return ("all", *self.limit.split())


class IntervalRule(msgspec.Struct, frozen=True):
    """A candle interval: the broker's text, the most days of one request, the operation where it
    is not ``history``, and whether today's bar is missing and has to be made from the quote."""

    wire: str
    days: int
    op: str = "history"
    today_from_quote: bool = False
