"""A broker made of its recordings: a server on loopback that answers each recorded request from
the recorded replies, and keeps an order book of what was placed.

It knows nothing of the broker but the recordings (:mod:`tests.emulators.learned` finds the
fields) and takes whatever it is given. What it refuses are a broker's own refusals, in recorded
words: a login that was not recorded as good, more money than there is, an order that is unknown or
finished.
It shows no fills, no feed and no faults: that is what emulators are for.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from aiohttp import web

from tests.emulators.base import Faults
from tests.emulators.learned import Lens, Path_, at
from tests.wire.compare import decoded_body, differences
from tests.wire.vectors import Prepared, VectorFile, prepare

#: Operations that change an order.
WRITES = ("place_order", "modify_order", "cancel_order")
#: An order worth more rupees than this is more than the account has.
MONEY = 1e8
_WORKING = frozenset({"open", "trigger pending"})
_ANY_ID = "\0id\0"


@dataclass
class Exchange:
    """One recorded request with its reply, the ``number``-th of its case. ``last``: the one that
    the operation is about."""

    op: str
    case: dict[str, Any]
    request: dict[str, Any]
    reply: dict[str, Any]
    number: int
    last: bool

    @property
    def good(self) -> bool:
        """Whether the operation came to something."""
        return "error" not in (self.case["expect"] or {})


@dataclass
class Row:
    """A recorded row of the order book, what it means, and where it was: which reply of the
    case, which list in it."""

    wire: Any
    meaning: dict[str, Any]
    place: tuple[int, Path_]


@dataclass
class Given:
    """A request that came."""

    method: str
    url: str
    query: dict[str, Any]
    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self, encoding: str) -> Any:
        """As the recordings write it down."""
        return decoded_body(encoding, self.content) if encoding != "none" else None


class Replay:
    """The server. ``prepared``: the cases of the recording as new code must behave; ``hosts``: the
    broker's addresses by the adapter's names."""

    def __init__(
        self,
        file: VectorFile,
        prepared: Iterable[Prepared] | None = None,
        hosts: Mapping[str, str] | None = None,
    ) -> None:
        self.file = file
        self._hosts = dict(hosts or {})
        cases = prepared or [prepare(file.broker, case) for case in file.section("cases")]
        self.cases = [ready.case for ready in cases]
        self.exchanges = [*_exchanges(self.cases)]
        symbols = file.section("symbols")
        self.requests = {
            op: Lens([(_content(e.request), e.case["input"]) for e in self._of(op)], symbols)
            for op in WRITES
        }
        self._rows = [row for case in self.good("order_book") for row in self._book_rows(case)]
        self._row = Lens([(row.wire, row.meaning) for row in self._rows], symbols)
        self._row.extend(self.requests["place_order"])
        self.faults = Faults()
        self.log: list[tuple[str, str]] = []
        self.writes: list[str] = []  # addresses of requests that changed something, or tried to
        self.arrived: list[dict[str, Any]] = []  # order writes in uniform form, as they came
        self.unknown: list[str] = []  # requests that nobody recorded
        self.sockets: list[Any] = []
        self.orders: dict[str, dict[str, Any]] = {}  # the book, in uniform form
        self._runner: web.AppRunner | None = None
        self.port = 0

    # -- life -------------------------------------------------------------------------------
    async def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1."""
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Close all connections."""
        if self._runner is not None:
            await self._runner.cleanup()

    def hosts(self) -> dict[str, str]:
        """Where the broker's hosts are to be found here."""
        return {n: self._here(url) for n, url in self._hosts.items() if url.startswith("http")}

    def _here(self, url: str) -> str:
        parts = urlsplit(url)
        return f"http://127.0.0.1:{self.port}/{parts.scheme}:{parts.netloc}{parts.path}"

    # -- what was recorded ------------------------------------------------------------------
    def _of(self, op: str) -> list[Exchange]:
        """The good requests that an operation is about."""
        return [e for e in self.exchanges if e.op == op and e.last and e.good]

    def good(self, *ops: str) -> list[dict[str, Any]]:
        """The cases of these operations that came to something."""
        return [
            case
            for case in self.cases
            if case["op"] in ops and "error" not in (case["expect"] or {"error": None})
        ]

    def refused(self, op: str) -> list[Exchange]:
        """The recorded refusals of an operation; of orders those that are about the order and
        not about the session."""
        return [
            e
            for e in self.exchanges
            if e.op == op
            and e.last
            and not e.good
            and not (op in WRITES and e.reply["status"] in (401, 403))
        ]

    def _book_rows(self, case: dict[str, Any]) -> list[Row]:
        """Recorded rows of the order book with their meaning; none where it is unclear which
        belong together. A book may come in several lists of several replies."""
        meanings = case["expect"]["rows"]
        places = [
            (exchange, path)
            for exchange in self.exchanges
            if exchange.case is case
            for path in _lists(exchange.reply.get("body"))
        ]
        found = [
            (wire, (exchange.number, path))
            for exchange, path in places
            for wire in at(exchange.reply["body"], path)
        ]
        if len(found) != len(meanings):
            return []
        return [Row(w, m, place) for (w, place), m in zip(found, meanings, strict=True)]

    # -- requests ---------------------------------------------------------------------------
    async def _serve(self, request: web.Request) -> web.StreamResponse:
        scheme, _, rest = request.raw_path.lstrip("/").partition(":")
        address = f"{scheme}://{rest}"
        parts = urlsplit(address)
        given = Given(
            request.method,
            unquote(f"{parts.scheme}://{parts.netloc}{parts.path}"),
            dict(parse_qsl(parts.query, keep_blank_values=True)),
            await request.read(),
            request.headers,
        )
        self.log.append((given.method, given.url))
        status, body = self.answer(given)
        if isinstance(body, str):
            return web.Response(status=status, text=self._moved(body))
        return web.Response(
            status=status, text=self._moved(json.dumps(body)), content_type="application/json"
        )

    def _moved(self, text: str) -> str:
        """A reply whose addresses lead here too."""
        for url in (self.file.data.get("session") or {}).get("base_urls") or ():
            text = text.replace(url.rstrip("/"), self._here(url.rstrip("/")))
        return text

    def answer(self, given: Given) -> tuple[int, Any]:
        """Status and body for a request."""
        known = [e for e in self.exchanges if _is_shape(e, given)]
        if not known:
            self.unknown.append(f"{given.method} {given.url}")
            return 404, {"message": f"nobody recorded {given.method} {given.url}"}
        for op in WRITES:
            if mine := [e for e in known if e.op == op and e.last]:
                return self._write(op, mine, given)
        if mine := [e for e in known if e.op == "order_book" and e.good and self._rows]:
            return self._book_reply(self._nearest(mine, given))
        return _reply(self._nearest(known, given))

    def _nearest(self, known: Sequence[Exchange], given: Given) -> Exchange:
        """The recorded request that is most like this one; a good one when several are. A login
        is refused when it is like no good one, where a refusal was recorded."""
        far = {id(e): len(_content_differences(e.request, given)) for e in known}
        best = min(known, key=lambda e: (far[id(e)], not e.good))
        if best.op == "login" and far[id(best)] and (bad := [e for e in known if not e.good]):
            return bad[0]
        if not best.good and far[id(best)]:
            good = [e for e in known if e.good]
            return min(good, key=lambda e: far[id(e)]) if good else best
        return best

    # -- orders -----------------------------------------------------------------------------
    def _write(self, op: str, known: Sequence[Exchange], given: Given) -> tuple[int, Any]:
        """Take it, or refuse it as the broker itself would."""
        good = [e for e in known if e.good] or list(known)
        nearest = min(good, key=lambda e: len(_content_differences(e.request, given)))
        said = self.requests[op].read(_given_content(given, nearest.request))
        said |= {"orderid": found} if (found := _id_in_url(nearest, given)) else {}
        self.writes.append(given.url)
        self.arrived.append(said)
        if op == "place_order":
            return self._placed(nearest, said)
        order = self.orders.get(str(said.get("orderid")))
        if order is None or order["order_status"] not in _WORKING:
            return self._refusal(op)
        if op == "cancel_order":
            order["order_status"] = "cancelled"
        else:
            order |= {k: v for k, v in said.items() if v is not None}
        return _renamed(_reply(nearest), str(nearest.case["input"]["orderid"]), order["orderid"])

    def _placed(self, nearest: Exchange, said: dict[str, Any]) -> tuple[int, Any]:
        meant = {**nearest.case["input"], **{k: v for k, v in said.items() if v is not None}}
        recorded = str(nearest.case["expect"]["orderid"])
        new = _next_id(recorded, len(self.orders) + 1)
        stop = meant["pricetype"] in ("SL", "SL-M")
        meant |= {"orderid": new, "order_status": "trigger pending" if stop else "open"}
        if meant["quantity"] * max(meant["price"], meant["trigger_price"]) > MONEY:
            if refusals := self.refused("place_order"):
                return _reply(refusals[0])
            meant["order_status"] = "rejected"
        self.orders[new] = meant
        return _renamed(_reply(nearest), recorded, new)

    def _refusal(self, op: str) -> tuple[int, Any]:
        """The recorded words for an order that cannot be changed, or for another one."""
        for name in (op, "cancel_order", "modify_order", "place_order"):
            if found := self.refused(name):
                return _reply(found[0])
        return 400, {"message": "the order is unknown or finished"}

    def _book_reply(self, book: Exchange) -> tuple[int, Any]:
        """The recorded book, or the part of it that was asked for, with what was placed: each
        order in the list that the recorded row was in which is its pattern."""
        status, body = _reply(book)
        lists = {(book.number, path): at(body, path) for path in _lists(body)}
        for rows in lists.values():
            rows.clear()
        for order in self.orders.values():
            pattern = self._pattern_of(order)
            if (rows := lists.get(pattern.place)) is not None:
                rows.append(self._row.write(pattern.wire, pattern.meaning, order))
        return status, body

    def _pattern_of(self, order: Mapping[str, Any]) -> Row:
        """The recorded row of the book that is most like an order."""

        def alike(row: Row) -> tuple[int, int]:
            same = {name for name in _WEIGHTS if row.meaning.get(name) == order.get(name)}
            if "order_status" in same and order["order_status"] == "rejected":
                # The reason is told in words: of the refused ones the one with the most.
                return _WEIGHTS["order_status"], len(json.dumps(row.wire))
            return sum(_WEIGHTS[name] for name in same), 0

        return max(self._rows, key=alike)

    def shows(self, name: str, word: str) -> bool:
        """Whether a row of the book can say this."""
        return self._row.knows(name, word) or any(
            row.meaning.get(name) == word for row in self._rows
        )


