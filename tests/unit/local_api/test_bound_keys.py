"""Keys that are bound to a strategy and a mode, against the whole engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from openalgo_desktop.core.enums import Action, KeyRights, Mode, PriceType, Product
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.runtime.options import TerminalOptions
from openalgo_desktop.runtime.terminal import Terminal
from tests.waiting import until

OTHER = {Mode.SANDBOX: Mode.LIVE, Mode.LIVE: Mode.SANDBOX}
MARKET = {"exchange": "NSE", "symbol": "SBIN", "action": "BUY", "product": "MIS"}
READS = ("analyzer", "analyzer/toggle", "funds", "orderbook", "pnl/symbols")
RESTS = MARKET | {"pricetype": "LIMIT", "price": 700}


class World:
    def __init__(self, terminal: Terminal, http: httpx.AsyncClient) -> None:
        self.terminal = terminal
        self.http = http

    async def key(self, mode: Mode | None = None, strategy: str = "one", **more: Any) -> str:
        name = f"{strategy}-{len(await self.terminal.keys.all())}"
        rights = more.pop("rights", KeyRights.TRADE)
        made, text = await self.terminal.keys.create(
            name, rights, strategy=strategy, mode=mode, **more
        )
        self.last = made
        return text.reveal()

    async def post(self, key: str, path: str, **body: Any) -> tuple[int, Any]:
        named = {} if path in READS else {"strategy": "other"}
        answer = await self.http.post(path, json={"apikey": key} | named | body)
        return answer.status_code, answer.json()

    async def order(self, key: str, quantity: int, **fields: Any) -> str:
        status, answer = await self.post(key, "placeorder", **MARKET | fields, quantity=quantity)
        assert status == 200, answer
        return str(answer["orderid"])

    async def rests(self, key: str, quantity: int) -> str:
        return await self.order(key, quantity, pricetype="LIMIT", price=700)

    def book(self, mode: Mode) -> Any:
        return self.terminal.desk.books.book(mode)

    def status(self, mode: Mode, order_id: str) -> str:
        return str(self.book(mode).orders[order_id].status.value)

    def units(self, mode: Mode) -> int:
        row = self.book(mode).positions.get(("NSE", "SBIN", Product.MIS))
        return 0 if row is None else int(row.quantity)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    overrides = {
        "api.rest_port": 0,
        "api.ws_port": 0,
        "simulator.always_open": True,
        "limits.smart": "1000 per second",
    }
    terminal = Terminal(TerminalOptions(data_dir=tmp_path, overrides=overrides, sim_frozen=True))
    await terminal.start()
    assert terminal.api is not None
    base = f"{terminal.api.rest_url}/api/v1/"
    async with httpx.AsyncClient(base_url=base, timeout=60) as http:
        yield World(terminal, http)
    await terminal.stop()


async def test_orders_and_reads_are_of_the_mode_of_the_key_wherever_the_switch_stands(
    world: World,
) -> None:
    terminal = world.terminal
    await until(lambda: terminal.strategy_book.ready)
    for number, mode in enumerate(Mode, 1):
        key = await world.key(mode)
        await terminal.desk.set_mode(OTHER[mode], "test")
        told = {"mode": "analyze"} if mode is Mode.SANDBOX else {"mode": "live"}
        status, answer = await world.post(key, "placeorder", **MARKET, quantity=number)
        assert (status, answer.get("mode", "live")) == (200, told["mode"])
        await until(lambda mode=mode, number=number: world.units(mode) == number)
        status, answer = await world.post(
            key,
            "basketorder",
            orders=[MARKET | {"quantity": 10 * number}, MARKET | {"quantity": 20 * number}],
        )
        assert [row["status"] for row in answer["results"]] == ["success"] * 2
        await until(lambda mode=mode, number=number: world.units(mode) == 31 * number)
        _, analyzer = await world.post(key, "analyzer")
        assert analyzer["data"]["analyze_mode"] is (mode is Mode.SANDBOX)
        _, held = await world.post(
            key, "openposition", symbol="SBIN", exchange="NSE", product="MIS"
        )
        assert int(held["quantity"]) == 31 * number
        _, funds = await world.post(key, "funds")
        real = await terminal.desk.bound(mode).read.funds()
        assert float(funds["data"]["availablecash"]) == pytest.approx(real.available_cash, abs=0.01)
        _, orders = await world.post(key, "orderbook")
        assert len(orders["data"]["orders"]) == 3
        rows = world.book(mode).orders.values()
        assert {(row.strategy, row.source) for row in rows} == {("one", f"api:{world.last.name}")}
        status, answer = await world.post(key, "pnl/symbols")
        assert status == (200 if mode is Mode.SANDBOX else 400)
        status, answer = await world.post(key, "placeorder", **MARKET, quantity=-1)
        assert (status, answer.get("mode", "live")) == (400, "live")  # a validation error has none
        status, answer = await world.post(
            key, "placeorder", **MARKET | {"symbol": "NO"}, quantity=1
        )
        assert (status, answer.get("mode", "live")) == (400, told["mode"])
    assert [world.units(mode) for mode in Mode] == [31, 62]


async def test_a_strategy_cancels_changes_and_closes_its_own_only(world: World) -> None:
    mode = Mode.LIVE
    mine, other = await world.key(mode), await world.key(mode, "two")
    free = await world.key(mode, "")
    mine_rests, its_rests = await world.rests(mine, 5), await world.rests(other, 6)
    await world.order(mine, 3)
    await world.order(other, 4)
    status, answer = await world.post(mine, "cancelorder", orderid=its_rests)
    assert (status, answer["message"]) == (403, f"Order {its_rests} is not of strategy 'one'.")
    change = RESTS | {"quantity": 7, "trigger_price": 0, "disclosed_quantity": 0}
    assert (await world.post(mine, "modifyorder", orderid=its_rests, **change))[0] == 403
    for _ in range(2):  # it stays the strategy's own
        assert (await world.post(mine, "modifyorder", orderid=mine_rests, **change))[0] == 200
    _, answer = await world.post(mine, "cancelallorder")
    assert answer["canceled_orders"] == [mine_rests]
    await until(lambda: world.units(mode) == 7)
    stop = await world.order(mine, 3, action="SELL", pricetype="SL", price=600, trigger_price=610)
    status, answer = await world.post(mine, "closeposition")
    assert (status, len(answer["orderids"])) == (200, 1)
    await until(lambda: world.units(mode) == 4)
    await until(lambda: world.status(mode, stop) == "cancelled")
    assert world.status(mode, its_rests) == "open"
    assert (await world.post(mine, "closeposition"))[1]["orderids"] == []
    assert world.units(mode) == 4
    await world.post(free, "closeposition")  # of a mode alone: the account of that mode
    await until(lambda: world.units(mode) == 0)


async def test_orders_above_the_quota_are_refused_and_exits_and_cancels_pass(world: World) -> None:
    key = await world.key(Mode.SANDBOX, per_minute=3)
    rests = await world.rests(key, 1)
    await world.order(key, 2)
    await until(lambda: world.units(Mode.SANDBOX) == 2)
    await world.order(key, 3)
    status, answer = await world.post(key, "placeorder", **MARKET, quantity=4)
    assert status == 429
    assert answer["message"].startswith("Strategy 'one' may place and change 3 orders per minute")
    assert 0 < answer["retry_after"] <= 60
    change = RESTS | {"quantity": 7, "trigger_price": 0, "disclosed_quantity": 0}
    assert (await world.post(key, "modifyorder", orderid=rests, **change))[0] == 429
    _, answer = await world.post(key, "splitorder", **MARKET, quantity=4, splitsize=2)
    assert [row["status"] for row in answer["results"]] == ["error"] * 2
    await until(lambda: world.units(Mode.SANDBOX) == 5)
    await world.order(key, 1, action="SELL")
    assert (await world.post(key, "cancelorder", orderid=rests))[0] == 200
    assert (await world.post(key, "closeposition"))[0] == 200
    await until(lambda: world.units(Mode.SANDBOX) == 0)
    again = await world.key(Mode.SANDBOX, per_minute=3)  # such as that of its next run
    assert (await world.post(again, "placeorder", **MARKET, quantity=9))[0] == 429
    other = await world.key(Mode.SANDBOX, strategy="two", per_minute=1)
    await world.order(other, 9)
    await world.order(await world.key(Mode.LIVE, per_minute=1), 9)


async def by_hand(world: World, mode: Mode, quantity: int, **fields: Any) -> None:
    side = Action.BUY if quantity > 0 else Action.SELL
    order = OrderRequest("SBIN", "NSE", side, abs(quantity), **fields)
    await world.terminal.desk.bound(mode).place(order, "window")


async def smart(world: World, key: str, target: int) -> tuple[int, str]:
    status, answer = await world.post(
        key, "placesmartorder", **MARKET, quantity=0, position_size=target
    )
    return status, answer.get("message", "sent")


@pytest.mark.parametrize("mode", list(Mode))
async def test_a_smart_order_of_a_strategy_moves_what_is_its_own(world: World, mode: Mode) -> None:
    await until(lambda: world.terminal.strategy_book.ready)
    one, two = await world.key(mode, per_minute=2), await world.key(mode, strategy="two")
    await by_hand(world, mode, 100)
    await until(lambda: world.units(mode) == 100)

    async def reaches(key: str, target: int, account: int) -> None:
        assert await smart(world, key, target) == (200, "sent")
        await until(lambda: world.units(mode) == account)
        again = "Positions Already Matched" if target else "No OpenPosition Found"
        assert (await smart(world, key, target))[1].startswith(again)
        _, held = await world.post(
            key, "openposition", symbol="SBIN", exchange="NSE", product="MIS"
        )
        assert int(held["quantity"]) == target
        assert world.units(mode) == account

    assert (await smart(world, one, 0))[1].startswith("No OpenPosition Found")
    await reaches(one, 5, 105)
    await by_hand(world, mode, -60, price_type=PriceType.LIMIT, price=900.0)
    await reaches(two, 7, 112)
    await reaches(one, 2, 109)  # what only takes its own down is not counted in its quota
    status, message = await smart(world, one, -3)  # it would net with what others hold
    assert status == 400 and "Others hold +107 SBIN (MIS) in the account" in message
    await reaches(two, 0, 102)
    await reaches(one, 4, 104)
    assert (await smart(world, one, 6))[0] == 429  # its third that opens something
    # The exit that rests is of the hand, and of 60 it stays as it is.
    (resting,) = [row for row in world.book(mode).orders.values() if not row.status.is_final]
    assert (resting.quantity, resting.strategy) == (60, "")


async def test_one_too_many_takes_back_no_stop(world: World) -> None:
    """The stop of a position goes before that is turned; a turn that is refused leaves it."""
    await until(lambda: world.terminal.strategy_book.ready)
    key = await world.key(Mode.SANDBOX, per_minute=2)
    await smart(world, key, 5)
    await until(lambda: world.units(Mode.SANDBOX) == 5)
    stop = await world.order(key, 5, action="SELL", pricetype="SL-M", trigger_price=700, price=0)
    assert (await smart(world, key, 6))[0] == 200
    await until(lambda: world.units(Mode.SANDBOX) == 6)
    assert (await smart(world, key, -5))[0] == 429
    status, answer = await world.post(
        key, "placesmartorder", **MARKET | {"symbol": "INFY"}, quantity=3, position_size=0
    )
    assert status == 429, answer  # without a position it is an entry
    assert world.status(Mode.SANDBOX, stop) == "trigger pending"
    assert world.units(Mode.SANDBOX) == 6


async def test_a_smart_order_waits_until_it_is_known_what_the_strategy_holds(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await world.key(Mode.SANDBOX)
    await until(lambda: world.terminal.strategy_book.ready)
    monkeypatch.setattr(world.terminal.strategy_book, "_books", {})  # as just after a start
    status, message = await smart(world, key, 5)
    assert status == 400 and "What one holds is being read" in message
    status, answer = await world.post(
        key, "openposition", symbol="SBIN", exchange="NSE", product="MIS"
    )
    assert status == 400 and "being read" in answer["message"]
    assert world.book(Mode.SANDBOX).orders == {}


@pytest.mark.parametrize("mode", list(Mode))
async def test_what_a_hand_set_off_is_not_opened_anew_by_the_exit_of_a_strategy(
    world: World, mode: Mode
) -> None:
    await until(lambda: world.terminal.strategy_book.ready)
    key = await world.key(mode)
    await smart(world, key, 10)
    await until(lambda: world.units(mode) == 10)
    await by_hand(world, mode, -6)
    await until(lambda: world.units(mode) == 4)
    assert (await smart(world, key, 0))[0] == 200  # as much as the account has
    await until(lambda: world.units(mode) == 0)
    for target in (0, -5):
        status, message = await smart(world, key, target)
        assert status == 400 and "one holds +6 SBIN by its book, and the account has +0" in message
    await by_hand(world, mode, -6)
    await until(lambda: world.units(mode) == -6)
    status, message = await smart(world, key, 0)
    assert status == 400 and "the account has -6" in message
    assert world.units(mode) == -6


async def test_a_request_that_was_too_much_may_come_again_under_its_id(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert world.terminal.api is not None
    quotas = world.terminal.api.dispatcher.services.quotas
    now = [1000.0]
    monkeypatch.setattr(quotas, "_now", lambda: now[0])
    key = await world.key(Mode.SANDBOX, per_minute=1)
    await world.rests(key, 1)
    body = RESTS | {"quantity": 2, "request_id": "r1"}
    assert (await world.post(key, "placeorder", **body))[0] == 429
    now[0] += 61
    status, first = await world.post(key, "placeorder", **body)
    assert status == 200
    assert await world.post(key, "placeorder", **body) == (200, first)
    assert len(world.book(Mode.SANDBOX).orders) == 2


async def test_a_bound_key_moves_no_switch_and_a_revoked_one_is_dead(world: World) -> None:
    key = await world.key(Mode.SANDBOX)
    status, answer = await world.post(key, "analyzer/toggle", mode=False)
    assert status == 403 and "is bound to strategy 'one'" in answer["message"]
    assert world.terminal.desk.mode is Mode.SANDBOX
    await world.terminal.keys.revoke(world.last.key_id)
    for path, body in (("placeorder", MARKET | {"quantity": 1}), ("funds", {})):
        assert (await world.post(key, path, **body))[0] == 403
    assert not world.book(Mode.SANDBOX).orders


async def test_a_queued_request_of_a_bound_key_runs_in_its_mode(world: World) -> None:
    terminal = world.terminal
    terminal.settings.set("approvals.sources", "api:*")
    key = await world.key(Mode.LIVE)
    bound = world.last
    for quantity in (1, 2):
        _, answer = await world.post(key, "placeorder", **MARKET, quantity=quantity)
        assert answer["mode"] == "semi_auto"
    first, second = (row.approval_id for row in terminal.approvals.pending())
    assert terminal.desk.mode is Mode.SANDBOX
    answer = await terminal.approvals.approve(first, "window", accept_drift=True)
    assert answer["status"] == "success" and "mode" not in answer
    await until(lambda: world.units(Mode.LIVE) == 1)
    assert world.units(Mode.SANDBOX) == 0
    (order,) = world.book(Mode.LIVE).orders.values()
    assert order.strategy == "one"
    await terminal.keys.revoke(bound.key_id)
    with pytest.raises(AppError, match="was revoked since; nothing was sent"):
        await terminal.approvals.approve(second, "window", accept_drift=True)
    assert world.units(Mode.LIVE) == 1


async def test_the_account_of_a_key_is_the_one_that_takes_its_orders(world: World) -> None:
    desk = world.terminal.desk
    live, paper = (desk.bound(mode).read.account_id for mode in (Mode.LIVE, Mode.SANDBOX))
    assert live != paper
    for number, (mode, account, status) in enumerate(
        [
            (Mode.LIVE, live, 200),
            (Mode.LIVE, paper, 403),
            (Mode.LIVE, "zerodha:X", 403),
            (Mode.SANDBOX, paper, 200),
            (Mode.SANDBOX, live, 200),  # the account whose prices the paper account trades at
            (Mode.SANDBOX, "zerodha:X", 403),
        ],
        1,
    ):
        key = await world.key(mode, account_id=account)
        assert (await world.post(key, "placeorder", **MARKET, quantity=number))[0] == status


async def test_a_split_order_ends_where_another_account_takes_the_orders(world: World) -> None:
    desk = world.terminal.desk
    gateway: Any = desk.bound(Mode.LIVE).gateway
    key = await world.key(Mode.LIVE, account_id=gateway.account_id)
    place = gateway.place

    async def then_another(request: OrderRequest, tag: str) -> Any:
        ack = await place(request, tag)
        other: Any = SimpleNamespace(
            account_id="kite:OTHER", broker="kite", set_listener=lambda listener: None
        )
        desk.set_gateway(Mode.LIVE, other)
        return ack

    gateway.place = then_another
    _, answer = await world.post(key, "splitorder", **MARKET, quantity=4, splitsize=2)
    gateway.place = place
    desk.set_gateway(Mode.LIVE, gateway)
    first, second = answer["results"]
    assert first["status"] == "success"
    assert second["message"] == "Orders go to the account kite:OTHER by now; it was not sent."


async def test_the_own_part_ends_where_the_account_ends(world: World) -> None:
    """A human closed a part in the same symbol: no more than is left is the strategy's."""
    key = await world.key(Mode.SANDBOX)
    await world.order(key, 10)
    await until(lambda: world.units(Mode.SANDBOX) == 10)
    sell = OrderRequest("SBIN", "NSE", Action.SELL, 7, product=Product.MIS)
    await world.terminal.desk.bound(Mode.SANDBOX).place(sell, "window")
    await until(lambda: world.units(Mode.SANDBOX) == 3)
    _, answer = await world.post(key, "closeposition")
    await until(lambda: world.units(Mode.SANDBOX) == 0)
    closing = world.book(Mode.SANDBOX).orders[answer["orderids"][0]]
    assert (closing.quantity, closing.strategy) == (3, "one")
