"""What changes money: off by default, asked twice, done once."""

from __future__ import annotations

from decimal import Decimal

import pytest

from openalgo_desktop.core.enums import Mode, Product
from openalgo_desktop.core.errors import AppError, AuthError
from openalgo_desktop.core.events import TelegramAsks
from openalgo_desktop.core.model import Position
from openalgo_desktop.core.telegram import StrategyLine
from tests.emulators.telegram import USER, TelegramEmulator
from tests.unit.automation.telegram.room import Desk, MemorySecrets, MemoryStore, Room, room
from tests.waiting import until


class Strategies:
    """Two strategies; stops are counted."""

    def __init__(self) -> None:
        self.running = {"a": True, "b": True}
        self.stops: list[tuple[str, str]] = []

    async def listed(self) -> list[StrategyLine]:
        return [
            StrategyLine(name, f"Strategy {name}", "running", on, "sandbox", Decimal("1234.5"))
            for name, on in self.running.items()
        ]

    async def stop(self, strategy_id: str, by: str) -> str:
        self.stops.append((strategy_id, by))
        self.running[strategy_id] = False
        return f"Strategy {strategy_id} is stopped."


async def ready(r: Room) -> None:
    r.settings.set("telegram.money", True)
    await r.on()
    await r.link()


async def last(r: Room, text: str) -> None:
    await until(lambda: text in r.api.texts()[-1], f"{text!r} after {r.api.texts()[-1]!r}")


async def test_it_is_off_by_default():
    async with room() as r:
        await r.on()
        await r.link()
        for command in ("/closeall", "/stop", "/kill"):
            assert "switched off" in (await r.ask(command)).text
        assert (await r.ask("/mode")).buttons == {}
        assert "/closeall" not in (await r.ask("/help")).text
        assert r.desk.closed == [] and r.kill.pulls == []


async def test_closing_all_needs_a_button_and_a_code_and_is_done_once():
    async with room() as r:
        await ready(r)
        r.desk.elsewhere = Desk()
        r.desk.elsewhere.held = [Position("INFY", "NSE", Product.MIS, 5, 1000.0)]
        asked = await r.ask("/closeall")
        assert asked.text.endswith("\n1 open positions of LIVE are not touched.")
        assert list(asked.buttons) == ["Yes", "Yes + stop strategies", "Cancel"]
        assert "SANDBOX" in asked.text
        waits = await r.press(asked, "Yes")
        assert "six digits" in waits.text and waits.method == "editMessageText"
        assert r.desk.closed == []
        code = await r.code()
        wrong = f"{(int(code) + 1) % 10**6:06d}"
        assert "wrong" in (await r.ask(wrong)).text
        await r.ask(code)
        await last(r, "positions closed")
        assert r.desk.closed == [("telegram", Mode.SANDBOX)]
        # The same code, the same button, the same question: nothing any more.
        assert "slash" in (await r.ask(code)).text
        assert "used up" in await r.pressed(asked, "Yes")
        again = await r.press(await r.ask("/closeall"), "Yes")
        assert "six digits" in again.text
        assert "used before" in (await r.ask(code)).text
        assert r.desk.closed == [("telegram", Mode.SANDBOX)]
        rows = r.bot.commands_since(r.clock.now().replace(hour=0))
        assert [row.command for row in rows].count("done") == 1
        assert r.trail == [
            ("telegram link", str(USER), "ok"),
            ("telegram act", str(USER), "SANDBOX: 0 positions closed, 0 not."),
        ]
        assert {row.arguments for row in rows} == {""}  # a code is written down nowhere


async def test_three_wrong_codes_end_it_and_ten_end_the_tries():
    async with room() as r:
        await ready(r)
        for _ in range(3):
            await r.press(await r.ask("/kill"), "Yes, close all")
            code = await r.code()
            wrong = f"{(int(code) + 1) % 10**6:06d}"
            for _ in range(3):
                said = await r.ask(wrong)
            assert "third time" in said.text
            r.clock.advance(70)
        await r.press(await r.ask("/kill"), "Yes, close all")
        await r.ask(f"{(int(await r.code()) + 1) % 10**6:06d}")
        assert "Too many" in (await r.ask(await r.code())).text
        assert r.kill.pulls == []
        await r.press(await r.ask("/kill"), "Yes, cancel only")
        (request,) = r.bot.waiting()
        r.bot.confirm(request.request_id, True)  # the window still can
        await last(r, "by telegram")
        assert r.kill.pulls == [("telegram", False)]