#: What makes a recorded row the right pattern: first what has further fields that say the same.
_WEIGHTS = {
    "order_status": 64,
    "exchange": 32,
    "symbol": 16,
    "pricetype": 4,
    "product": 2,
    "action": 1,
}


def _exchanges(cases: Iterable[dict[str, Any]]) -> Iterable[Exchange]:
    for case in cases:
        pairs = list(zip(case.get("http") or (), case.get("http_response") or (), strict=False))
        for number, (request, reply) in enumerate(pairs):
            yield Exchange(case["op"], case, request, reply, number, number == len(pairs) - 1)


def _reply(exchange: Exchange) -> tuple[int, Any]:
    return exchange.reply["status"], copy.deepcopy(exchange.reply.get("body"))


def _renamed(answer: tuple[int, Any], old: str, new: str) -> tuple[int, Any]:
    """A reply with another order id."""
    status, body = answer
    if not old:
        return answer
    return status, json.loads(json.dumps(body).replace(old, new))


def _next_id(recorded: str, number: int) -> str:
    """An id like the recorded one. Letters stay; the last digits count on."""
    match = re.search(r"\d+(?=\D*$)", recorded)
    if match is None:
        return f"{recorded}{number}"
    digits = str(int(match[0]) + number).zfill(len(match[0]))
    return recorded[: match.start()] + digits + recorded[match.end() :]


