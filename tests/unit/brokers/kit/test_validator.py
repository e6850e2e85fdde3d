"""The validator: a good spec, spoiled in every way that it knows, and the sentence about it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from openalgo_desktop.brokers.kit.account.api import BrokerApi
from openalgo_desktop.brokers.kit.broker import Broker
from openalgo_desktop.brokers.kit.spec import (
    ORDERS,
    Ask,
    BrokerSpec,
    Browser,
    Call,
    Capabilities,
    Compute,
    Envelope,
    ErrorRule,
    Field,
    Gives,
    Hook,
    IntervalRule,
    Login,
    MasterFile,
    MasterSpec,
    Op,
    Pages,
    Rate,
    StreamSpec,
    TwoWay,
    check,
    require_valid,
)
from openalgo_desktop.brokers.kit.spec.check_orders import NEEDED
from openalgo_desktop.brokers.kit.spec.row_fields import ROW_FIELDS
from openalgo_desktop.brokers.kit.spec.streams import TRANSPORTS
from openalgo_desktop.brokers.registry import Registry
from openalgo_desktop.core.enums import Exchange, Interval, OrderStatus, PriceType
from openalgo_desktop.core.errors import ConfigError, NetError
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.ticks import TickExtras
from tests.costs import calls

REGISTRY = Registry([])
KITE = REGISTRY.get("zerodha")
SPEC, API = KITE.spec, KITE.api
STREAM, FILE = SPEC.streams[0], SPEC.master.files[0]
LOGIN = SPEC.logins[0]
replace = msgspec.structs.replace


# -- ways to spoil --------------------------------------------------------------------------
def op(name: str, **change: Any) -> dict[str, Any]:
    """The spec's operation ``name``, changed."""
    return {"ops": {**SPEC.ops, name: replace(SPEC.ops[name], **change)}}


def stream(**change: Any) -> dict[str, Any]:
    """The spec's feed, changed."""
    return {"streams": (replace(STREAM, **change),)}


def file(**change: Any) -> dict[str, Any]:
    """The spec's master file, changed."""
    return {"master": replace(SPEC.master, files=(replace(FILE, **change),))}


def can(**change: Any) -> dict[str, Any]:
    """The capabilities, changed."""
    return {"capabilities": replace(SPEC.capabilities, **change)}


def rows(kind: str, drop: str = "", **change: str) -> dict[str, Any]:
    """A row map, changed."""
    fields = {name: path for name, path in SPEC.rows.get(kind, {}).items() if name != drop}
    return {"rows": {**SPEC.rows, kind: {**fields, **change}}}


def steps(*found: Any, session: tuple[str, ...] = ("access_token",)) -> dict[str, Any]:
    """A login of these steps beside those of the spec."""
    keys = Ask((Field("api_key", "Key", stored=True), Field("client_id", "Client", stored=True)))
    login = Login(id="spoiled", title="Spoiled", steps=(keys, *found), session=session)
    return {"logins": (*SPEC.logins, login)}


def statuses(**also: OrderStatus) -> dict[str, Any]:
    """The statuses with further words."""
    return {"statuses": TwoWay(SPEC.statuses.pairs, {**SPEC.statuses.also, **also})}


CALL = Op(method="POST", path="/x", encoding="json", public=True, body={"a": "$api_key"})
TOKEN = Call(CALL, {"access_token": "t"})
NIFTY = Instrument("NIFTY", "NSE_INDEX")
NSE_ONLY = frozenset({Exchange.NSE})
TWICE = {**SPEC.statuses.pairs, OrderStatus.OPEN: "COMPLETE"}

