"""The bot in the whole engine, on the built-in market: prices, charts, chains, and closing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from openalgo_desktop.core.enums import Action, Mode
from openalgo_desktop.core.errors import AuthError
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.core.secret import Secret
from openalgo_desktop.core.totp import totp
from openalgo_desktop.runtime.options import TerminalOptions
from openalgo_desktop.runtime.terminal import Terminal
from tests.emulators.telegram import TOKEN, USER, Said, TelegramEmulator
from tests.waiting import until


class Chat:
    def __init__(self, terminal: Terminal, api: TelegramEmulator) -> None:
        self.terminal = terminal
        self.api = api

    async def ask(self, text: str, count: int = 1) -> list[Said]:
        before = len(self.api.said)
        self.api.write(text)
        await until(lambda: len(self.api.said) >= before + count, f"the answer to {text}")
        return self.api.said[before:]

    async def press(self, said: Said, button: str) -> None:
        before = len(self.api.said)
        self.api.press(said.buttons[button], message_id=said.message_id)
        await until(lambda: len(self.api.said) > before, f"the answer to {button}")


@pytest.fixture
async def chat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Chat]:
    monkeypatch.setattr("openalgo_desktop.automation.telegram.outbox.CHAT_GAP", 0.0)
    async with TelegramEmulator() as api:
        overrides = {
            "api.enabled": False,
            "telegram.api_url": api.url,
            "telegram.tell.placed": False,
            "telegram.tell.filled": False,
        }
        options = TerminalOptions(data_dir=tmp_path, overrides=overrides, sim_frozen=True)
        terminal = Terminal(options)
        await terminal.start()
        try:
            names = [task.get_name() for task in asyncio.all_tasks()]
            assert not [name for name in names if name.startswith("telegram")]
            assert api.log == []  # off: nobody is asked, nothing runs
            await terminal.vault.set("telegram.token", Secret(TOKEN))
            await terminal.telegram.switch(True)
            made = Chat(terminal, api)
            await made.ask(f"/link {terminal.telegram.new_code().code}")
            yield made
        finally:
            await terminal.stop()


async def test_a_day_by_chat(chat: Chat):
    terminal = chat.terminal
    (status,) = await chat.ask("/status")
    assert "mode SANDBOX" in status.text and "kill switch off" in status.text
    (quote,) = await chat.ask("/quote sbin")
    assert quote.text.startswith("SBIN NSE: ") and "previous close" in quote.text
    assert "not known" in (await chat.ask("/quote NOTHING"))[0].text
    (index,) = await chat.ask("/quote NIFTY")
    assert index.text.startswith("NIFTY NSE_INDEX: ")

    (daily,) = await chat.ask("/chart SBIN NSE daily D 60")
    assert daily.png.startswith(b"\x89PNG") and daily.text.startswith("SBIN NSE D · last ")
    both = await chat.ask("/chart NIFTY both", 2)
    assert [said.text.partition(" · ")[0] for said in both] == [
        "NIFTY NSE_INDEX 5m",
        "NIFTY NSE_INDEX D",
    ]
    for wrong, why in (
        ("/chart SBIN daily 5m", "not daily"),
        ("/chart SBIN intraday 5m 99", "60 at most"),
        ("/chart SBIN NSE intraday 5m 5 6", "one word too many"),
        ("/chart SBIN x", "Interval"),
        ("/chart", "Say which"),
    ):
        assert why in (await chat.ask(wrong))[0].text

    (chain,) = await chat.ask("/chain NIFTY")
    lines = chain.text.split("\n")
    assert lines[0].startswith("NIFTY ") and "straddle" in lines[1]
    assert any(line.startswith("max pain") for line in lines)

    desk = terminal.desk
    await desk.place(OrderRequest("SBIN", "NSE", Action.BUY, 10), "window")
    await until(lambda: desk.books.book(Mode.SANDBOX).orders, "the order")
    assert "total 1 · open 0 · completed 1" in (await chat.ask("/orderbook"))[0].text
    assert "trades 1" in (await chat.ask("/tradebook"))[0].text
    assert "active 1 · long 1 · short 0" in (await chat.ask("/positions"))[0].text
    (result,) = await chat.ask("/pnl")
    assert "charges ₹" in result.text or "charges (estimated) ₹" in result.text
    assert "Nothing is held" in (await chat.ask("/holdings"))[0].text

    terminal.settings.set("telegram.money", True)
    (asked,) = await chat.ask("/closeall")
    await chat.press(asked, "Yes")
    address = (await terminal.telegram.otpauth(USER)).reveal()
    secret = address.partition("secret=")[2].partition("&")[0]
    said = await chat.ask(totp(secret, terminal.clock.time()), 2)
    assert said[-1].text == "SANDBOX: 1 positions closed, 0 not."
    assert [row.quantity for row in await desk.read.positions()] == [0]
    assert "No position is open" in (await chat.ask("/positions"))[0].text

    # With an app lock only the window goes live, whatever code a chat has.
    await terminal.lock.set_password(Secret("a long password"))
    (asked,) = await chat.ask("/mode")
    await chat.press(asked, "Switch to LIVE")
    said = await chat.ask(totp(secret, terminal.clock.time() + 30), 2)
    assert "Not done: The app lock guards live mode" in said[-1].text
    assert desk.mode is Mode.SANDBOX
    (asked,) = await chat.ask("/kill")
    await chat.press(asked, "Yes, close all")
    (request,) = terminal.telegram.waiting()
    terminal.lock.lock()
    with pytest.raises(AuthError, match="locked"):
        terminal.telegram.confirm(request.request_id, True)
    assert not terminal.kill_switch.tripped
    trail = [row for row in await terminal.audit.search() if row.who == "telegram"]
    assert {row.what for row in trail} >= {"telegram link", "telegram act"}
