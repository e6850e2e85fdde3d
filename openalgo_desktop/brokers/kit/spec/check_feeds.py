"""What is wrong with the streams and the symbol master of a spec."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from openalgo_desktop.brokers.kit.spec.broker import BrokerSpec
from openalgo_desktop.brokers.kit.spec.check_requests import (
    Requests,
    pages,
    said,
    table,
    template,
    used,
)
from openalgo_desktop.brokers.kit.spec.masters import MASTER_FORMS, PACKS, MasterFile
from openalgo_desktop.brokers.kit.spec.sample import Scope, any_of, session_scope
from openalgo_desktop.brokers.kit.spec.streams import MARKET, ORDERS, TRANSPORTS, StreamSpec
from openalgo_desktop.core.enums import FeedMode

_CARRIED = {MARKET, ORDERS}


# -- streams --------------------------------------------------------------------------------
def check_streams(spec: BrokerSpec, requests: Requests) -> Iterator[str]:
    """All feeds."""
    ids = [stream.id for stream in spec.streams]
    for name in {name for name in ids if ids.count(name) > 1}:
        yield f"streams: two are called {name!r}"
    if sum(stream.orders for stream in spec.streams) > 1:
        yield "streams: two carry orders"
    for other in [stream for stream in spec.streams if stream.market][1:]:
        if spec.stream is not None and max(other.levels, default=0) <= max(spec.stream.levels):
            yield f"streams.{other.id}: a further market feed is for books of more levels"
    for stream in spec.streams:
        yield from _stream(spec, stream, requests)


def _stream(spec: BrokerSpec, stream: StreamSpec, requests: Requests) -> Iterator[str]:
    where = f"streams.{stream.id}"
    least = min(stream.per_socket, stream.sockets, stream.batch, stream.max_frame)
    times = (stream.confirms, stream.ping, stream.silence, stream.mute)
    yield from said(
        where,
        {
            f"it carries {sorted(stream.carries)}; known are market and orders": not stream.carries
            or stream.carries - _CARRIED,
            f"{stream.transport!r} is no transport; they are {', '.join(TRANSPORTS)}": (
                stream.transport not in TRANSPORTS
            ),
            "the codec cannot be called": not callable(stream.codec),
            "modes belong to the market feed, and only to it": stream.market != bool(stream.modes)
            or set(stream.modes) - set(FeedMode),
            f"depth levels {stream.levels}": not stream.levels or min(stream.levels) < 1,
            "instruments, sockets, batch and frame size are at least 1": least < 1,
            "a time below zero": min(times) < 0,
            "a ping frame is never sent without a time": stream.ping_frame and not stream.ping,
            f"waiting times {stream.backoff}": not 0 < stream.backoff[0] <= stream.backoff[1],
        },
    )
    yield from used(spec, stream.host, stream.renew)
    for name in sorted(stream.options.keys() - TRANSPORTS.get(stream.transport, stream.options)):
        yield f"{where}: {stream.transport} has no option {name!r}"
    for number, call in enumerate(stream.fetch, 1):
        yield from requests.shape(f"{where}: fetch {number}", call.op)
    for login in spec.logins:
        yield from _values(spec, stream, requests, session_scope(spec, login, stream.renew))


def _values(
    spec: BrokerSpec, stream: StreamSpec, requests: Requests, scope: Scope
) -> Iterator[str]:
    where = f"streams.{stream.id}"
    for number, call in enumerate(stream.fetch, 1):
        yield from requests.values(f"{where}: fetch {number}", call.op, scope)
        scope = scope.plus(any_of(call.gives))
    yield from template(where, stream.url, scope)
    yield from template(f"hosts.{stream.host}", spec.hosts.get(stream.host, ""), scope)
    for kind, texts in (("header", stream.headers), ("option", stream.options)):
        for name, text in texts.items():
            yield from template(f"{where}: {kind} {name}", text, scope)


# -- master ---------------------------------------------------------------------------------
def check_master(spec: BrokerSpec) -> Iterator[str]:
    """The files of the symbol master and its fixed rows."""
    if not spec.master.files and not spec.master.fixed:
        yield "master: no file"
    keys = [row.key for row in spec.master.fixed]
    for key in {key for key in keys if keys.count(key) > 1}:
        yield f"master: two fixed rows are called {key[0]}:{key[1]}"
    if not callable(spec.master.reader):
        yield "master: the reader cannot be called"
    for number, file in enumerate(spec.master.files, 1):
        yield from _file(spec, f"master: file {file.name or number}", file)


def _file(spec: BrokerSpec, where: str, file: MasterFile) -> Iterator[str]:
    csv, json = file.form == "csv", file.form == "json"
    yield from used(spec, file.host, "")
    yield from said(
        where,
        {
            f"{file.method!r} is no method of a download": file.method not in ("GET", "POST"),
            "a GET has no body": file.body and file.method == "GET",
            f"{file.pack!r} is no pack; they are gz and zip": file.pack not in PACKS,
            f"{file.form!r} is no form; they are {', '.join(MASTER_FORMS)}": (
                file.form not in MASTER_FORMS
            ),
            "only a zip has members": file.member and file.pack != "zip",
            "only CSV has a delimiter": not csv and file.delimiter != ",",
            "only CSV and JSON arrays have a header": file.header and not (csv or json),
            "a text inside an answer is CSV or JSON lines": file.text_at and json,
            "a list of files has no pages": file.listed and file.pages is not None,
            f"{file.delimiter!r} is no delimiter": len(file.delimiter) != 1,
            "only JSON has a path of the rows": file.rows and not json,
            "paths of listed files without a list": file.listed_path and not file.listed,
        },
    )
    try:
        codecs.lookup(file.encoding)
    except LookupError:
        yield f"{where}: {file.encoding!r} is no encoding"
    if file.pages is not None:
        yield from pages(where, file.pages)
    yield from _texts(spec, where, file)


def _texts(spec: BrokerSpec, where: str, file: MasterFile) -> Iterator[str]:
    for login in spec.logins:
        scope = session_scope(spec, login).plus({"today": "2026-12-31"})
        if file.pages is not None:
            scope = scope.plus({file.pages.value: file.pages.first or 1})
        yield from template(where, file.path, scope)
        yield from template(f"hosts.{file.host}", spec.hosts.get(file.host, ""), scope)
        for name, text in file.headers.items():
            yield from template(f"{where}: header {name}", text, scope)
        for kind, fields in (("query", file.query), ("body", file.body)):
            yield from table(f"{where}: {kind}", fields, scope)
