"""Several accounts in one terminal, their two roles, and the checks of the command line."""

from __future__ import annotations

import asyncio
import io
import socket
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from openalgo_desktop.brokers.kit.account.account import KitAccount
from openalgo_desktop.brokers.kit.broker import Broker
from openalgo_desktop.brokers.kit.spec import Field
from openalgo_desktop.config.settings import Settings
from openalgo_desktop.core.clock import SystemClock
from openalgo_desktop.core.enums import AccountState, Action, Mode, PriceType, Product
from openalgo_desktop.core.errors import AuthError, ConfigError, SessionExpired
from openalgo_desktop.core.events import AccountChanged, FeedChanged, InstrumentsLoaded, Notice
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.core.secret import Secret
from openalgo_desktop.runtime.hands.door import OwnerDoor
from openalgo_desktop.runtime.options import TerminalOptions
from openalgo_desktop.runtime.terminal import Terminal
from openalgo_desktop.shell.broker_check import Doctor
from openalgo_desktop.shell.login import TerminalLogin, open_account
from openalgo_desktop.storage.state import KeyValueStore
from openalgo_desktop.ui.engine.accounts import AccountDoor
from tests.begun import begin
from tests.emulators.kite import API_KEY, API_SECRET, KiteEmulator
from tests.waiting import until

BUY = OrderRequest("SBIN", "NSE", Action.BUY, 5, PriceType.MARKET, Product.MIS)


@pytest.fixture
async def kite() -> AsyncIterator[KiteEmulator]:
    clock = SystemClock()
    clock.jump(clock.now().replace(hour=10, minute=0))
    emulator = KiteEmulator(clock)
    await emulator.start()
    yield emulator
    await emulator.stop()


@pytest.fixture(autouse=True)
def vault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENALGO_VAULT", "file")


def settings_of(kite: KiteEmulator) -> dict[str, Any]:
    """Settings that send Zerodha to the emulator."""
    hosts = {f"brokers.zerodha.hosts.{name}": url for name, url in kite.hosts().items()}
    return {**hosts, "api.rest_port": 0, "api.ws_port": 0}


def given(kite: KiteEmulator) -> dict[str, str]:
    """A complete login."""
    token = kite.new_request_token()
    return {"api_key": API_KEY, "api_secret": API_SECRET, "request_token": token}


@pytest.fixture
async def terminal(kite: KiteEmulator, tmp_path: Path) -> AsyncIterator[Terminal]:
    """A terminal on the simulator that may reach Kite."""
    begin(tmp_path / "data")
    opened = Terminal(
        TerminalOptions(
            data_dir=tmp_path / "data", overrides=settings_of(kite), clock_start=kite.clock.now()
        )
    )
    await opened.start()
    yield opened
    await opened.stop()


async def test_data_and_orders_from_different_accounts(
    terminal: Terminal, kite: KiteEmulator
) -> None:
    accounts = terminal.accounts
    await accounts.open("zerodha")
    assert accounts.names() == ["simulator", "zerodha"]
    assert accounts["zerodha"].status.state is AccountState.LOGIN_NEEDED
    status = await accounts.login("zerodha", given(kite))
    assert status.state is AccountState.CONNECTED and status.client_id == "AB1234"
    await accounts.use_for_orders("zerodha")
    assert (accounts.data, accounts.orders) == ("simulator", "zerodha")
    await terminal.desk.set_mode(Mode.LIVE, "test")
    placed = await terminal.desk.place(BUY, "test")
    (there,) = await kite.account.gateway.orders()
    assert there.order_id == placed.order_id
    assert terminal.hub._source is accounts["simulator"].market
    simulator: Any = accounts["simulator"]
    assert await simulator.gateway.orders() == []


