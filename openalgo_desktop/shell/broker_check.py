"""``doctor BROKER``: read-only calls to a broker with real credentials, timed."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from openalgo_desktop import __version__
from openalgo_desktop.brokers.kit.account.account import KitAccount
from openalgo_desktop.config.settings import Settings
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import AccountState, FeedMode, Interval
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.redact import Redactor
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.shell.login import open_account

#: Instruments that the check asks for, the first that the master has.
_PROBES = (("NSE", "SBIN"), ("NSE", "RELIANCE"), ("NFO", ""), ("MCX", ""), ("BSE", ""))


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
        for answer in await account.confirm_sizes():
            self.failed += not answer.good
            verdict = "ok" if answer.good else "FAILED"
            self._print(f"  {verdict:6} {f'sizes {answer.exchange}':24} {'':8}     {answer.text}")
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
        if probe is not None and account.spec.capabilities.quote_batch:
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