SPOILED: dict[str, tuple[Mapping[str, Any], str]] = {
    # identity
    "id": ({"id": "Bad-Id"}, "id: 'Bad-Id' must be small letters"),
    "title": ({"title": ""}, "title: none"),
    "no login": ({"logins": ()}, "logins: none"),
    "login twice": ({"logins": (LOGIN, LOGIN)}, "logins: two are called 'browser'"),
    "field twice": (
        steps(Ask((Field("api_key", "Again"),)), TOKEN),
        "logins.spoiled: 'api_key' is asked for twice",
    ),
    # vocabulary
    "product not mapped": ({"products": TwoWay({})}, "products: CNC not mapped"),
    "exchange not mapped": (
        {"exchanges": TwoWay({Exchange.NSE: "NSE"})},
        "exchanges: BSE is offered but not mapped",
    ),
    "one word twice": (
        {"exchanges": TwoWay({**SPEC.exchanges.pairs, Exchange.BSE: "NSE"})},
        "exchanges: two unified values share one text",
    ),
    "words one and two": (
        {"exchanges": TwoWay({**SPEC.exchanges.pairs, Exchange.BSE: ("BSE", "C")})},
        "exchanges: some have one word on the wire and some two",
    ),
    "words of an exchange that is not offered": (
        {"products": TwoWay(SPEC.products.pairs, per={Exchange.CRYPTO: SPEC.products})},
        "products: CRYPTO has words of its own and is not offered",
    ),
    "action missing": ({"actions": TwoWay({})}, "actions: BUY, SELL missing"),
    "status twice": ({"statuses": TwoWay(TWICE)}, "statuses: 'COMPLETE' is there twice"),
    "status in pairs and also": (
        statuses(OPEN=OrderStatus.OPEN),
        "statuses: 'OPEN' is there twice",
    ),
    "status by case": (
        statuses(complete=OrderStatus.OPEN),
        "statuses: 'complete' means two things",
    ),
    "settling": ({"settling": frozenset({"WAITING"})}, "settling: 'WAITING' is no status"),
    # capabilities
    "no product": (can(products={}), "capabilities: no product on NSE"),
    "product where nothing is offered": (
        can(exchanges=(Exchange.NSE,)),
        "capabilities: products on BSE, which is not offered",
    ),
    "price type": (
        {"price_types": TwoWay({PriceType.LIMIT: "LIMIT"})},
        "price_types: MARKET not mapped",
    ),
    "no limit orders": (
        can(price_types=(PriceType.MARKET,)),
        "price_types: LIMIT is not offered",
    ),
    "contracts": (
        {"in_contracts": frozenset({Exchange.CRYPTO})},
        "in_contracts: CRYPTO is not mapped",
    ),
    "interval without operation": (
        can(intervals={Interval.DAY: IntervalRule("day", 10, "eod")}),
        "ops: eod missing",
    ),
    "interval without days": (
        can(intervals={Interval.DAY: IntervalRule("day", 0)}),
        "intervals: D in pieces of 0 days",
    ),
    "bar of today": (
        can(intervals={Interval.M1: IntervalRule("1", 1, today_from_quote=True)}),
        "intervals: 1m has no bar of today",
    ),
    "batch": (can(quote_batch=-1), "capabilities: a quote has one instrument"),
    "tag": (rows("order", drop="tag"), "capabilities: orders keep our tag where rows.order"),
    "no tag": (can(tags=False), "capabilities: orders keep our tag where rows.order"),
    "quotes of no feed": (
        {**can(feed_quotes=True), "streams": ()},
        "capabilities: quotes from a feed, and there is no market feed",
    ),
    "hidden triggers": (can(gtt=False), "capabilities: ops has gtt_place, and nobody is told"),
    "hidden margin": (can(margin=False), "capabilities: ops has margin, and nobody is told"),
    "operation missing": (
        {"ops": {k: v for k, v in SPEC.ops.items() if k != "gtt_modify"}},
        "ops: gtt_modify missing",
    ),
    # protection
    "protected twice": (
        {"protect": {PriceType.MARKET: NSE_ONLY}},
        "protect: the broker protects market orders itself",
    ),
    "protected limit": (
        {"protect": {PriceType.LIMIT: NSE_ONLY}},
        "protect: a LIMIT order needs no limit in its place",
    ),
    "protected, not offered": (
        {"protect": {PriceType.SLM: NSE_ONLY}, **can(price_types=(PriceType.LIMIT,))},
        "protect: SL-M is not offered",
    ),
    "protected where nothing trades": (
        {"protect": {PriceType.MARKET: frozenset({Exchange.CRYPTO})}},
        "protect: MARKET on CRYPTO, which takes no orders",
    ),
    # limits
    "bucket": (op("orders", limit="quick"), "limits: 'quick' is used but not declared"),
    "bucket of nobody": (
        {"limits": {**SPEC.limits, "quick": (Rate(1),)}},
        "limits: nothing uses 'quick'",
    ),
    "closed bucket": (
        {"limits": {**SPEC.limits, "orders": (Rate(0),)}},
        "limits: 'orders' lets nothing through",
    ),
    "cost": (op("quotes", cost=2), "ops.quotes: a cost of 2 does not fit in 1 grants"),
    # operations
    "method": (op("orders", method="FETCH"), "ops.orders: 'FETCH' is no method"),
    "encoding": (op("place", encoding="xml"), "ops.place: 'xml' is no encoding; they are none"),
    "body unsent": (op("place", encoding="none"), "ops.place: it has a body and no encoding"),
    "form of a list": (
        op("place", body=["$tag"]),
        "ops.place: a form is a table of fields",
    ),
    "form": (op("orders", form="yaml"), "ops.orders: 'yaml' is no form; they are json, csv"),
    "reply of a text": (
        op("positions", form="text"),
        "ops.positions: only JSON has a reply path or pages",
    ),
    "header of JSON": (op("orders", header=("a",)), "ops.orders: only CSV has a header"),
    "write in parts": (op("place", each=({"x": 1},)), "ops.place: a write is sent once"),
    "own write": (
        {"ops": {**SPEC.ops, "bracket": Op(method="POST", path="/oco")}},
        "ops.bracket: nobody knows that it only reads",
    ),
    "long write": (op("place", timeout=500.0), "ops.place: 500 s are too long"),
    "no side": (
        op("place", body={k: v for k, v in SPEC.ops["place"].body.items() if v != "$wire_action"}),
        "ops.place: it does not say wire_action",
    ),
    "no new price": (
        op("modify", body={k: v for k, v in SPEC.ops["modify"].body.items() if k != "price"}),
        "ops.modify: it does not say price",
    ),
    "whole rupees": (
        op("place", body={**SPEC.ops["place"].body, "price": "$price:int"}),
        "'int' spoils a price",
    ),
    "paise of units": (
        op("place", body={**SPEC.ops["place"].body, "quantity": "$quantity:paise"}),
        "'paise' spoils a quantity",
    ),
    "no end": (
        {"statuses": TwoWay({OrderStatus.OPEN: "OPEN"}), "settling": frozenset()},
        "statuses: no word for complete",
    ),
    "fills unread": (rows("order", drop="filled_quantity"), "rows: order.filled_quantity missing"),
    "no write": (op("cancel", write=False), "ops.cancel: it changes orders and is no write"),
    "timeout": (op("orders", timeout=0), "ops.orders: a timeout of 0 s"),
    "host": (op("orders", host="fast"), "hosts: 'fast' is used but not declared"),
    "host of nobody": (
        {"hosts": {**SPEC.hosts, "spare": "https://x"}},
        "hosts: nothing uses 'spare'",
    ),
    "second session": (op("orders", renew="data"), "renewals: 'data' is used but not declared"),
    "second session of nobody": (
        {"renewals": {"data": Call(CALL, {})}},
        "renewals: nothing uses 'data'",
    ),
    "second session's request": (
        {"renewals": {"data": Call(replace(CALL, body={"a": "$secret"}), {})}},
        "renewals.data: body: 'secret' is no known value",
    ),
    "empty pattern": (op("orders", empty=("(",)), "ops.orders: pattern '('"),
    "pages": (
        op("orders", pages=Pages(value="page", most=0)),
        "ops.orders: pages need a bound",
    ),
    # values
    "path": (op("orders", path="/orders/{days}"), "ops.orders: 'days' is no known value"),
    "brace": (op("orders", path="/orders/{"), "has a brace that belongs to no name"),
    "host's name": (
        {"hosts": {**SPEC.hosts, "rest": "https://{server}"}},
        "hosts.rest: 'server' is no known value",
    ),
    "header": (
        {"headers": {"Authorization": "{acces_token}"}},
        "header Authorization: 'acces_token' is no known value",
    ),
    "query": (op("quotes", query={"i": "$key"}), "ops.quotes: query: 'key' is no known value"),
    "optional typing error": (
        op("place", body={"tag": "$tagg?"}),
        "ops.place: body: 'tagg' is no known value",
    ),
    "no value": (op("place", body={"tag": "$tag.x"}), "ops.place: body: '$tag.x' is no value"),
    "word": (
        op("place", body={"price": "$price:pounds"}),
        "'pounds' is no value word; they are text",
    ),
    "word that does not fit": (
        op("place", body={"price": "$brsymbol:int"}),
        "ops.place: body: invalid literal",
    ),
    "nested": (
        op("place", body={"a": [{"b": "$nothing"}]}),
        "ops.place: body: 'nothing' is no known value",
    ),
    "after one login only": (
        op("orders", query={"s": "$api_secret"}),
        "ops.orders: query: 'api_secret' is not there after every login",
    ),
    # logins
    "browser": (
        steps(Browser("https://x/{app}", {}), TOKEN),
        "logins.spoiled: step 2: 'app' is no known value",
    ),
    "function": (
        steps(Compute({"sum": "md5:{api_key}"}), TOKEN),
        "logins.spoiled: step 2: sum: 'md5' is no function",
    ),
    "made of nothing": (
        steps(Compute({"sum": "sha256:{pin}"}), TOKEN),
        "logins.spoiled: step 2: sum: 'pin' is no known value",
    ),
    "call": (
        steps(Call(replace(CALL, body={"a": "$pin"}), {"access_token": "t"})),
        "logins.spoiled: step 2: body: 'pin' is no known value",
    ),
    "call with the session's headers": (
        steps(Call(replace(CALL, public=False), {"access_token": "t"})),
        "logins.spoiled: step 2: header Authorization: 'access_token' is no known value",
    ),
    "hook": (steps(Hook("fetch_it"), TOKEN), "logins: 'fetch_it' is no login step"),
    "hook that is none": (steps(Hook("spec"), TOKEN), "logins: 'spec' is no login step"),
    "session": (
        steps(TOKEN, session=("access_token", "jkey")),
        "logins.spoiled: nothing gives 'jkey'",
    ),
    "end": ({"session_end_value": "exp"}, "session_end_value: no login gives 'exp'"),
    # answers
    "row kind": (rows("ledger", a="b"), "rows: nobody reads 'ledger'"),
    "row field": (rows("order", colour="c"), "rows: nobody reads order.colour"),
    "row field missing": (rows("order", drop="status"), "rows: order.status missing"),
    "row unit": (rows("order", price="p:pence"), "rows: order.price: 'p:pence': 'pence' is no"),
    "row of nobody": (
        {"rows": {**SPEC.rows, "trade": {**rows("trade", drop="brsymbol")["rows"]["trade"]}}},
        "rows: trade has neither brsymbol nor token",
    ),
    "row without its exchange": (rows("position", drop="exchange"), "position.exchange missing"),
    "row with a second word": (rows("order", segment="s"), "exchanges have one word on the wire"),
    "margin": (rows("margin", drop="total"), "rows: margin.total missing"),
    "envelope": ({"envelope": Envelope(state="s")}, "envelope: an envelope has a state and"),
    "envelope pattern": ({"envelope": Envelope(empty=("[",))}, "envelope: pattern '['"),
    "own envelope": (op("orders", envelope=Envelope(ok=("x",))), "ops.orders: an envelope has"),
    "error": ({"errors": (ErrorRule(OSError, code="1"),)}, "rule 1: <class 'OSError'> is no"),  # type: ignore[arg-type]
    "error of all": ({"errors": (ErrorRule(NetError),)}, "errors: rule 1 fits every answer"),
    "error pattern": ({"errors": (ErrorRule(NetError, pattern="("),)}, "errors: rule 1: pattern"),
    # streams
    "transport": (stream(transport="carrier"), "streams.market: 'carrier' is no transport"),
    "carries": (stream(carries=frozenset({"news"})), "streams.market: it carries ['news']"),
    "stream twice": (
        {"streams": (STREAM, STREAM)},
        "streams: two are called 'market'",
    ),
    "two market feeds": (
        {"streams": (STREAM, replace(STREAM, id="other"))},
        "streams.other: a further market feed is for books of more levels",
    ),
    "two order feeds": (
        {"streams": (replace(STREAM, carries=frozenset({ORDERS}), modes={}),) * 2},
        "streams: two carry orders",
    ),
    "stream host": (stream(host="fast"), "hosts: 'fast' is used but not declared"),
    "stream address": (stream(url="?t={feed_token}"), "streams.market: 'feed_token' is no known"),
    "stream header": (stream(headers={"A": "{x}"}), "streams.market: header A: 'x' is no known"),
    "stream option": (
        stream(transport="socketio", options={"path": "{x}"}),
        "streams.market: option path: 'x' is no",
    ),
    "no such option": (
        stream(transport="mqtt", options={"user": "x"}),
        "streams.market: mqtt has no option 'user'",
    ),
    "stream fetch": (
        stream(fetch=(Call(replace(CALL, body={"a": "$x"}), {}),)),
        "streams.market: fetch 1: body: 'x' is no known value",
    ),
    "stream fetch bucket": (
        stream(fetch=(Call(replace(CALL, limit="quick"), {}),)),
        "limits: 'quick' is used but not declared",
    ),
    "stream session": (stream(renew="data"), "renewals: 'data' is used but not declared"),
    "modes": (stream(modes={}), "streams.market: modes belong to the market feed"),
    "mode": (stream(modes={7: "x"}), "streams.market: modes belong to the market feed"),
    "codec": (stream(codec=None), "streams.market: the codec cannot be called"),
    "levels": (stream(levels=()), "streams.market: depth levels ()"),
    "sockets": (stream(sockets=0), "streams.market: instruments, sockets, batch"),
    "times": (stream(silence=-1.0), "streams.market: a time below zero"),
    "ping": (stream(ping=0.0, ping_frame="x"), "streams.market: a ping frame is never sent"),
    "waiting": (stream(backoff=(9.0, 1.0)), "streams.market: waiting times (9.0, 1.0)"),
    # master
    "no file": ({"master": replace(SPEC.master, files=())}, "master: no file"),
    "fixed twice": (
        {"master": replace(SPEC.master, fixed=(NIFTY, NIFTY))},
        "master: two fixed rows are called NSE_INDEX:NIFTY",
    ),
    "reader": ({"master": replace(SPEC.master, reader=None)}, "the reader cannot be called"),
    "file host": (file(host="cdn"), "hosts: 'cdn' is used but not declared"),
    "file method": (file(method="PUT"), "'PUT' is no method of a download"),
    "file body": (file(body={"a": "1"}), "a GET has no body"),
    "file value": (file(method="POST", body={"a": "$x"}), "body: 'x' is no known value"),
    "file path": (file(path="/{x}"), "master: file instruments.csv: 'x' is no known value"),
    "file header": (file(headers={"A": "{x}"}), "header A: 'x' is no known value"),
    "pack": (file(pack="rar"), "'rar' is no pack; they are gz and zip"),
    "member": (file(member="*.csv"), "only a zip has members"),
    "file form": (file(form="xls"), "'xls' is no form; they are csv, json, jsonl"),
    "file rows": (file(rows="data"), "only JSON has a path of the rows"),
    "delimiter": (file(delimiter="||"), "'||' is no delimiter"),
    "delimiter of JSON": (file(form="json", delimiter="|"), "only CSV has a delimiter"),
    "file's header line": (file(form="jsonl", header=("a",)), "only CSV and JSON arrays have a"),
    "text of a file": (file(form="json", text_at="result"), "is CSV or JSON lines"),
    "list in pages": (file(listed="a", pages=Pages(value="p")), "a list of files has no pages"),
    "file encoding": (file(encoding="utf-7.5"), "'utf-7.5' is no encoding"),
    "listed": (file(listed_path="/{item}"), "paths of listed files without a list"),
    "file pages": (file(pages=Pages(value="", next="n")), "pages without the name of their value"),
}


