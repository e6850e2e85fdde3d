"""Replies of every form, in pieces, through the hooks of the books; bodies as brokers want them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any

import httpx
import msgspec
import pytest

from openalgo_desktop.brokers.kit.account.api import BrokerApi
from openalgo_desktop.brokers.kit.account.session import Session
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.brokers.kit.rest.values import OddValue
from openalgo_desktop.brokers.kit.spec import BrokerSpec, Envelope, ErrorRule, Op, Pages
from openalgo_desktop.brokers.zerodha import BROKER
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import Action, GttType, Interval, PriceType, Product
from openalgo_desktop.core.errors import (
    AppError,
    DataError,
    NetError,
    OrderStateUnknown,
    ProtocolError,
    RateLimited,
)
from openalgo_desktop.core.gtt import Gtt
from openalgo_desktop.core.model import Instrument, ModifyRequest
from openalgo_desktop.core.ticks import Tick, TickExtras

CLOCK = ManualClock(datetime(2026, 11, 27, 11, 0, tzinfo=IST))
SBIN = Instrument("SBIN", "NSE", token="779521", brsymbol="SBIN", brexchange="NSE")
Serve = Callable[[httpx.Request], httpx.Response]


def spec_of(**changes: Any) -> BrokerSpec:
    ops = {**BROKER.spec.ops, "history": Op(method="GET", path="/history")}
    return msgspec.structs.replace(BROKER.spec, **{"limits": {}, "ops": ops, **changes})


def client(serve: Serve, spec: BrokerSpec | None = None) -> RestClient:
    session = Session({"api_key": "k", "access_token": "t"})
    session.open = True
    transport = httpx.MockTransport(serve)
    return RestClient(spec or spec_of(), session, CLOCK, transport=transport)


def read(**changes: Any) -> Op:
    return Op(method="GET", path="/x", **changes)


async def answer(op: Op, response: httpx.Response) -> Any:
    return await client(lambda request: response).call(op)


# -- forms ----------------------------------------------------------------------------------
async def test_a_csv_is_a_list_of_rows() -> None:
    text = "time,close\n1,5\n2,6\n"
    assert await answer(read(form="csv"), httpx.Response(200, text=text)) == [
        {"time": "1", "close": "5"},
        {"time": "2", "close": "6"},
    ]
    bare = read(form="csv", header=("time", "close"))
    assert await answer(bare, httpx.Response(200, text="1,5\r\n")) == [{"time": "1", "close": "5"}]
    assert await answer(bare, httpx.Response(200)) == []


async def test_texts_and_nothing() -> None:
    assert await answer(read(form="text"), httpx.Response(200, text=" tok\n")) == "tok"
    for good in (httpx.Response(204), httpx.Response(200, text="OK"), httpx.Response(200, json={})):
        assert await answer(read(form="empty"), good) is None


@pytest.mark.parametrize("form", ["csv", "text", "empty"])
async def test_an_error_is_one_whatever_was_promised(form: str) -> None:
    bad = {"status": "error", "message": "no such thing", "error_type": "X"}
    for status in (200, 400):
        with pytest.raises(DataError, match="no such thing"):
            await answer(read(form=form), httpx.Response(status, json=bad))
    with pytest.raises(DataError, match="plain words"):
        await answer(read(form=form), httpx.Response(400, text="plain words"))
    with pytest.raises(NetError, match="web page"):
        await answer(read(form=form), httpx.Response(502, text="<html>bad gateway</html>"))


async def test_words_that_a_rule_knows_are_the_brokers_also_as_a_page() -> None:
    """A sentence in plain words may be served as HTML; a page of a proxy stays one."""
    rule = ErrorRule(RateLimited, status=403, pattern="exceeding access rate")
    spec = spec_of(errors=(rule,))

    async def said(text: str, op: Op) -> AppError:
        response = httpx.Response(403, html=text)
        with pytest.raises(AppError) as caught:
            await client(lambda request: response, spec).call(op)
        return caught.value

    write = Op(method="POST", path="/x", write=True)
    for op in (read(), write):
        assert isinstance(await said("Denied because of exceeding access rate", op), RateLimited)
    assert "web page" in (await said("<p>exceeding access rate</p>", read())).message
    assert isinstance(await said("<p>no</p>", write), OrderStateUnknown)


async def test_a_web_page_or_a_table_is_no_csv() -> None:
    with pytest.raises(NetError, match="web page"):
        await answer(read(form="csv"), httpx.Response(200, text="<html>sign in</html>"))
    with pytest.raises(ProtocolError, match="cannot be read"):
        await answer(read(form="csv"), httpx.Response(200, json={"status": "success"}))


async def test_no_answer_at_all_is_no_empty_book() -> None:
    with pytest.raises(ProtocolError):
        await answer(read(), httpx.Response(200))
    with pytest.raises(OrderStateUnknown):
        await answer(read(write=True), httpx.Response(200))
    bare = spec_of(envelope=Envelope())  # nothing is promised
    assert await client(lambda request: httpx.Response(204), bare).call(read()) is None
    assert await answer(read(), good(None)) is None


async def test_an_envelope_of_its_own() -> None:
    op = read(envelope=Envelope(state="stat", ok=("Ok",), data="values", message="emsg"))
    good = httpx.Response(200, json={"stat": "Ok", "values": [1]})
    assert await answer(op, good) == [1]
    with pytest.raises(DataError, match="denied"):
        await answer(op, httpx.Response(200, json={"stat": "Not_Ok", "emsg": "denied"}))


async def test_what_means_empty_for_one_request() -> None:
    bad = httpx.Response(400, json={"status": "error", "message": "No holdings found"})
    with pytest.raises(DataError):
        await answer(read(), bad)
    assert await answer(read(empty=("no holdings",)), bad) is None


async def test_lists_of_one_are_unwrapped() -> None:
    op = read(unwrap=True)
    whole = httpx.Response(200, json=[{"status": "success", "data": {"id": 1}}])
    assert await answer(op, whole) == {"id": 1}
    inner = httpx.Response(200, json={"status": "success", "data": [{"id": 1}]})
    assert await answer(op, inner) == {"id": 1}
    none = httpx.Response(200, json={"status": "success", "data": []})
    assert await answer(op, none) is None
    bad = httpx.Response(200, json=[{"status": "error", "message": "denied"}])
    with pytest.raises(DataError, match="denied"):
        await answer(op, bad)
    two = httpx.Response(200, json={"status": "success", "data": [{"id": 1}, {"id": 2}]})
    with pytest.raises(ProtocolError):
        await answer(op, two)
    with pytest.raises(OrderStateUnknown):
        await answer(msgspec.structs.replace(op, write=True), two)


# -- pieces ---------------------------------------------------------------------------------
def good(data: Any, **more: Any) -> httpx.Response:
    return httpx.Response(200, json={"status": "success", "data": data, **more})


async def test_parts_are_joined_and_a_lost_one_is_the_loss_of_all() -> None:
    broken: set[str] = set()

    def serve(request: httpx.Request) -> httpx.Response:
        segment = request.url.params["segment"]
        if segment in broken:
            return httpx.Response(400, json={"status": "error", "message": f"{segment} is down"})
        return good({"rows": [segment + "1", segment + "2"] if segment != "none" else None})

    op = read(
        query={"segment": "$segment"},
        reply="rows",
        each=({"segment": "cash"}, {"segment": "none"}, {"segment": "fo"}),
    )
    assert await client(serve).call(op) == ["cash1", "cash2", "fo1", "fo2"]
    broken.add("fo")
    with pytest.raises(DataError, match="fo is down"):
        await client(serve).call(op)


async def test_a_part_that_is_no_list_is_no_empty_one() -> None:
    op = read(each=({"segment": "a"},))
    with pytest.raises(ProtocolError):
        await client(lambda request: good({"odd": 1})).call(op)


async def test_pages_by_cursor() -> None:
    asked: list[str | None] = []
    after = {None: "B", "B": "C", "C": ""}

    def serve(request: httpx.Request) -> httpx.Response:
        at = request.url.params.get("cursor")
        asked.append(at)
        return good([at], next=after[at])

    op = read(query={"cursor": "$cursor?"}, pages=Pages(value="cursor", next="next"))
    assert await client(serve).call(op) == [None, "B", "C"]
    assert asked == [None, "B", "C"]
    after["C"] = "C"
    with pytest.raises(ProtocolError, match="itself"):
        await client(serve).call(op)
    after["C"] = "B"
    with pytest.raises(ProtocolError, match="pages"):  # a ring is no shorter book
        await client(serve).call(op)


async def test_pages_by_number() -> None:
    book = list(range(7))

    def serve(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params["page"])
        return good(book[(page - 1) * 3 : page * 3])

    op = read(query={"page": "$page"}, pages=Pages(value="page"))
    assert await client(serve).call(op) == book
    book.extend([7, 8])
    assert await client(serve).call(op) == book
    with pytest.raises(ProtocolError, match="more than 3 pages"):
        short = Pages(value="page", most=3)
        await client(serve).call(msgspec.structs.replace(op, pages=short))


async def test_a_short_page_is_not_the_last() -> None:
    """As where a server cuts its pages to fewer rows than it was asked for, or filters them."""
    cut = {1: ["a", "b", "c"], 2: ["d"], 3: ["e", "f", "g"]}

    def serve(request: httpx.Request) -> httpx.Response:
        return good(cut.get(int(request.url.params["page"])))

    op = read(query={"page": "$page", "size": 3}, pages=Pages(value="page"))
    assert await client(serve).call(op) == list("abcdefg")


async def test_parts_have_pages_too() -> None:
    def serve(request: httpx.Request) -> httpx.Response:
        segment, page = request.url.params["segment"], int(request.url.params["page"])
        return good([f"{segment}{page}{n}" for n in range((2, 1, 0)[page])])

    op = read(
        query={"segment": "$segment", "page": "$page"},
        each=({"segment": "a"}, {"segment": "b"}),
        pages=Pages(value="page", first=0),
    )
    assert await client(serve).call(op) == ["a00", "a01", "a10", "b00", "b01", "b10"]


# -- hooks ----------------------------------------------------------------------------------
class Nested(BrokerApi):
    """A broker whose rows lie deeper and have to be made plain first."""

    def source_rows(self, kind: str, data: Any) -> Iterable[Any]:
        return super().source_rows(kind, data[kind] if isinstance(data, Mapping) else data)

    def read_gtt(self, row: Mapping[str, Any]) -> Gtt:
        return Gtt(
            str(row["id"]), GttType.SINGLE, "SBIN", "NSE", Action.BUY, 1, Product.CNC,
            PriceType.LIMIT, [],
        )  # fmt: skip

    def source_row(self, kind: str, raw: Any) -> Any:
        if kind in ("funds", "margin"):
            return {"total": raw["paise"] / 100}
        if raw.get("skip"):
            return None
        if raw.get("odd"):
            raise OddValue("odd on purpose")
        return raw["row"]


ORDER = {
    "order_id": "1",
    "tradingsymbol": "SBIN",
    "exchange": "NSE",
    "transaction_type": "BUY",
    "quantity": 10,
    "order_type": "LIMIT",
    "product": "MIS",
    "status": "OPEN",
    "tag": "Otag1",
}


def api_of(data: Any, kind: type[BrokerApi] = Nested, **changes: Any) -> Any:
    rest = client(lambda request: good(data), spec_of(**changes))
    return kind(rest.spec, rest, BrokerIndex([SBIN]), CLOCK)


async def test_rows_pass_the_hook_before_the_field_map() -> None:
    rows = [{"row": ORDER}, {"skip": 1}, {"odd": 1}, {}]
    orders = await api_of({"order": rows}).orders()
    assert [order.order_id for order in orders] == ["1"]
    assert orders.unreadable == ("order: odd on purpose", "order: KeyError")
    pushed = api_of(None).read_orders([{"row": ORDER}, {"skip": 1}])
    assert [order.symbol for order in pushed] == ["SBIN"] and not pushed.unreadable


async def test_every_book_has_its_hook() -> None:
    row = {"row": {**ORDER, "average_price": 5.0}}
    api = api_of({"trade": [row], "net": {"position": [row]}, "holding": [row]})
    assert len(await api.trades()) == 1
    assert len(await api.positions()) == 1
    assert (await api.holdings())[0].quantity == 10
    triggers = [{"row": {"id": 7}}, {"skip": 1}, {"odd": 1}]
    gtts = await api_of({"gtt": triggers}).gtt_orders()
    assert [gtt.trigger_id for gtt in gtts] == ["7"] and len(gtts.unreadable) == 1
    rows = {**BROKER.spec.rows, "funds": {"available_cash": "total"}}
    assert (await api_of({"paise": 12345}, rows=rows).funds()).available_cash == 123.45
    assert api_of(None).read_margin([{"paise": 100}, {"paise": 50}]).total == 1.5


async def test_quotes_and_candles_have_it_too() -> None:
    api = api_of({"NSE:SBIN": {"row": {"last_price": 800.5}}})
    answers = await api.quotes([("NSE", "SBIN")])
    assert isinstance(answers["NSE", "SBIN"], Tick) and answers["NSE", "SBIN"].ltp == 800.5
    answers = await api_of({"NSE:SBIN": {"odd": 1}}).quotes([("NSE", "SBIN")])
    assert isinstance(answers["NSE", "SBIN"], AppError)
    assert "odd on purpose" in answers["NSE", "SBIN"].message
    answers = await api_of({"NSE:SBIN": {"skip": 1}}).quotes([("NSE", "SBIN")])
    assert isinstance(answers["NSE", "SBIN"], DataError)
    day = date(2026, 11, 26)
    rows = [{"row": ["2026-11-26T00:00:00+05:30", 1, 2, 1, 2, 10]}, {"skip": 1}]
    bars = await api_of({"candle": rows}).history(("NSE", "SBIN"), Interval.DAY, day, day)
    assert len(bars) == 1


async def test_candles_by_fields_and_times_of_every_form() -> None:
    rows = {**BROKER.spec.rows, "candle": {"time": "t", "open": "o:paise", "close": "c"}}
    found = [
        {"t": 1795757400, "o": 12305, "2": 3, "3": 1, "c": 2, "5": 9},  # 27 Nov 2026 11:00 IST
        {"t": "27-11-2026 11:01:00", "o": 1, "2": 3, "3": 1, "c": 2, "5": 9},
    ]
    day = date(2026, 11, 27)
    api = api_of(found, BrokerApi, rows=rows)
    bars = await api.history(("NSE", "SBIN"), Interval.M1, day, day)
    assert bars.time.tolist() == [1795757400, 1795757460]
    assert bars.open.tolist() == [123.05, 0.01]


# -- ids and tags ---------------------------------------------------------------------------
async def test_a_modification_has_our_tag_and_keeps_the_id() -> None:
    sent: list[bytes] = []

    def serve(request: httpx.Request) -> httpx.Response:
        sent.append(request.content)
        return good([ORDER] if request.method == "GET" else None)

    modify = Op(
        method="PUT", path="/x", encoding="json", write=True, body={"t": "$tag?", "q": "$quantity"}
    )
    rest = client(serve, spec_of(ops={**BROKER.spec.ops, "modify": modify}))
    api = BrokerApi(rest.spec, rest, BrokerIndex([SBIN]), CLOCK)
    request = ModifyRequest("1", quantity=5, price=800.0, price_type=PriceType.LIMIT)
    assert (await api.modify(request)).order_id == "1"  # the reply has none
    assert sent[-1] == b'{"t":"Otag1","q":5}'


# -- extras of a quote ----------------------------------------------------------------------
async def test_extras_of_a_quote_are_optional() -> None:
    more = {"week_52_high": "h:paise", "prev_oi": "poi:lots", "oi_change": "coi", "turnover": "v"}
    rows = {**BROKER.spec.rows, "quote": {**BROKER.spec.rows["quote"], **more}}
    raw = {"last_price": 800.5, "h": 91205, "poi": "7", "coi": 0, "v": "-"}
    keys = [SBIN.key]
    told = (await api_of({"NSE:SBIN": raw}, BrokerApi, rows=rows).quotes(keys))[SBIN.key]
    assert told.extras == TickExtras(week_52_high=912.05, prev_oi=7, oi_change=0)
    bare = {"last_price": 800.5}
    assert (await api_of({"NSE:SBIN": bare}, BrokerApi, rows=rows).quotes(keys))[
        SBIN.key
    ].extras is None
    odd = await api_of({"NSE:SBIN": {**raw, "coi": "x"}}, BrokerApi, rows=rows).quotes(keys)
    assert isinstance(odd[SBIN.key], DataError)
    assert (await api_of({"NSE:SBIN": raw}, BrokerApi).quotes(keys))[SBIN.key].extras is None
