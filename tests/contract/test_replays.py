"""Brokers made of their recordings: what only recordings show, and that nothing is left out of
the contract without a word. The contract's own cases run for them beside the emulators."""

from __future__ import annotations

import ast
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from openalgo_desktop.core.enums import Interval, OrderStatus, PriceType
from openalgo_desktop.core.errors import AppError, InvalidOrder, NotSupported
from openalgo_desktop.core.model import ModifyRequest
from tests.contract.replayed import (
    LEFT,
    REPLAY,
    SHOWN,
    ReplayRig,
    equities,
    new_server,
    open_replay,
    recordings,
    server,
)
from tests.contract.test_orders import find, tag
from tests.emulators.learned import Lens
from tests.emulators.replay import Given, Replay
from tests.wire.uniform import order_request
from tests.wire.vectors import VectorFile

BROKERS = sorted(recordings())


def contract_cases() -> set[str]:
    """The cases of the contract that want an account."""
    found = set()
    for path in Path(__file__).parent.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                wants = {argument.arg for argument in node.args.args}
                if node.name.startswith("test_") and wants & {"fresh", "rig", "trader"}:
                    found.add(node.name)
    return found


def left_to_emulators() -> set[str]:
    """The cases of the contract that a replay does not show."""
    return {name for names in LEFT.values() for name in names}


def test_every_case_is_shown_or_left_to_emulators_by_name() -> None:
    others = {  # of the simulated market and of emulators' feeds, not of a broker's calls
        name for name in contract_cases() if name.startswith(("test_f", "test_e", "test_p"))
    }
    assert set(SHOWN) | left_to_emulators() >= contract_cases() - others
    assert set(SHOWN) | left_to_emulators() <= contract_cases()
    assert not set(SHOWN) & left_to_emulators()


def test_a_broker_without_an_emulator_has_its_replay() -> None:
    """A login is shown whatever the recordings hold; orders, where a share was placed and a book
    was read."""
    assert BROKERS
    for broker in BROKERS:
        replay = server(broker)
        shown = {case for case, can in SHOWN.items() if can(replay)}
        assert "test_l02_missing_field_is_named" in shown
        if equities(replay, "place_order") and replay.good("order_book", "funds"):
            assert {"test_l01_login", "test_o03_cancel_and_cancel_twice"} <= shown, broker


@pytest.fixture(params=BROKERS)
async def replay(request: Any, tmp_path: Path) -> Any:
    """A logged-in account at a broker made of its recordings."""
    async with open_replay(f"{request.param}{REPLAY}", tmp_path) as rig:
        await rig.login()
        yield rig
        assert rig.server.unknown == [], "requests that nobody recorded"


async def test_each_recorded_order_is_in_the_book_as_it_was_meant(replay: ReplayRig) -> None:
    """With every price type, product and exchange that was recorded."""
    done = 0
    for case in replay.server.good("place_order"):
        request = order_request(case["input"])
        try:
            ack = await replay.gateway.place(request, tag())
        except (InvalidOrder, NotSupported):
            continue  # ours refuses what the recorder sent
        if request.exchange not in replay.account.spec.in_contracts:
            assert replay.server.arrived[-1]["quantity"] == request.quantity
        order = await find(replay, ack.order_id)
        assert (order.symbol, order.exchange) == (request.symbol, request.exchange)
        assert (order.action, order.product) == (request.action, request.product)
        assert order.quantity == request.quantity
        stop = request.price_type.has_trigger
        assert order.status is (OrderStatus.TRIGGER_PENDING if stop else OrderStatus.OPEN)
        if request.price_type in (PriceType.LIMIT, PriceType.SL):
            assert order.price == pytest.approx(request.price)
        done += 1
    assert done >= 2
    assert len({order.order_id for order in await replay.gateway.orders()}) == done


async def test_recorded_history_and_quotes(replay: ReplayRig) -> None:
    market = replay.account.market
    for case in replay.server.good("history"):
        given = case["input"]
        days = [date.fromisoformat(given[name]) for name in ("start_date", "end_date")]
        key = (given["exchange"], given["symbol"])
        bars = await market.history(key, Interval(given["interval"]), *days)
        times = bars.time.tolist()
        assert times == sorted(set(times)) and len(times) == len(case["expect"]["rows"])
    for case in replay.server.good("quotes"):
        key = (case["input"]["exchange"], case["input"]["symbol"])
        tick = (await market.quotes([key]))[key]
        assert not isinstance(tick, AppError) and tick.ltp == pytest.approx(case["expect"]["ltp"])


