"""Logging in to a broker and checking it from a terminal (``login``, ``doctor BROKER``)."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import json
import sys
import threading
import time
import webbrowser
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import parse_qsl, urlsplit

from openalgo_desktop import __version__
from openalgo_desktop.accounts import host_overrides, split_name
from openalgo_desktop.brokers.kit.account import KitAccount
from openalgo_desktop.brokers.kit.spec import Field
from openalgo_desktop.brokers.registry import SIMULATOR, Registry
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import AccountState, FeedMode, Interval
from openalgo_desktop.core.errors import AppError, ConfigError
from openalgo_desktop.core.model import Instrument, Tick
from openalgo_desktop.core.redact import Redactor
from openalgo_desktop.local_api.callback import LOGIN_TIMEOUT, Callbacks, callback_server
from openalgo_desktop.local_api.handover import Handover
from openalgo_desktop.settings import Settings
from openalgo_desktop.storage.datadir import DataDirectory
from openalgo_desktop.storage.vault import Vault

#: Instruments that the check asks for, the first that the master has.
_PROBES = (("NSE", "SBIN"), ("NSE", "RELIANCE"), ("NFO", ""), ("MCX", ""), ("BSE", ""))


@asynccontextmanager
async def open_account(
    name: str,
    data_dir: Path | None,
    key_file: Path | None,
    settings: Settings,
    clock: Clock,
    *,
    passive: bool = False,
) -> AsyncIterator[KitAccount]:
    """The account of a data folder, beside a running engine or without one."""
    broker, slot = split_name(name)
    if broker == SIMULATOR:
        raise ConfigError("The simulator needs no login.")
    entry = Registry().get(broker)
    directory = DataDirectory(data_dir)
    directory.create()
    vault = Vault(directory.config, key_file=key_file)
    await vault.open()
    account = KitAccount(
        entry,
        clock,
        vault,
        directory.path / "masters",
        slot=slot,
        hosts=host_overrides(entry.spec, settings),
        passive=passive,
    )
    try:
        yield account
    finally:
        await account.disconnect()


class TerminalLogin:
    """Asks at the prompt; secrets are not echoed. With ``answers`` (JSON from standard input)
    nothing is asked."""

    def __init__(
        self,
        host: str,
        port: int,
        answers: Mapping[str, str] | None,
        out: TextIO,
        handover: Handover | None = None,
    ) -> None:
        self._handover = handover
        self._host, self._port = host, port
        self._answers = answers
        self._out = out

    async def ask(self, fields: Sequence[Field]) -> Mapping[str, str]:
        """Values of the fields, from the answers or the prompt."""
        if self._answers is not None:
            return {f.name: str(self._answers.get(f.name, "")) for f in fields}
        return await asyncio.to_thread(self._prompt, fields)

    def _prompt(self, fields: Sequence[Field]) -> dict[str, str]:
        values = {}
        for field in fields:
            label = field.label + (" (optional)" if field.optional else "") + ": "
            read = getpass.getpass if field.secret else input
            values[field.name] = read(label)
        return values

    async def browse(self, url: str, broker: str, state: str) -> Mapping[str, str]:
        """Open the broker's page; take the answer from the callback, or pasted by the user."""
        callbacks = Callbacks()
        async with AsyncExitStack() as stack:
            waits: list[asyncio.Task[Mapping[str, str]]] = []
            try:
                address = await stack.enter_async_context(
                    callback_server(callbacks, self._host, self._port)
                )
                self._say(f"Redirect address of the app: {address}/{broker}/callback")
                waits.append(asyncio.create_task(_mapping(callbacks.wait(broker, state))))
            except ConfigError:
                where = f"Port {self._port} is in use: a running engine passes the answer on"
                self._say(f"{where}, or paste the address to which the browser is sent.")
                if self._handover is not None:
                    await self._handover.offer(broker, state, LOGIN_TIMEOUT)
                    wait = self._handover.wait(broker, LOGIN_TIMEOUT)
                    waits.append(asyncio.create_task(_mapping(wait)))
            await asyncio.sleep(0)  # the waiting begins before anybody can have the address
            self._say(f"Log in here:\n{url}")
            if self._answers is None:
                await asyncio.to_thread(webbrowser.open, url)
                waits.append(asyncio.create_task(self._pasted(state)))
            if not waits:
                raise ConfigError("No way to receive the answer of the browser.")
            try:
                done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                return next(iter(done)).result()
            finally:
                for task in waits:
                    task.cancel()
                await asyncio.gather(*waits, return_exceptions=True)

    async def _pasted(self, state: str) -> Mapping[str, str]:
        prompt = "…or paste the address to which the browser was sent, then Enter: "
        text = await _in_daemon(lambda: input(prompt))
        params = dict(parse_qsl(urlsplit(text.strip()).query))
        if state and params.get("state") != state:
            raise ConfigError("This address belongs to another login. Start again.")
        return params

    def _say(self, text: str) -> None:
        print(text, file=self._out, flush=True)