@pytest.mark.parametrize(("change", "said"), SPOILED.values(), ids=SPOILED)
def test_what_is_wrong_is_said(change: Mapping[str, Any], said: str) -> None:
    problems = check(replace(SPEC, **change), API)
    assert any(said in problem for problem in problems), problems


def test_a_file_may_name_the_date_of_today() -> None:
    assert check(replace(SPEC, **file(path="/refdata/{today}")), API) == []


def test_nothing_is_wrong_with_a_good_one() -> None:
    for name in REGISTRY.ids():
        broker = REGISTRY.get(name)
        assert check(broker.spec, broker.api) == [], name


def test_deeper_books_may_have_feeds_of_their_own() -> None:
    deep = replace(STREAM, id="deep", carries=frozenset({"market"}), levels=(20,))
    assert check(replace(SPEC, streams=(STREAM, deep, replace(deep, id="full"))), API) == []


def test_a_broker_may_have_no_market_data() -> None:
    ops = {name: op for name, op in SPEC.ops.items() if name != "quotes"}
    bare = {"ops": ops, "streams": (), "hosts": {"rest": SPEC.hosts["rest"]}}
    less = replace(SPEC.capabilities, quote_batch=0)
    assert check(replace(SPEC, **bare, capabilities=less), API) == []
    assert check(replace(SPEC, **bare), API) == ["ops: quotes missing"]