# -- the server -----------------------------------------------------------------------------
def kite() -> Replay:
    return new_server("zerodha")


def order(quantity: int = 7, price: str = "99.5") -> Given:
    body = (
        "exchange=NSE&tradingsymbol=INFY&transaction_type=SELL&order_type=LIMIT&product=CNC"
        f"&quantity={quantity}&price={price}&validity=DAY&disclosed_quantity=0&trigger_price=0"
    )
    return Given("POST", "https://api.kite.trade/orders/regular", {}, body.encode())


def book(replay: Replay) -> list[dict[str, Any]]:
    status, body = replay.answer(Given("GET", "https://api.kite.trade/orders", {}, b""))
    assert status == 200
    return list(body["data"])


def change(order_id: str, method: str = "PUT", body: str = "quantity=9&price=98") -> Given:
    return Given(method, f"https://api.kite.trade/orders/regular/{order_id}", {}, body.encode())


def test_ids_and_books_follow_what_was_placed() -> None:
    replay = kite()
    assert book(replay) == []
    ids = [replay.answer(order(quantity))[1]["data"]["order_id"] for quantity in (7, 8)]
    assert len(set(ids)) == 2
    rows = book(replay)
    assert [(row["order_id"], row["quantity"], row["price"]) for row in rows] == [
        (ids[0], 7, 99.5),
        (ids[1], 8, 99.5),
    ]
    assert {row["tradingsymbol"] for row in rows} == {"INFY"}
    assert {(row["status"], row["transaction_type"]) for row in rows} == {("OPEN", "SELL")}
    assert replay.answer(change(ids[0]))[1]["data"]["order_id"] == ids[0]
    assert replay.answer(change(ids[1], "DELETE", ""))[0] == 200
    assert [(row["status"], row["quantity"]) for row in book(replay)] == [
        ("OPEN", 9),
        ("CANCELLED", 8),
    ]


def test_it_refuses_only_what_a_broker_itself_refuses() -> None:
    replay = kite()
    assert replay.answer(order(quantity=0, price="-3"))[0] == 200
    assert replay.answer(order(price="0.0001"))[0] == 200
    assert replay.answer(change("1"))[0] >= 400
    first = book(replay)[0]["order_id"]
    assert replay.answer(change(first, "DELETE", ""))[0] == 200
    assert replay.answer(change(first, "DELETE", ""))[0] >= 400
    assert replay.answer(change(first))[0] >= 400
    dear = replay.answer(order(quantity=10_000_000))
    assert dear[0] >= 400 or book(replay)[-1]["status"] == "REJECTED"


def test_what_nobody_recorded_is_told() -> None:
    replay = kite()
    assert replay.answer(Given("GET", "https://api.kite.trade/news", {}, b""))[0] == 404
    assert replay.unknown == ["GET https://api.kite.trade/news"]


def test_a_wrong_login_is_refused_and_answers_follow_the_request() -> None:
    def case(op: str, symbol: str, price: float | None) -> dict[str, Any]:
        return {
            "op": op,
            "input": {"symbol": symbol, "exchange": "NSE"},
            "http": [{"method": "GET", "url": "https://x/q", "query": {"s": symbol}}],
            "http_response": [
                {"status": 200, "body": {"p": price}}
                if price
                else {"status": 400, "body": {"bad": symbol}}
            ],
            "expect": {"ltp": price} if price else {"error": None},
        }

    def ask(replay: Replay, symbol: str) -> Any:
        return replay.answer(Given("GET", "https://x/q", {"s": symbol}, b""))[1]

    def made(*cases: dict[str, Any]) -> Replay:
        return Replay(VectorFile(Path("x"), {"broker": "x", "cases": list(cases)}))

    quotes = made(case("quotes", "A", 1.0), case("quotes", "B", 2.0), case("quotes", "C", None))
    assert [ask(quotes, s) for s in "ABC"] == [{"p": 1.0}, {"p": 2.0}, {"bad": "C"}]
    assert ask(quotes, "D") in ({"p": 1.0}, {"p": 2.0})  # a good one, of those it knows
    logins = made(case("login", "A", 1.0), case("login", "B", None))
    assert [ask(logins, s) for s in "ABC"] == [{"p": 1.0}, {"bad": "B"}, {"bad": "B"}]