async def _in_daemon(work: Callable[[], str]) -> str:
    """Run ``work`` in a thread that does not hold the exit: a prompt cannot be taken back when
    the browser answered first."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[str] = loop.create_future()

    def settle(text: str, error: Exception | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(text)
        else:
            future.set_exception(error)

    def run() -> None:
        try:
            text, problem = work(), None
        except Exception as error:
            text, problem = "", ConfigError(f"Nothing was entered ({type(error).__name__}).")
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, text, problem)

    threading.Thread(target=run, daemon=True, name="prompt").start()
    return await future


async def _mapping(wait: Awaitable[dict[str, str]]) -> Mapping[str, str]:
    return await wait


async def login(
    name: str,
    *,
    data_dir: Path | None,
    key_file: Path | None,
    settings: Settings,
    clock: Clock,
    login_id: str = "",
    from_stdin: bool = False,
    logout: bool = False,
    out: TextIO | None = None,
) -> int:
    """``openalgo-desktop login BROKER``. A running engine takes the session up by itself.

    Without a terminal the fields come as JSON from standard input, as with ``--stdin``.
    """
    out = out or sys.stdout
    answers: dict[str, str] | None = None
    if from_stdin or not sys.stdin.isatty():
        answers = _read_answers(await asyncio.to_thread(sys.stdin.read))
    async with open_account(name, data_dir, key_file, settings, clock, passive=True) as account:
        if logout:
            await account.connect()
            await account.logout()
            print(f"Logged out of {account.spec.title}.", file=out)
            return 0
        host, port = str(settings["api.host"]), int(settings["api.rest_port"])
        handover = Handover(account.secrets, clock)
        helper = TerminalLogin(host, port, answers, out, handover)
        status = await account.login(answers or {}, helper, login_id)
        until = f"{status.valid_until:%d %b %H:%M}" if status.valid_until else "the broker ends it"
        print(f"Logged in: {status.title}, {status.client_id}, until {until}.", file=out)
    return 0


def _read_answers(text: str) -> dict[str, str]:
    if not text.strip():
        return {}
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise ConfigError("Standard input must be a JSON object of login fields.")
    return {str(name): str(value) for name, value in data.items()}


# -- doctor ---------------------------------------------------------------------------------
class Doctor:
    """Read-only calls to a broker with real credentials, timed; a report fit for a bug report."""

    def __init__(self, account: KitAccount, out: TextIO) -> None:
        self._account = account
        self._out = out
        self._redactor = Redactor()
        self.failed = 0

    def _print(self, text: str) -> None:
        for value in self._account.session.context().values():
            self._redactor.add(str(value))
        print(self._redactor.clean(text), file=self._out, flush=True)

    async def run(self) -> int:
        """All checks; 0 when every one is good."""
        account, spec = self._account, self._account.spec
        self._print(f"OpenAlgo Desktop {__version__}, {spec.title}, read-only check")
        for name, url in account.rest.overrides.items():
            self._print(f"host {name} is overridden: {url}")
        await self._check("session", account.connect)
        if account.status.state is AccountState.LOGIN_NEEDED:
            self._print(f"  {account.status.message} Run: openalgo-desktop login {spec.id}")
            return 1
        rows: list[Instrument] = []

        async def master() -> str:
            rows.extend(await account.instruments())
            return account.master_text

        gateway, market = account.gateway, account.market
        await self._check("symbol master", master)
        books: tuple[tuple[str, Callable[[], Awaitable[Any]]], ...] = (
            ("funds", gateway.funds),
            ("orders", gateway.orders),
            ("trades", gateway.trades),
            ("positions", gateway.positions),
            ("holdings", gateway.holdings),
        )
        for name, book in books:
            await self._check(name, book)
        probe = _probe(rows)
        if probe is not None:
            today = account.clock.now().date()
            span = today - timedelta(days=7)
            await self._check(f"quote {probe.symbol}", lambda: _quote(account, probe))
            await self._check(f"depth {probe.symbol}", lambda: market.depth(probe.key))
            for interval in (Interval.DAY, Interval.M5):
                if interval in market.intervals():
                    call = partial(market.history, probe.key, interval, span, today)
                    await self._check(f"history {interval}", call)
            await self._check("stream", lambda: self._stream(probe))
        self._print(f"{'all good' if not self.failed else f'{self.failed} failed'}")
        return 1 if self.failed else 0

    async def _check(self, name: str, call: Callable[[], Awaitable[Any]]) -> None:
        began = time.perf_counter()
        try:
            result = await call()
            verdict, note = "ok", _summary(result)
        except AppError as error:
            self.failed += 1
            verdict, note = "FAILED", f"{type(error).__name__}: {error.message} {error.detail}"
        took = (time.perf_counter() - began) * 1000
        self._print(f"  {verdict:6} {name:24} {took:8.0f} ms  {note}")

    async def _stream(self, probe: Instrument) -> str:
        """Waits for a tick; a closed market sends a snapshot, or nothing."""
        ticks: list[Tick] = []
        self._account.market.set_sink(ticks.append)
        await self._account.market.subscribe({probe.key: FeedMode.LTP})
        for _ in range(100):
            if ticks:
                break
            await asyncio.sleep(0.1)
        figures = self._account.details()["feed"] or {}
        state = f"{len(ticks)} ticks, {figures.get('frames', 0)} frames, {figures.get('state')}"
        if not ticks and not figures.get("frames"):
            raise AppError(f"nothing came within 10 s ({state})")
        return state


def _probe(rows: Sequence[Instrument]) -> Instrument | None:
    for exchange, symbol in _PROBES:
        for row in rows:
            if row.exchange == exchange and symbol in ("", row.symbol):
                return row
    return rows[0] if rows else None


async def _quote(account: KitAccount, row: Instrument) -> str:
    answer = (await account.market.quotes([row.key]))[row.key]
    if isinstance(answer, AppError):
        raise answer
    return f"last {answer.ltp:g}"


def _summary(result: Any) -> str:
    """A word about a result, without anything private: counts, not amounts."""
    if isinstance(result, str):
        return result
    if isinstance(result, list):
        return f"{len(result)} rows"
    if hasattr(result, "__len__"):
        return f"{len(result)} bars"
    return "" if result is None else type(result).__name__.lower()


async def doctor(
    name: str, *, data_dir: Path | None, key_file: Path | None, settings: Settings, clock: Clock
) -> int:
    """``openalgo-desktop doctor BROKER``."""
    async with open_account(name, data_dir, key_file, settings, clock) as account:
        return await Doctor(account, sys.stdout).run()