def test_everything_wrong_is_told_at_once() -> None:
    wrong = replace(SPEC, **{**op("orders", method="FETCH"), **stream(transport="carrier")})
    with pytest.raises(ConfigError, match=r"Broker zerodha: .*FETCH.*; .*carrier"):
        require_valid(wrong, API)


# -- hooks ----------------------------------------------------------------------------------
class Hooked(BrokerApi):
    """An API class whose hooks add values."""

    gives: ClassVar[Gives] = {
        "*": ("desk",),
        "orders": ("days", "@instrument"),
        "find_it": ("access_token",),
    }

    async def find_it(self, known: Mapping[str, Any]) -> Mapping[str, str]:
        """A login step."""
        return {"access_token": f"{known['api_key']}"}


def needed(name: str) -> dict[str, str]:
    """A body that says of an order what it must."""
    more = {"trigger_price", "wire_validity", "disclosed_quantity"}
    needed = NEEDED.get(name, frozenset()) | (more if name in ("place", "modify") else set())
    return {word: f"${word}" for word in sorted(needed)}


def hooked(**more: Any) -> list[str]:
    """The problems of a spec that needs the hooks of the class."""
    query = {"d": "$days", "t": "$token:int", "k": "$desk"}
    trades = {"query": {"k": "$desk"}}
    plain = {
        name: replace(one, path=f"/{name}", encoding="form", body=needed(name), query={})
        for name, one in SPEC.ops.items()
    }
    ops = {
        **plain,
        "orders": replace(SPEC.ops["orders"], query=query),
        "trades": replace(SPEC.ops["trades"], **trades),
    }
    spec = replace(SPEC, ops=ops, **steps(Hook("find_it")), **more)
    return check(spec, Hooked)


