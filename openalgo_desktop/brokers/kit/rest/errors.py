"""A broker's error answers as our error tree, by the spec's rules."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from openalgo_desktop.brokers.kit.rest.values import pick
from openalgo_desktop.brokers.kit.spec import BrokerSpec, Envelope, ErrorRule, Op
from openalgo_desktop.core.errors import (
    AppError,
    AuthError,
    BadCredentials,
    DataError,
    InvalidOrder,
    NetError,
    NetTimeout,
    ProtocolError,
    RateLimited,
    RejectedByBroker,
    SessionExpired,
)

#: What an HTTP status means where the spec has no rule for the answer.
_BY_STATUS: dict[int, type[AppError]] = {
    408: NetTimeout,
    401: SessionExpired,
    403: SessionExpired,
    429: RateLimited,
    500: NetError,
    502: NetError,
    503: NetError,
    504: NetError,
}


#: Words of a gateway that does not know what became of an order, whatever the status says.
_VAGUE = re.compile(
    r"gateway time-?out|bad gateway|service (is )?(temporarily )?unavailable|"
    r"internal server error|timed[ -]?out|request timeout",
    re.I,
)


class DoubtfulSession(SessionExpired):
    """The status alone speaks of the session (401, 403): a read has to confirm that it is over.
    ``sure`` where nothing else is usually meant by it (401)."""

    sure = False


class Answer:
    """A reply of the broker, judged by its envelope; ``empty`` patterns add to the envelope's."""

    __slots__ = ("body", "code", "data", "empty", "good", "message", "status")

    def __init__(
        self, envelope: Envelope, status: int, body: Any, empty: tuple[str, ...] = ()
    ) -> None:
        self.status = status
        self.body = body
        self.message = sentence(body, envelope.message) if isinstance(body, dict) else ""
        self.code = sentence(body, envelope.code, 0) if envelope.code else ""
        self.good = status < 400
        if self.good and envelope.state and isinstance(body, dict):
            state = pick(body, envelope.state)
            self.good = state is not None and str(state) in envelope.ok
        self.empty = any(re.search(p, self.message, re.I) for p in (*envelope.empty, *empty))
        self.data = pick(body, envelope.data) if self.good and envelope.data else body


def sentence(body: Any, path: str, of_entry: int = 1) -> str:
    """The text at a path of an answer; of an entry (``data.*``) its key (0) or its text (1)."""
    for alternative in path.split("|"):
        plain, star, _ = alternative.partition(".*")
        found = pick(body, plain)
        if star:
            entry = next(iter(found.items()), None) if isinstance(found, Mapping) else None
            found = entry[of_entry] if entry is not None and isinstance(entry[1], str) else None
        if found not in (None, ""):
            return str(found)
    return ""


def error_of(
    spec: BrokerSpec, answer: Answer, *, order: bool, retry_after: float = 1.0
) -> AppError:
    """The error of a bad answer. ``order`` says that it refused an order."""
    message = answer.message or f"{spec.title} answered HTTP {answer.status} without a reason."
    if order and answer.status != 429 and _VAGUE.search(message):
        return make_error(NetError, message, answer)
    for rule in spec.errors:
        if order and rule.error is RateLimited and not (rule.code or rule.status):
            continue  # by words alone it may as well be a limit of the risk desk
        if _fits(rule, answer):
            return make_error(rule.error, message, answer, rule.field, retry_after)
    kind = _BY_STATUS.get(answer.status)
    if kind is None:
        kind = RejectedByBroker if order else DataError
    elif kind is SessionExpired:
        kind = DoubtfulSession
    if order and answer.status >= 500:
        # The caller turns this into OrderStateUnknown: a gateway's 5xx says nothing.
        kind = NetError
    error = make_error(kind, message, answer, "", retry_after)
    if isinstance(error, DoubtfulSession):
        error.sure = answer.status == 401
    return error


def names_status(spec: BrokerSpec, answer: Answer) -> bool:
    """Whether a rule knows this status by these words: they are the broker's, also where they are
    served as a web page."""
    return any(rule.status and rule.pattern and _fits(rule, answer) for rule in spec.errors)


def means_empty(answer: Answer, bad: AppError) -> bool:
    """Whether a read that was answered with the error ``bad`` only found nothing. A server in
    trouble, a session that is over or too many requests say nothing of what there is."""
    return (
        answer.empty
        and answer.status < 500
        and not isinstance(bad, (AuthError, RateLimited, NetError))
        and _VAGUE.search(answer.message) is None
    )


def _fits(rule: ErrorRule, answer: Answer) -> bool:
    return (
        (not rule.code or rule.code == answer.code)
        and (not rule.status or rule.status == answer.status)
        and (not rule.pattern or re.search(rule.pattern, answer.message, re.I) is not None)
    )


def make_error(
    kind: type[AppError], message: str, answer: Answer, field: str = "", retry_after: float = 1.0
) -> AppError:
    """An error of class ``kind`` with what its constructor takes."""
    detail = f"HTTP {answer.status} {answer.code}".strip()
    if issubclass(kind, RateLimited):
        return kind(message, retry_after=retry_after)
    if issubclass(kind, RejectedByBroker):
        return kind(message, code=answer.code)
    if issubclass(kind, (InvalidOrder, BadCredentials)):
        return kind(message, field=field, detail=detail)
    return kind(message, detail=detail)


def foreign_page(spec: BrokerSpec, status: int) -> NetError:
    """A page of somebody on the way (a firewall, a proxy, maintenance): it says nothing about the
    session or the order, whatever its status."""
    return NetError(
        f"{spec.title} did not answer: a web page came instead (HTTP {status}): "
        "a firewall or proxy on the way, or maintenance.",
        detail=f"HTTP {status}",
    )


def unreadable(spec: BrokerSpec, op: Op, status: int, text: str) -> ProtocolError:
    """An answer that is not the format that was promised. Its beginning is in the detail, except
    of what may hold a token: a login, and whatever is asked without a session."""
    known = not op.public and any(op is each for each in spec.ops.values())
    return ProtocolError(
        f"{spec.title} sent an answer that cannot be read (HTTP {status}).",
        detail=text[:200] if known else f"{len(text)} characters",
    )
