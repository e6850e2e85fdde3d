"""Logging in to a broker from a terminal (``login``)."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import webbrowser
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TextIO
from urllib.parse import parse_qsl, urlsplit

from openalgo_desktop.brokers.kit.account.account import KitAccount
from openalgo_desktop.brokers.kit.spec import Field
from openalgo_desktop.brokers.registry import SIMULATOR, Registry
from openalgo_desktop.config.settings import Settings
from openalgo_desktop.core.clock import Clock, SystemClock
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.logins import with_redirect
from openalgo_desktop.local_api.callback import LOGIN_TIMEOUT, Callbacks, callback_server
from openalgo_desktop.local_api.handover import Handover
from openalgo_desktop.local_api.network import url_host
from openalgo_desktop.runtime.accounts import host_overrides, split_name
from openalgo_desktop.shell.options import run_async, stored_settings, terminal_options
from openalgo_desktop.shell.prompt import ask_line, read_all
from openalgo_desktop.storage.datadir import DataDirectory
from openalgo_desktop.storage.vault import Vault


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
        values = {}
        for field in fields:
            label = field.label + (" (optional)" if field.optional else "") + ": "
            values[field.name] = await ask_line(label, secret=field.secret)
        return values

    async def browse(self, url: str, broker: str, state: str) -> Mapping[str, str]:
        """Open the broker's page; take the answer from the callback, or pasted by the user."""
        callbacks = Callbacks()
        async with AsyncExitStack() as stack:
            waits: list[asyncio.Task[Mapping[str, str]]] = []
            address = f"http://{url_host(self._host)}:{self._port}"
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
            url = with_redirect(url, f"{address}/{broker}/callback")
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
        text = await ask_line(prompt)
        params = dict(parse_qsl(urlsplit(text.strip()).query))
        if state and params.get("state") != state:
            raise ConfigError("This address belongs to another login. Start again.")
        return params

    def _say(self, text: str) -> None:
        print(text, file=self._out, flush=True)


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
        answers = _read_answers(await read_all())
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


def run(args: argparse.Namespace) -> int:
    """Log in, or out."""
    return run_async(_run(args))


async def _run(args: argparse.Namespace) -> int:
    options = terminal_options(args)
    return await login(
        args.account,
        data_dir=options.data_dir,
        key_file=options.vault_key_file,
        settings=await stored_settings(options),
        clock=SystemClock(options.clock_start),
        login_id=args.login,
        from_stdin=args.stdin,
        logout=args.logout,
    )