def _content(request: Mapping[str, Any]) -> dict[str, Any]:
    return {"query": request.get("query") or {}, "body": request.get("body")}


def _given_content(given: Given, like: Mapping[str, Any]) -> dict[str, Any]:
    try:
        body = given.body(like.get("encoding") or "none")
    except ValueError:
        body = None
    return {"query": given.query, "body": body}


def _content_differences(request: Mapping[str, Any], given: Given) -> list[str]:
    wanted, got = _content(request), _given_content(given, request)
    return differences(wanted, got, wire=True)


def _pattern(exchange: Exchange) -> re.Pattern[str]:
    """The address of a recorded request; an order id in it stands for any."""
    url = unquote(exchange.request["url"])
    for name in ("orderid", "trigger_id"):
        if text := str((exchange.case["input"] or {}).get(name) or ""):
            head, slash, tail = url.rpartition("/")
            url = f"{head}{slash}{tail.replace(text, _ANY_ID)}"
    return re.compile(re.escape(url).replace(re.escape(_ANY_ID), r"([^/?]+)"))


def _is_shape(exchange: Exchange, given: Given) -> bool:
    if exchange.request["method"] != given.method:
        return False
    return _pattern(exchange).fullmatch(given.url) is not None


def _id_in_url(exchange: Exchange, given: Given) -> str:
    match = _pattern(exchange).fullmatch(given.url)
    return match[1] if match is not None and match.re.groups else ""


def _lists(body: Any, path: Path_ = ()) -> Iterable[Path_]:
    """Where a reply has lists of rows, in order; not those inside of rows."""
    if isinstance(body, list):
        if all(isinstance(row, dict) for row in body):
            yield path
    elif isinstance(body, dict):
        for key, inner in body.items():
            yield from _lists(inner, (*path, key))