async def test_a_human_here_may_confirm_or_refuse_but_not_while_locked():
    async with room() as r:
        await ready(r)
        asks: list[tuple[str, bool]] = []
        r.bus.subscribe(TelegramAsks, lambda e: asks.append((e.request.text, e.over)))
        await r.press(await r.ask("/kill"), "Yes, close all")
        (request,) = r.bot.waiting()
        assert "SANDBOX" in request.text and asks == [(request.text, False)]
        r.locked = True
        with pytest.raises(AuthError, match="locked"):
            r.bot.confirm(request.request_id, True)
        r.bot.confirm(request.request_id, False)
        await last(r, "Refused in the program")
        with pytest.raises(AppError, match="answered already"):
            r.bot.confirm(request.request_id, True)
        assert r.kill.pulls == [] and asks[-1] == (request.text, True)
        await r.press(await r.ask("/kill"), "Yes, cancel only")
        (request,) = r.bot.waiting()
        r.bot.confirm(request.request_id, True, unlocked=True)  # who gave the password
        await last(r, "by telegram")
        assert r.kill.pulls == [("telegram", False)]
        r.kill.pulls.clear()
        await r.press(await r.ask("/kill"), "Yes, close all")
        r.clock.advance(121)
        assert r.bot.waiting() == []
        assert "slash" in (await r.ask(await r.code())).text
        assert r.kill.pulls == []


async def test_switching_it_off_counts_at_once_and_a_moved_switch_ends_it():
    async with room() as r:
        await ready(r)
        await r.press(await r.ask("/kill"), "Yes, close all")
        r.settings.set("telegram.money", False)
        assert "switched off" in (await r.ask(await r.code())).text
        assert r.kill.pulls == []
        r.settings.set("telegram.money", True)
        r.clock.advance(60)
        await r.press(await r.ask("/closeall"), "Yes")
        r.desk.mode = Mode.LIVE
        await r.ask(await r.code())
        await last(r, "Not done: The mode was switched")
        assert r.desk.closed == []


async def test_the_mode_is_switched_and_strategies_are_stopped():
    async with room() as r:
        await ready(r)
        strategies = Strategies()
        r.bot.add_strategies(strategies)
        text = (await r.ask("/strategies")).text
        assert "Strategy a (SANDBOX): running, +₹1,234.50" in text and "running 2" in text
        await r.press(await r.ask("/mode"), "Switch to LIVE")
        assert r.desk.mode is Mode.SANDBOX
        await r.ask(await r.code())
        await last(r, "real money")
        assert r.desk.mode is Mode.LIVE
        r.clock.advance(60)
        await r.press(await r.ask("/stop"), "Strategy b")
        await r.ask(await r.code())
        await last(r, "Strategy b is stopped.")
        r.clock.advance(60)
        await r.press(await r.ask("/closeall"), "Yes + stop strategies")
        await r.ask(await r.code())
        await last(r, "LIVE: 0 positions closed")
        assert strategies.stops == [("b", "telegram"), ("a", "telegram")]
        assert r.desk.closed == [("telegram", Mode.LIVE)]
        assert "No strategy is running" in (await r.ask("/stoppython")).text


async def test_a_button_of_before_a_restart_does_nothing():
    store, vault = MemoryStore(), MemorySecrets()
    async with TelegramEmulator() as api:
        async with room(store, vault, api) as r:
            await ready(r)
            asked = await r.ask("/closeall")
            waits = await r.ask("/kill")
            await r.press(waits, "Yes, close all")
        async with room(store, vault, api) as r:
            r.settings.set("telegram.money", True)
            await r.on()
            assert "used up or too old" in await r.pressed(asked, "Yes")
            assert "slash" in (await r.ask(await r.code())).text
            assert (r.desk.closed, r.kill.pulls) == ([], [])


async def test_a_chat_that_is_unlinked_while_its_code_is_stored_does_nothing():
    async with room() as r:
        await ready(r)
        await r.press(await r.ask("/kill"), "Yes, close all")
        put = r.store.put

        async def slow(scope: str, key: str, value: object) -> None:
            await put(scope, key, value)
            if key == str(USER):
                await r.bot.unlink(USER)

        r.store.put = slow  # type: ignore[method-assign]
        r.api.write(await r.code())
        await until(lambda: r.bot.chats() == [], "the end of the link")
        assert "not linked" in (await r.ask("/mode")).text
        assert r.kill.pulls == []


async def test_others_cannot_use_a_button_and_cancel_takes_back():
    async with room() as r:
        await ready(r)
        await r.link(5)
        asked = await r.ask("/kill")
        r.api.press(asked.buttons["Yes, close all"], 5)
        await until(lambda: r.api.answered, "the refusal")
        assert "used up" in r.api.answered[0] and r.bot.waiting() == []
        await r.press(asked, "Yes, close all")
        assert len(r.bot.waiting()) == 1
        assert (await r.ask("/cancel")).text == "Nothing was done."
        assert r.bot.waiting() == []
        await r.press(await r.ask("/kill"), "Yes, close all")
        await r.bot.unlink(USER)
        assert r.bot.waiting() == [] and r.kill.pulls == []
