"""Answers: what their bodies are by the form of an operation, and long ones in pieces."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import httpx
import msgspec

from openalgo_desktop.brokers.kit.rest.errors import (
    Answer,
    foreign_page,
    names_status,
    unreadable,
)
from openalgo_desktop.brokers.kit.rest.receiving import LARGE, gentle_json
from openalgo_desktop.brokers.kit.rest.values import as_rows, pick
from openalgo_desktop.brokers.kit.spec import BrokerSpec, Envelope, Op, Pages
from openalgo_desktop.core.errors import NetError, ProtocolError

_NO_NUMBER = re.compile(rb"\b(?:NaN|Infinity)\b")


class Reply(NamedTuple):
    """A good answer: its payload (None = empty), and the whole body, where pages say what is
    next."""

    payload: Any
    body: Any = None


def judge(spec: BrokerSpec, op: Op, response: httpx.Response) -> Answer:
    """The answer of ``op`` by its form and envelope; ``data`` is the payload of a good one.

    Raises :class:`ProtocolError` for what is not of the form, :class:`NetError` for a web page.
    """
    status = response.status_code
    envelope = op.envelope or spec.envelope
    body, read = _body(op, response)
    if op.form == "json" and envelope.state and not response.content:
        read = False  # an answer that says nothing is no empty book
    answer = Answer(envelope, status, _one(op, body), op.empty)
    if status < 400 and op.form == "json" and not _says(op, envelope, answer.body):
        raise _page_or_unreadable(spec, op, response)
    if not answer.good:
        if body is None:
            answer.message = _plain(response.text)
            if status_page(response) and not names_status(spec, answer):
                raise foreign_page(spec, status)
        return answer
    if not read:
        raise _page_or_unreadable(spec, op, response)
    if op.form == "json":
        answer.data = _one(op, pick(answer.data, op.reply) if op.reply else answer.data)
    else:
        answer.data = _PLAIN[op.form](op, response)
    return answer


def _page_or_unreadable(spec: BrokerSpec, op: Op, response: httpx.Response) -> NetError:
    status = response.status_code
    if op.form != "json" and status_page(response):
        return foreign_page(spec, status)
    return unreadable(spec, op, status, response.text)


def _says(op: Op, envelope: Envelope, body: Any) -> bool:
    """Whether an answer says how the request went, where the envelope promises that. Some brokers
    answer a read with the bare list of rows."""
    if not envelope.state:
        return True
    if not isinstance(body, dict):
        bare = not op.write and not envelope.data and not op.reply
        return bare and isinstance(body, list)
    if not op.write:
        return True  # a bad answer
    state = pick(body, envelope.state)
    return state is not None and (
        not envelope.bad or str(state) in envelope.ok or str(state) in envelope.bad
    )


def in_words(envelope: Envelope, file: bytes) -> bool:
    """Whether a short file that came with a good status may be an answer in its place: a web
    page, or JSON that says how the request went."""
    start = file.lstrip()[:1]
    if start != b"{":
        return start == b"<"
    try:
        return bool(envelope.state) and pick(_json(file), envelope.state) is not None
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return False


def _body(op: Op, response: httpx.Response) -> tuple[Any, bool]:
    """The JSON of a body (None without), and whether the body is what the form promises."""
    content = response.content
    if op.form == "json" or response.status_code >= 400 or content.lstrip()[:1] == b"{":
        try:
            body = _json(content) if content else None
        except (msgspec.MsgspecError, ValueError, RecursionError):
            body = None
            if op.form == "json":
                return None, False
        if op.form == "empty":
            body = body or None
        # An error of an operation that gives no JSON is JSON all the same.
        return body, op.form != "csv" or body is None
    return None, op.form == "empty" or not status_page(response)


def _one(op: Op, value: Any) -> Any:
    """What ``Op.unwrap`` takes out of a list of one."""
    if not op.unwrap or not isinstance(value, list):
        return value
    if len(value) > 1:
        raise ProtocolError(f"{len(value)} answers came to one request.")
    return value[0] if value else None


def _rows(op: Op, response: httpx.Response) -> list[dict[str, str | None]]:
    """A CSV body; lines that are too short leave fields open."""
    lines = response.text.lstrip("\ufeff").splitlines()
    return list(csv.DictReader(lines, op.header or None))


_PLAIN: Mapping[str, Callable[[Op, httpx.Response], Any]] = {
    "csv": _rows,
    "text": lambda op, response: response.text.strip(),
    "empty": lambda op, response: None,
}


def _json(content: bytes) -> Any:
    """JSON, also with the NaN that some servers write: the reader of a row refuses it there, so
    that one odd value does not cost the others."""
    if len(content) > LARGE:
        return gentle_json(content)
    try:
        return msgspec.json.decode(content)
    except msgspec.DecodeError:
        if _NO_NUMBER.search(content) is None:
            raise
        return json.loads(content)


def _plain(text: str) -> str:
    """The sentence of an error answer that is no JSON; a page of a gateway has none."""
    return "" if text.lstrip().startswith("<") else text.strip()[:200]


def status_page(response: httpx.Response) -> bool:
    """Whether the body is a web page; too many requests are what their status says."""
    if response.status_code == 429:
        return False
    kind = response.headers.get("content-type", "")
    return "html" in kind.lower() or response.text.lstrip()[:1] == "<"


# -- long answers ---------------------------------------------------------------------------
Ask = Callable[[Mapping[str, Any]], Awaitable[Reply]]


async def joined(op: Op, context: Mapping[str, Any], ask: Ask) -> list[Any]:
    """The rows of an operation that comes in parts (``Op.each``) and pages (``Op.pages``), in
    order. A part that fails is the failure of the whole: a shorter book must not pass for whole.
    """
    rows: list[Any] = []
    for part in op.each or ({},):
        values = {**context, **part}
        if op.pages is None:
            rows += as_rows((await ask(values)).payload)
        else:
            rows += await _paged(op.pages, values, ask)
    return rows


async def _paged(pages: Pages, values: Mapping[str, Any], ask: Ask) -> list[Any]:
    rows: list[Any] = []
    number = pages.first if isinstance(pages.first, int) else 1
    at: Any = pages.first if pages.next else number
    for _ in range(pages.most):
        reply = await ask({**values, pages.value: at})
        page = as_rows(reply.payload)
        rows += page
        if pages.next:
            after = pick(reply.body, pages.next)
            if not after:
                return rows
            if after == at:
                raise ProtocolError("A page names itself as the next one.")
            at = after
        else:
            if not page:
                return rows
            number += 1
            at = number
    raise ProtocolError(f"The answer has more than {pages.most} pages.")