async def test_the_app_lock_guards_live_mode(terminal: Terminal) -> None:
    """Only where the password is asked: a script cannot go round it, locked or not."""
    await terminal.lock.set_password(Secret("correct horse battery"))
    for locked in (False, True):
        if locked:
            terminal.lock.lock()
        with pytest.raises(AuthError, match="lock"):
            await terminal.desk.set_mode(Mode.LIVE, "api:default")
        assert terminal.desk.mode is Mode.SANDBOX
    with pytest.raises(AuthError, match="unlock"):
        await terminal.desk.set_mode(Mode.LIVE, "window")
    await terminal.lock.unlock(Secret("correct horse battery"))
    await terminal.desk.set_mode(Mode.LIVE, "window")
    await terminal.desk.set_mode(Mode.SANDBOX, "api:default")  # the way back is free
    assert terminal.desk.mode is Mode.SANDBOX


async def test_who_changed_a_limit_is_in_the_audit_trail(terminal: Terminal) -> None:
    terminal.risk_rules.set_scope("strategy:s", {"max_quantity": 3})
    terminal.risk_rules.set_scope("strategy:s", {})
    await terminal.db.flush()
    rows = await terminal.audit.search("risk.strategy:s")
    assert sorted((row.who, row.what, row.detail) for row in rows) == [
        ("window", "setting", "none"),
        ("window", "setting", "{'max_quantity': 3}"),
    ]
    assert await terminal.state.all("risk") == {"strategy:s": {}}


async def test_the_data_account_changes_in_place(terminal: Terminal, kite: KiteEmulator) -> None:
    events: list[Any] = []
    for kind in (AccountChanged, FeedChanged, InstrumentsLoaded):
        terminal.bus.subscribe(kind, events.append)
    await terminal.accounts.open("zerodha")
    await terminal.accounts.login("zerodha", given(kite))
    before = terminal.instruments.require("SBIN", "NSE").token
    await terminal.accounts.use_for_data("zerodha")
    assert terminal.account is terminal.accounts["zerodha"]
    assert terminal.instruments.require("SBIN", "NSE").token != before
    assert any(isinstance(event, InstrumentsLoaded) for event in events)
    tick = await terminal.hub.depth(("NSE", "SBIN"))
    assert tick.ltp > 0 and kite.calls("GET", "/quote") == 1
    with pytest.raises(ConfigError, match="choose another account"):
        await terminal.accounts.close("zerodha")
    await terminal.accounts.use_for_data("simulator")
    await terminal.accounts.close("zerodha", forget=True)
    assert terminal.accounts.names() == ["simulator"]