def test_a_book_in_parts_stays_in_parts() -> None:
    """One request per segment, several lists in one: an order comes where its like was."""

    def wire(number: int, status: str) -> dict[str, Any]:
        return {"no": f"{number}", "qty": 10 * number, "status": status}

    def meaning(number: int, status: str) -> dict[str, Any]:
        return {"orderid": f"{number}", "quantity": 10 * number, "order_status": status}

    order = {"quantity": 5, "price": 2, "trigger_price": 0, "pricetype": "LIMIT"}
    place = {
        "op": "place_order",
        "input": order,
        "http": [{"method": "POST", "url": "https://x/o", "encoding": "json", "body": {"qty": 5}}],
        "http_response": [{"status": 200, "body": {"no": "70"}}],
        "expect": {"orderid": "70"},
    }
    asked = [{"method": "GET", "url": "https://x/o", "query": {"of": name}} for name in "ab"]
    book = {
        "op": "order_book",
        "input": {},
        "http": asked,
        "http_response": [
            {"status": 200, "body": {"done": [wire(1, "GONE")], "working": [wire(2, "NEW")]}},
            {"status": 200, "body": [wire(3, "DONE")]},
        ],
        "expect": {"rows": [meaning(1, "cancelled"), meaning(2, "open"), meaning(3, "complete")]},
    }
    replay = Replay(VectorFile(Path("x"), {"broker": "x", "cases": [place, book]}))
    replay.answer(Given("POST", "https://x/o", {}, b'{"qty":5}'))
    parts = [replay.answer(Given("GET", "https://x/o", {"of": name}, b""))[1] for name in "ab"]
    new = {"no": "71", "qty": 5, "status": "NEW"}
    assert parts == [{"done": [], "working": [new]}, []]
    replay.orders["71"]["order_status"] = "cancelled"
    gone = replay.answer(Given("GET", "https://x/o", {"of": "a"}, b""))[1]
    assert gone == {"done": [{**new, "status": "GONE"}], "working": []}


def test_a_lens_does_not_take_chance_for_meaning() -> None:
    """A field that is 10 in most rows is no quantity, an id is no status."""
    rows = [
        ({"exchange": 10, "qty": q, "id": str(n), "status": s, "side": a}, {
            "quantity": q, "order_status": meaning, "orderid": str(n), "action": b,
            "symbol": "", "exchange": "NSE",
        })
        for n, (q, s, meaning, a, b) in enumerate(
            [(10, "NEW", "open", "B", "BUY"), (10, "WAIT", "open", "S", "SELL"),
             (10, "GONE", "cancelled", "B", "BUY"), (25, "DONE", "complete", "S", "SELL")]
        )
    ]  # fmt: skip
    lens = Lens(rows, [])
    assert lens.numbers == {"quantity": [("qty",)]}
    assert set(lens.words) == {"order_status", "action"}
    assert lens.words["order_status"] == {
        ("status",): {"open": "NEW", "cancelled": "GONE", "complete": "DONE"}
    }
    assert lens.ids == [("id",)]
    wanted = {**rows[0][1], "orderid": "77", "quantity": 3, "order_status": "cancelled"}
    changed = lens.write(rows[0][0], rows[0][1], wanted)
    assert json.loads(json.dumps(changed)) == {
        "exchange": 10, "qty": 3, "id": "77", "status": "GONE", "side": "B",
    }  # fmt: skip


def test_a_name_that_says_product_is_no_price_type() -> None:
    """Two recorded orders may agree in both: market orders of the day, limits overnight."""
    pairs = [
        ({"orderType": kind, "productType": product}, {"pricetype": kind, "product": product})
        for kind, product in (("MARKET", "MIS"), ("LIMIT", "NRML"))
    ]
    lens = Lens(pairs, [])
    assert set(lens.words["pricetype"]) == {("orderType",)}
    assert set(lens.words["product"]) == {("productType",)}
    read = lens.read({"orderType": "LIMIT", "productType": "MIS"})
    assert read == {"pricetype": "LIMIT", "product": "MIS"}


async def test_a_change_of_an_unknown_order_is_no_unknown_state(replay: ReplayRig) -> None:
    with pytest.raises(AppError) as caught:
        await replay.gateway.modify(ModifyRequest(order_id="424242", quantity=1, price=1.0))
    assert not caught.value.retryable