def test_hooks_declare_what_they_add() -> None:
    assert hooked() == []
    Hooked.gives = {name: names for name, names in Hooked.gives.items() if name != "orders"}
    try:
        assert hooked() == [
            "ops.orders: query: 'days' is no known value",
            "ops.orders: query: 'token' is no known value",
        ]
        Hooked.gives = {**Hooked.gives, "ordres": ("days", "token")}
        assert "gives: 'ordres' is neither an operation nor a login step" in hooked()
    finally:
        Hooked.gives = {"*": ("desk",), "orders": ("days", "@instrument")}


async def test_a_login_step_is_called_by_its_name() -> None:
    api: Any = object.__new__(Hooked)
    assert await api.login_hook("find_it")({"api_key": "k"}) == {"access_token": "k"}


# -- what it rests on -----------------------------------------------------------------------
def test_the_row_fields_are_those_that_are_read() -> None:
    """``ROW_FIELDS`` against the source of the readers."""
    source = ast.parse(Path("openalgo_desktop/brokers/kit/books/rows.py").read_text("utf-8"))
    (reader,) = (n for n in source.body if isinstance(n, ast.ClassDef) and n.name == "Rows")
    methods = {m.name: m for m in reader.body if isinstance(m, ast.FunctionDef)}
    reads = {"get", "has", "text", "need", "number", "count", "whole", "time"}

    def fields(*names: str) -> set[str]:
        found = set()
        for name in names:
            for node in ast.walk(methods[name]):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and node.func.attr in reads
                    and isinstance(node.func.value, ast.Name)
                    and node.args
                    and isinstance(node.args[0], ast.Constant)
                ):
                    found.add(str(node.args[0].value))
        return found

    helpers = {
        "order": ("_names", "_exchange", "_action", "_product"),
        "trade": ("_names", "_exchange", "_action", "_product"),
        "position": ("_names", "_exchange", "_product"),
        "holding": ("_names", "_exchange"),
    }
    for kind, names in helpers.items():
        assert fields(kind, *names) == ROW_FIELDS[kind], kind
    extras = set(TickExtras.__struct_fields__)
    assert fields("tick") | extras | {"key"} == ROW_FIELDS["quote"]
    assert fields("_levels") == ROW_FIELDS["level"]


