"""Sizes that a broker's documentation leaves open: nothing that opens leaves before the account's
master has told them, what closes always does."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from openalgo_desktop.brokers.kit.account.account import KitAccount
from openalgo_desktop.brokers.kit.account.session import Session
from openalgo_desktop.brokers.kit.account.sizing import SizeKeeper
from openalgo_desktop.brokers.kit.broker import Broker
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.master.sizes import Proof, Sizes, prove
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.brokers.kit.spec import check
from openalgo_desktop.brokers.registry import Registry
from openalgo_desktop.core.clock import IST, ManualClock, SystemClock
from openalgo_desktop.core.conversion import ConvertRequest
from openalgo_desktop.core.enums import Action, Exchange, PriceType, Product
from openalgo_desktop.core.errors import InvalidOrder
from openalgo_desktop.core.leaving import leaving
from openalgo_desktop.core.model import Instrument, ModifyRequest, OrderRequest
from openalgo_desktop.shell.broker_check import Doctor
from tests.emulators.kite import API_KEY, API_SECRET, KiteEmulator
from tests.memory import MemorySecrets

KITE = Registry([]).get("zerodha")
REPLACE = msgspec.structs.replace
#: Zerodha as if its documentation did not say what it counts.
DOUBTING = REPLACE(
    KITE,
    spec=REPLACE(KITE.spec, in_contracts=frozenset(), doubted=frozenset({Exchange.MCX})),
)
EXPIRY = date(2026, 12, 18)


def future(root: str, lot: int, exchange: str = "MCX") -> Instrument:
    symbol = f"{root}18DEC26FUT"
    return Instrument(
        symbol, exchange, root, "FUT", lot, 1.0, EXPIRY, token="7::::7", brsymbol=f"{root}26DECFUT"
    )


CRUDE = future("CRUDEOIL", 100)
BUY = OrderRequest(CRUDE.symbol, "MCX", Action.BUY, 100, PriceType.LIMIT, Product.NRML, 6000.0)


# -- what a master says ---------------------------------------------------------------------
def said(*rows: Instrument, exchange: str = "MCX") -> Proof | str:
    return prove(rows, {Exchange(exchange)})[exchange]


def test_lots_of_contracts_say_units_and_lots_of_one_say_contracts() -> None:
    gold = future("GOLD", 1)  # a contract of one unit shows nothing
    units = said(CRUDE, future("NATURALGAS", 1250), gold)
    assert units == Proof(False, "NATURALGAS18DEC26FUT", 1250, 1250)
    contracts = said(future("CRUDEOIL", 1), future("NATURALGAS", 1), gold)
    assert contracts == Proof(True, "NATURALGAS18DEC26FUT", 1, 1250)
    assert said(future("USDINR", 1000, "CDS"), exchange="CDS") == Proof(
        False, "USDINR18DEC26FUT", 1000, 1000
    )
    assert said(future("USDINR", 1, "CDS"), exchange="CDS") == Proof(
        True, "USDINR18DEC26FUT", 1, 1000
    )


def test_a_master_that_contradicts_itself_or_the_exchange_says_nothing() -> None:
    assert said(CRUDE, future("NATURALGAS", 1)) == "some lots are contract sizes, others 1"
    assert said(future("CRUDEOIL", 10)) == "CRUDEOIL18DEC26FUT has lot 10, its contract 100"
    assert "no future" in str(said(future("GOLD", 1), future("PLATINUM", 7)))
    option = REPLACE(CRUDE, instrument_type="CE")
    assert "no future" in str(said(option))


# -- what leaves ----------------------------------------------------------------------------
def api_of(sent: list[httpx.Request]) -> Any:
    def serve(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={"status": "success", "data": {"order_id": "1"}})

    session = Session({"api_key": "k", "access_token": "t"})
    session.open = True
    clock = ManualClock(datetime(2026, 12, 1, 10, 0, tzinfo=IST))
    rest = RestClient(DOUBTING.spec, session, clock, transport=httpx.MockTransport(serve))
    return DOUBTING.api(DOUBTING.spec, rest, BrokerIndex([CRUDE]), clock)


async def test_nothing_that_opens_or_changes_leaves_in_doubt_and_what_closes_does() -> None:
    sent: list[httpx.Request] = []
    api = api_of(sent)
    change = ModifyRequest(
        "1", 200, 6000.0, 0.0, PriceType.LIMIT, 0, CRUDE.symbol, "MCX", Action.BUY, Product.NRML
    )
    convert = ConvertRequest(CRUDE.symbol, "MCX", Action.BUY, 100, Product.NRML, Product.MIS)
    for call in (
        lambda: api.place(BUY, "t"),
        lambda: api.modify(change),
        lambda: api.convert(convert, "t"),
        lambda: api.margin([BUY]),
    ):
        with pytest.raises(InvalidOrder, match="openalgo-desktop doctor zerodha") as refused:
            await call()
        assert "MCX" in refused.value.message and refused.value.field == "quantity"
    assert not sent
    with leaving(True):  # the book's own count goes back as it came
        await api.place(REPLACE(BUY, action=Action.SELL, quantity=3), "t")
    assert b"quantity=3" in sent.pop().content
    await api.cancel("1")
    assert sent.pop().method == "DELETE"


async def test_what_was_confirmed_is_counted_both_ways() -> None:
    for contracts, wire in ((False, b"quantity=100"), (True, b"quantity=1&")):
        sent: list[httpx.Request] = []
        api = api_of(sent)
        api.sizes.proofs["MCX"] = Proof(contracts, CRUDE.symbol, 100, 100)
        await api.place(BUY, "t")
        assert wire in sent.pop().content
        row = {
            "order_id": "1", "tradingsymbol": CRUDE.brsymbol, "exchange": "MCX", "price": 1,
            "transaction_type": "BUY", "quantity": 2, "order_type": "LIMIT", "product": "NRML",
            "status": "OPEN", "filled_quantity": 0, "average_price": 0,
        }  # fmt: skip
        assert api.read_orders([row])[0].quantity == (200 if contracts else 2)


def test_a_spec_says_one_thing_of_an_exchange() -> None:
    both = REPLACE(KITE.spec, doubted=frozenset({Exchange.MCX, Exchange.NCDEX}))
    problems = check(both, KITE.api)
    assert "doubted: MCX is said to be in contracts" in problems
    assert "doubted: NCDEX is not mapped" in problems


# -- what is kept ---------------------------------------------------------------------------
def sizes() -> Sizes:
    return Sizes("zerodha", (), {Exchange.MCX})


async def test_it_outlives_a_restart_until_a_master_contradicts(tmp_path: Path) -> None:
    path, index = tmp_path / "deep" / "sizes.json", BrokerIndex()
    first = sizes()
    keeper = SizeKeeper(first, path)
    rows = [CRUDE]
    assert await keeper.taken(rows, index) is rows
    proof = keeper.verdicts["MCX"]
    assert isinstance(proof, Proof) and first.proofs == {}
    beside = sizes()  # the program that runs while doctor confirms
    await SizeKeeper(beside, path).taken(rows, index)
    with pytest.raises(InvalidOrder):
        beside.require_known("MCX")
    await keeper.confirm("MCX", proof)
    beside.require_known("MCX")
    again = sizes()
    await SizeKeeper(again, path).taken(rows, index)
    again.require_known("MCX")
    other = sizes()
    await SizeKeeper(other, path).taken([future("CRUDEOIL", 1)], index)
    with pytest.raises(InvalidOrder):
        other.require_known("MCX")
    path.write_text("{broken")
    broken = sizes()
    await SizeKeeper(broken, path).taken(rows, index)
    with pytest.raises(InvalidOrder):
        broken.require_known("MCX")


async def test_lots_of_a_broker_that_counts_contracts_become_units(tmp_path: Path) -> None:
    path, index = tmp_path / "sizes.json", BrokerIndex()
    rows = [future("CRUDEOIL", 1), Instrument("SBIN", "NSE", token="1")]
    keeper = SizeKeeper(sizes(), path)
    assert (await keeper.taken(rows, index))[0].lot_size == 1
    proof = keeper.verdicts["MCX"]
    assert isinstance(proof, Proof)
    await keeper.confirm("MCX", proof)
    shown = await keeper.taken(rows, index)
    assert [row.lot_size for row in shown] == [100, 1] and shown[0].contract_value == 1.0
    assert index.require(CRUDE.symbol, "MCX").lot_size == 100


# -- doctor ---------------------------------------------------------------------------------
@pytest.fixture
async def kite() -> AsyncIterator[KiteEmulator]:
    clock = SystemClock()
    clock.jump(clock.now().replace(hour=10, minute=0))
    emulator = KiteEmulator(clock)
    await emulator.start()
    yield emulator
    await emulator.stop()


async def report(kite: KiteEmulator, folder: Path, size: int) -> tuple[KitAccount, str]:
    """``doctor`` of an account whose master says lot ``size`` of everything on MCX."""
    read = KITE.spec.master.reader

    def odd(row: Any, file: Any) -> Instrument | None:
        found = read(row, file)
        if found is not None and found.exchange == "MCX" and size == 1:
            value = found.contract_value * found.lot_size
            return REPLACE(found, lot_size=1, contract_value=value)
        return found

    master = REPLACE(DOUBTING.spec.master, reader=odd)
    broker: Broker = REPLACE(DOUBTING, spec=REPLACE(DOUBTING.spec, master=master))
    account = KitAccount(broker, kite.clock, MemorySecrets(), folder, hosts=kite.hosts())
    token = kite.new_request_token()
    await account.login({"api_key": API_KEY, "api_secret": API_SECRET, "request_token": token})
    out = io.StringIO()
    await Doctor(account, out).run()
    return account, out.getvalue()


async def test_doctor_confirms_what_master_and_margin_agree_on(
    kite: KiteEmulator, tmp_path: Path
) -> None:
    account, text = await report(kite, tmp_path, size=1)
    assert "counts contracts: lot 1 of" in text and "% of its value" in text
    account.api.sizes.require_known("MCX")
    await account.disconnect()


async def test_doctor_refuses_a_count_whose_margin_is_another_contracts(
    kite: KiteEmulator, tmp_path: Path
) -> None:
    """The master's lots are contract sizes, so it would count units; this server counts
    contracts, and asks a hundred times the margin."""
    account, text = await report(kite, tmp_path, size=100)
    assert "FAILED sizes MCX" in text and "Orders stay refused: counts units" in text
    with pytest.raises(InvalidOrder):
        account.api.sizes.require_known("MCX")
    await account.disconnect()