async def test_the_account_that_was_chosen_last_has_the_role(
    terminal: Terminal, kite: KiteEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long an earlier one takes for its symbols."""
    accounts, gate, asked = terminal.accounts, asyncio.Event(), list[str]()
    await accounts.open("zerodha")
    await accounts.login("zerodha", given(kite))
    account: Any = accounts["zerodha"]
    names, symbols = account.learn_names, account.master.instruments

    async def slow_names() -> None:
        asked.append("names")
        await gate.wait()
        await names()

    async def slow_symbols(*, anew: bool = False) -> Any:
        asked.append("symbols")
        await gate.wait()
        return await symbols(anew=anew)

    monkeypatch.setattr(account, "learn_names", slow_names)
    monkeypatch.setattr(account.master, "instruments", slow_symbols)
    before = terminal.instruments.require("SBIN", "NSE").token
    orders = asyncio.create_task(accounts.use_for_orders("zerodha"))
    await until(lambda: asked, "the orders under way")
    with pytest.raises(ConfigError, match="choose another account"):
        await accounts.close("zerodha")  # it is about to take them
    data = asyncio.create_task(accounts.use_for_data("zerodha"))
    await until(lambda: len(asked) == 2, "both under way")
    await accounts.use_for_orders("simulator")
    await accounts.use_for_data("simulator")
    gate.set()
    for task in (orders, data):
        with pytest.raises(ConfigError, match="simulator was chosen meanwhile"):
            await task
    simulator: Any = accounts["simulator"]
    assert (accounts.data, accounts.orders) == ("simulator", "simulator")
    assert terminal.desk._gateways[Mode.LIVE] is simulator.gateway
    assert terminal.hub._source is simulator.market
    assert terminal.instruments.require("SBIN", "NSE").token == before


async def test_the_symbols_of_one_account_hold_up_no_other(
    terminal: Terminal, kite: KiteEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts, learnt = terminal.accounts, list[str]()
    for name in ("zerodha", "zerodha:2"):
        await accounts.open(name)

    async def learn(name: str) -> None:
        learnt.append(name)
        if name == "zerodha":
            await asyncio.Event().wait()

    monkeypatch.setattr(accounts, "_load_index", learn)
    for name in ("zerodha", "zerodha:2"):
        accounts.orders = name
        await accounts.login(name, given(kite))
        await until(lambda: name in learnt, f"the symbols of {name}")  # noqa: B023


async def test_a_symbol_master_is_downloaded_anew_and_shown(
    terminal: Terminal, kite: KiteEmulator
) -> None:
    """Rows that cannot be read are told wherever the master is: ``status``, the accounts' panel."""
    door = OwnerDoor(terminal)
    answer = await door.run("accounts", "symbols", {"args": {"name": "simulator"}})
    assert answer["text"] == "simulator: It has no symbol master of its own."
    await terminal.accounts.open("zerodha")
    await terminal.accounts.login("zerodha", given(kite))
    await terminal.accounts.use_for_data("zerodha")
    good = len(terminal.instruments)
    row = kite.rows["NSE", "SBIN"]
    kite.rows["NSE", "SBIN"] = msgspec.structs.replace(row, tick_size=float("nan"))
    answer = await door.run("accounts", "symbols", {"args": {"name": "zerodha"}})
    text = f"{good - 1:,} instruments, 1 row unreadable, 0 min old"
    assert answer["text"] == f"zerodha: {text}"
    assert kite.calls("GET", "/instruments") == 2
    assert len(terminal.instruments) == good - 1
    status = await door.run("engine", "status", {})
    assert {"what": "symbol master", "is": text} in status["rows"]
    assert AccountDoor(terminal).figures("zerodha").endswith(f"  ·  Symbols: {text}")
    await terminal.accounts.use_for_data("simulator")
    answer = await door.run("accounts", "symbols", {"args": {"name": "zerodha"}})
    assert kite.calls("GET", "/instruments") == 3 and text in answer["text"]


async def test_a_symbol_master_that_is_not_of_today_is_said(
    terminal: Terminal, kite: KiteEmulator
) -> None:
    notices: list[Notice] = []
    terminal.bus.subscribe(Notice, notices.append)
    await terminal.accounts.open("zerodha")
    await terminal.accounts.login("zerodha", given(kite))
    await terminal.accounts.use_for_data("zerodha")
    assert not [notice for notice in notices if "symbol master" in notice.text]
    for key in list(kite._token)[::2]:
        del kite._token[key]
    text = await terminal.accounts.renew_symbols("zerodha")
    whole = len(terminal.instruments)
    (notice,) = [notice for notice in notices if "symbol master" in notice.text]
    assert notice.text.startswith(
        "The symbol master of zerodha is not of today, not renewed: instruments.csv has only "
        f"{whole - (whole + 1) // 2:,} instruments after {whole:,} (50 % fewer)"
    )
    assert f"{whole:,} instruments" in text and "50 % fewer" in text
    await terminal.accounts.renew_symbols("zerodha")  # the second time alike
    assert len(terminal.instruments) == whole - (whole + 1) // 2


async def test_two_accounts_of_one_broker_and_a_restart(
    terminal: Terminal, kite: KiteEmulator, tmp_path: Path
) -> None:
    name = terminal.accounts.free_slot("zerodha")
    assert name == "zerodha"
    await terminal.accounts.open(name)
    second = terminal.accounts.free_slot("zerodha")
    assert second == "zerodha:2"
    await terminal.accounts.open(second)
    await terminal.accounts.login(second, given(kite))
    assert terminal.accounts[name].status.state is AccountState.LOGIN_NEEDED
    await terminal.stop()
    again = Terminal(
        TerminalOptions(
            data_dir=tmp_path / "data", overrides=settings_of(kite), clock_start=kite.clock.now()
        )
    )
    await again.start()
    try:
        states = {n: again.accounts[n].status.state for n in again.accounts.names()}
        assert states == {
            "simulator": AccountState.CONNECTED,
            "zerodha": AccountState.LOGIN_NEEDED,
            "zerodha:2": AccountState.CONNECTED,
        }
    finally:
        await again.stop()


async def test_a_disk_that_is_faster_than_the_start_forgets_no_account(
    terminal: Terminal, kite: KiteEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written while it starts is on the disk before anything is read."""
    await terminal.accounts.open("zerodha")
    await terminal.stop()
    read = KeyValueStore.get

    async def late(store: KeyValueStore, scope: str, key: str) -> Any:
        await store._db.flush()
        return await read(store, scope, key)

    monkeypatch.setattr(KeyValueStore, "get", late)
    again = Terminal(
        TerminalOptions(
            data_dir=tmp_path / "data", overrides=settings_of(kite), clock_start=kite.clock.now()
        )
    )
    await again.start()
    try:
        assert again.accounts.names() == ["simulator", "zerodha"]
        await again.db.flush()
        assert await again.state.get("accounts", "open") == ["zerodha"]
    finally:
        await again.stop()


async def test_a_start_that_is_cut_short_forgets_no_account(
    terminal: Terminal, kite: KiteEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One account is open again, the other still asks its broker when the program ends."""
    for name in ("zerodha", "zerodha:2"):
        await terminal.accounts.open(name)
    await terminal.stop()
    connect, one_is_open = KitAccount.connect, asyncio.Event()

    async def slow(account: KitAccount) -> None:
        if account.slot == "2":
            await asyncio.Event().wait()
        await connect(account)
        one_is_open.set()

    monkeypatch.setattr(KitAccount, "connect", slow)
    options = TerminalOptions(
        data_dir=tmp_path / "data", overrides=settings_of(kite), clock_start=kite.clock.now()
    )
    cut = Terminal(options)
    start = asyncio.create_task(cut.start())
    await asyncio.wait_for(one_is_open.wait(), 60)
    await cut.db.flush()
    start.cancel()
    await asyncio.gather(start, return_exceptions=True)
    monkeypatch.undo()
    again = Terminal(options)
    await again.start()
    try:
        assert set(again.accounts.names()) == {"simulator", "zerodha", "zerodha:2"}
    finally:
        await again.stop()


@pytest.mark.parametrize(
    "name",
    [
        "zerodha:1",
        "zerodha:",
        "zerodha:0",
        "zerodha:02",
        "zerodha:100",
        "zerodha:a",
        "zerodha:２",
        "zerodha:../../x",
        "zerodha:2\n",
        "simulator:2",
    ],
)
async def test_a_login_has_one_name(terminal: Terminal, name: str) -> None:
    """Under two names it would trade and be counted twice."""
    with pytest.raises(ConfigError, match=r"^account: .*the first account is "):
        await terminal.accounts.open(name)
    assert terminal.accounts.names() == ["simulator"]


async def test_an_adapter_is_imported_beside_the_loop_and_opened_once(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []
    get = terminal.registry.get

    def noted(broker: str) -> Broker:
        threads.append(threading.current_thread())
        return get(broker)

    monkeypatch.setattr(terminal.accounts.registry, "get", noted)
    first, second = await asyncio.gather(*(terminal.accounts.open("zerodha") for _ in range(2)))
    assert first is second
    assert len(threads) == 2 and threading.main_thread() not in threads


async def test_a_broker_as_the_first_account_starts_without_a_login(
    kite: KiteEmulator, tmp_path: Path
) -> None:
    options = TerminalOptions(
        data_dir=tmp_path / "data",
        broker="zerodha",
        overrides=settings_of(kite),
        clock_start=kite.clock.now(),
    )
    terminal = Terminal(options)
    await terminal.start()
    try:
        assert terminal.desk.mode is Mode.SANDBOX and len(terminal.instruments) == 0
        assert terminal.account.status.hosts == tuple(
            f"{name}={url}" for name, url in kite.hosts().items()
        )
        with pytest.raises(SessionExpired, match="Log in"):
            await terminal.accounts["zerodha"].gateway.funds()
        paper = terminal.sandbox.account_id
        await terminal.accounts.login("zerodha", given(kite))
        await until(lambda: len(terminal.instruments) > 1000)
        await terminal.desk.place(BUY, "test")
        assert terminal.sandbox.account_id == paper
        figures = terminal.accounts.details("zerodha")
        assert figures["limits"]["orders"][0][1] == 10 and figures["feed"]["capacity"] == 9000
    finally:
        await terminal.stop()


def test_an_unknown_broker_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"Unknown broker 'nobody'.*zerodha"):
        Terminal(TerminalOptions(data_dir=tmp_path, broker="nobody"))


# -- command line ---------------------------------------------------------------------------
async def test_doctor_calls_everything_and_hides_secrets(
    kite: KiteEmulator, tmp_path: Path
) -> None:
    out = io.StringIO()
    settings = Settings(settings_of(kite))
    async with open_account("zerodha", tmp_path, None, settings, kite.clock) as account:
        assert await Doctor(account, out).run() == 1
        assert "openalgo-desktop login zerodha" in out.getvalue()
        await account.login(given(kite))
        token = account.session.get("access_token")
        await account.disconnect()
        out.truncate(0)
        assert await Doctor(account, out).run() == 0
        kite.faults.only = "/portfolio/holdings"
        kite.faults.status.append(500)
        await Doctor(account, out).run()
    text = out.getvalue()
    for name in ("session", "symbol master", "funds", "orders", "holdings", "history D", "stream"):
        assert f" {name}" in text
    assert "FAILED" in text and "fault 500" in text
    for secret in (token, API_SECRET, API_KEY):
        assert secret not in text
    assert all(method == "GET" for method, path in kite.log if path != "/session/token")


async def test_login_from_standard_input_asks_nothing() -> None:
    helper = TerminalLogin("127.0.0.1", 0, {"api_key": "K"}, io.StringIO())
    fields = [Field("api_key", "Key"), Field("pin", "PIN", secret=True)]
    assert await helper.ask(fields) == {"api_key": "K", "pin": ""}


async def test_prompts_hide_secrets_and_a_pasted_address_is_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a free port for the callback, the address is pasted; it must be of this login."""
    asked: list[tuple[str, str]] = []
    pasted: list[str] = []

    async def ask_line(label: str, *, secret: bool = False) -> str:
        asked.append(("hidden" if secret else "shown", label))
        if "paste" in label:
            return pasted.pop(0)
        return "S" if secret else "K"

    monkeypatch.setattr("openalgo_desktop.shell.login.ask_line", ask_line)
    monkeypatch.setattr("webbrowser.open", lambda url: True)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        out = io.StringIO()
        helper = TerminalLogin("127.0.0.1", taken.getsockname()[1], None, out)
        fields = [Field("api_key", "Key"), Field("api_secret", "Secret", secret=True)]
        assert await helper.ask(fields) == {"api_key": "K", "api_secret": "S"}
        assert [kind for kind, _ in asked] == ["shown", "hidden"]
        pasted[:] = ["http://127.0.0.1/zerodha/callback?request_token=T&state=right"]
        answer = await helper.browse("https://broker/login", "zerodha", "right")
        assert answer["request_token"] == "T"
        pasted[:] = ["http://127.0.0.1/zerodha/callback?request_token=T&state=other"]
        with pytest.raises(ConfigError, match="another login"):
            await helper.browse("https://broker/login", "zerodha", "right")
    assert "https://broker/login" in out.getvalue() and "in use" in out.getvalue()