#: Structs of the tables; what is in them is there because somebody reads it.
TABLES = (
    BrokerSpec, Capabilities, Op, Envelope, ErrorRule, Pages, Rate, IntervalRule, StreamSpec,
    MasterSpec, MasterFile, Login, Field, Ask, Browser, Call, Compute, Hook,
)  # fmt: skip


def test_every_field_of_the_tables_is_read() -> None:
    """Outside the vocabulary itself and the adapters that fill it in."""
    home = Path("openalgo_desktop/brokers")
    readers = [*(home / "kit").rglob("*.py"), *home.glob("*.py")]
    readers += [p for p in Path("openalgo_desktop").rglob("*.py") if home not in p.parents]
    read: set[str] = set()
    for path in readers:
        if "spec" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute):
                read.add(node.attr)
    asked = {"market", "orders", "stream", "pushes_orders"}  # carries, by property
    for struct in TABLES:
        names = set(struct.__struct_fields__) - {"carries", "keeps"}  # told to the validator
        assert names <= read, (struct.__name__, names - read)
    assert asked <= read


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_options_of_a_transport_are_those_that_its_link_reads(transport: str) -> None:
    path = Path(f"openalgo_desktop/brokers/kit/feed/links/{transport}.py")
    read = {
        node.args[0].value
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).endswith("options.get")
        and isinstance(node.args[0], ast.Constant)
    }
    assert read == TRANSPORTS[transport]


def test_it_is_little_work() -> None:
    """Done for each broker when the program starts: a few milliseconds, 8,000 calls."""
    check(SPEC, API)  # what is made once
    assert calls(lambda: check(SPEC, API)) < 12_000


def test_a_broker_is_checked_when_it_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = Broker(replace(SPEC, **stream(url="{x}")), API)
    monkeypatch.setattr("openalgo_desktop.brokers.zerodha.BROKER", wrong)
    with pytest.raises(ConfigError, match="'x' is no known value"):
        Registry([]).get("zerodha")


def test_a_file_without_a_name_is_told_by_its_number() -> None:
    master = replace(SPEC.master, files=(FILE, MasterFile(path="/{x}")))
    assert "master: file 2: 'x' is no known value" in check(replace(SPEC, master=master), API)
