"""The bot as a whole: linking, commands, and what Telegram may do to it."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections import deque

import pytest

from openalgo_desktop.automation.telegram.service import Telegram
from openalgo_desktop.core.enums import Action, OrderStatus
from openalgo_desktop.core.errors import AppError, ConfigError
from openalgo_desktop.core.model import Funds
from openalgo_desktop.core.telegram import BotState
from tests.emulators.telegram import TOKEN, USER, TelegramEmulator
from tests.unit.automation.telegram.room import Desk, MemorySecrets, MemoryStore, order, room
from tests.waiting import until


# -- off and on -----------------------------------------------------------------------------
async def test_a_bot_that_is_off_asks_nobody_and_one_without_token_says_so():
    async with room() as r:
        await r.bot.start()
        assert r.api.log == [] and r.bot.status.state is BotState.OFF
        with pytest.raises(ConfigError, match="Bot token not configured"):
            await r.bot.switch(True)
        with pytest.raises(ConfigError, match="does not run"):
            r.bot.new_code()
        with pytest.raises(ConfigError, match="no bot token"):
            await r.bot.set_token("123:short")
        await r.bot.set_token(f" {TOKEN}\n")
        assert r.bot.masked_token() == "123456789:..."
        assert r.api.log == []
        await r.bot.switch(True)
        status = r.bot.status
        assert (status.state, status.bot, r.settings["telegram.enabled"]) == (
            BotState.RUNNING,
            "desk_bot",
            True,
        )
        await r.bot.switch(False)
        before = len(r.api.log)
        assert r.bot.status.state is BotState.OFF and not r.settings["telegram.enabled"]
        r.api.write("/status")
        assert len(r.api.log) == before


async def test_the_token_is_in_no_log(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    async with room() as r:
        await r.on()
        await r.link()
        r.api.refuse_all = 500
        r.api.write("hello")  # the long poll ends, and the next one is refused
        await until(lambda: r.bot.status.state is BotState.WAITING, "the loss")
        r.api.refuse_all = 401
        await until(lambda: r.bot.status.state is BotState.REFUSED, "the refusal")
    assert any(record.name.startswith("openalgo_desktop") for record in caplog.records)
    secret = TOKEN.partition(":")[2]
    assert [line for line in caplog.messages if secret in line] == []
    assert all(secret not in str(record.exc_info) for record in caplog.records)


# -- linking --------------------------------------------------------------------------------
async def test_a_chat_is_linked_by_a_code_once_and_strangers_get_one_sentence():
    async with room() as r:
        await r.on()
        r.api.write("/status", 99)
        await until(lambda: r.api.texts(99), "the sentence")
        assert "not linked" in r.api.texts(99)[0]
        r.api.write("/funds", 99)
        code = r.bot.new_code().code
        said = await r.ask(f"/link {code}")
        assert "Linked with" in said.text
        assert [chat.chat_id for chat in r.bot.chats()] == [USER]
        r.api.write(f"/link {code}", 99)  # used up
        await until(lambda: r.bot.status.refused == 3, "the count")
        assert len(r.api.texts(99)) == 1  # one sentence within a minute, whatever they write
        r.clock.advance(61)
        r.api.write("hello", 99)
        await until(lambda: len(r.api.texts(99)) == 2, "a sentence after a minute")
        assert [chat.chat_id for chat in r.bot.chats()] == [USER]
        assert await r.vault.get(f"telegram.totp.{USER}") is not None
        assert await r.vault.get("telegram.totp.99") is None


async def test_a_crowd_of_strangers_is_answered_twenty_times_a_minute():
    async with room() as r:
        await r.on()
        for chat in range(100, 130):
            r.api.write("hello", chat)
        await until(lambda: r.bot.status.refused == 30, "the count")
        await until(lambda: len(r.api.said) == 20, "the answers")
        r.clock.advance(61)
        assert (await r.ask("hello", 131)).chat == 131
    assert r.store.values["telegram"]["refused"] >= 30


async def test_a_code_dies_by_wrong_tries_and_by_age():
    async with room() as r:
        await r.on()
        code = r.bot.new_code().code
        wrong = f"{(int(code) + 1) % 10**6:06d}"
        for _ in range(4):
            assert "wrong" in (await r.ask(f"/link {wrong}")).text
        await r.ask(f"/link {wrong}")
        await r.ask(f"/link {code}", 98)
        assert r.bot.chats() == []
        code = r.bot.new_code().code
        r.clock.advance(301)
        await r.ask(f"/link {code}", 97)
        assert r.bot.chats() == []
        code = r.bot.new_code().code
        assert "Linked" in (await r.ask(f"/start {code}", 96)).text


async def test_groups_and_other_chats_only_where_the_settings_let_them():
    async with room() as r:
        await r.on()
        code = r.bot.new_code().code
        r.api.write(f"/link {code}", -50, user=7, group="Traders")
        await until(lambda: r.api.texts(-50), "the refusal")
        assert "groups" in r.api.texts(-50)[0] and r.bot.chats() == []
        r.settings.set("telegram.groups", True)
        r.settings.set("telegram.allowed_chats", "-50")
        assert "not linked" in (await r.ask(f"/link {code}")).text
        r.api.write(f"/link {code}", -50, user=7, group="Traders")
        await until(r.bot.chats, "the link")
        await until(lambda: len(r.api.texts(-50)) == 2, "the greeting")
        r.api.write("/funds", -50, user=8, group="Traders")
        await until(lambda: r.bot.status.refused == 3, "the count")
        r.api.write("/funds@desk_bot", -50, user=7, group="Traders")
        await until(lambda: len(r.api.texts(-50)) == 3, "the funds")
        assert "Funds (SANDBOX)" in r.api.texts(-50)[2]


async def test_unlinking_ends_everything_at_once():
    async with room() as r:
        await r.on()
        await r.link()
        assert "unlinked" in (await r.ask("/unlink")).text
        assert r.bot.chats() == [] and r.vault.values.keys() == {"telegram.token"}
        assert "not linked" in (await r.ask("/funds")).text
        await r.link(5)
        await r.bot.unlink(5)
        with pytest.raises(AppError, match="not linked"):
            await r.bot.unlink(5)
        assert r.store.values["telegram.chats"] == {}


async def test_a_full_disk_keeps_no_chat_linked_and_no_request_alive():
    async with room() as r:
        r.settings.set("telegram.money", True)
        await r.on()
        await r.link()
        await r.press(await r.ask("/kill"), "Yes, close all")
        r.store.fails = True
        with pytest.raises(AppError, match="is unlinked, but the disk does not take it"):
            await r.bot.unlink(USER)
        assert (r.bot.chats(), r.bot.waiting()) == ([], [])
        assert r.store.values["telegram.chats"] == {}  # by the write that comes again


async def test_a_chat_that_is_unlinked_while_it_is_answered_hears_nothing_of_the_account():
    async with room() as r:
        await r.on()
        await r.link()
        asked, go = asyncio.Event(), asyncio.Event()
        funds = r.desk.funds

        async def slow() -> Funds:
            asked.set()
            await go.wait()
            return await funds()

        r.desk.funds = slow  # type: ignore[method-assign]
        r.api.write("/funds")
        await asked.wait()
        await r.bot.unlink(USER)
        go.set()
        assert "not linked" in (await r.ask("/mode")).text
        assert not [text for text in r.api.texts() if "Funds" in text]


async def test_commands_that_are_too_many_at_once_are_told_of_once():
    async with room() as r:
        await r.on()
        await r.link()
        go = asyncio.Event()
        funds = r.desk.funds

        async def slow() -> Funds:
            await go.wait()
            return await funds()

        r.desk.funds = slow  # type: ignore[method-assign]
        before = len(r.api.said)
        for _ in range(13):
            r.api.write("/funds")
        await until(lambda: len(r.api.said) > before, "the word")
        assert "not carried out" in r.api.texts()[-1]
        go.set()
        await until(lambda: len(r.api.said) == before + 11, "the answers")
        assert sum("not carried out" in text for text in r.api.texts()) == 1


# -- commands -------------------------------------------------------------------------------
async def test_lists_show_ten_rows_and_the_sums_and_every_command_is_kept():
    async with room() as r:
        await r.on()
        await r.link()
        r.desk.rows = [order(number) for number in range(12)]
        r.desk.rows.append(order(12, OrderStatus.REJECTED, action=Action.SELL))
        lines = (await r.ask("/orderbook")).text.split("\n")
        assert lines[0] == "Orders (SANDBOX)"
        assert lines[1].startswith("1. SELL 10 SBIN NSE MIS MARKET")
        assert lines[11] == "… and 3 more"
        assert lines[-1] == "total 13 · open 0 · completed 12 · rejected 1 · buys 12 · sells 1"
        status = (await r.ask("/status")).text.split("\n")
        assert status[1:] == [
            f"user Asha (@asha{USER})",
            "mode SANDBOX",
            "order account Simulator: connected",
            "prices of Simulator: coming",
            "kill switch off",
            "local API http://127.0.0.1:5000",
            "linked since 01 Dec 2026 10:15 IST",
        ]
        money = (await r.ask("/FUNDS")).text
        assert "cash ₹9,87,654.50" in money and "total ₹10,00,000.00" in money
        assert "No live account" in (await r.ask("/positions live")).text
        r.desk.elsewhere = Desk()
        assert (await r.ask("/orderbook LIVE")).text == "Orders (LIVE)\nThere is no order today."
        assert "say sandbox, live" in (await r.ask("/pnl today")).text
        assert "Did you mean" in (await r.ask("/position")).text
        assert "no strategies" in (await r.ask("/strategies")).text
        menu = await r.ask("/menu")
        assert "No position is open" in (await r.press(menu, "Positions")).text
        assert len(r.api.answered) == 1
        rows = r.bot.commands_since(r.clock.now().replace(hour=0))
        assert [row.command for row in rows] == [
            "link", "orderbook", "status", "funds", "positions", "orderbook", "pnl", "position",
            "strategies", "menu", "positions",
        ]  # fmt: skip
        kept = r.store.values["telegram.commands"]
        assert [row["command"] for _, row in sorted(kept.items())] == [row.command for row in rows]


async def test_too_many_commands_get_one_warning():
    async with room() as r:
        r.settings.set("telegram.commands_per_minute", 2)
        await r.on()
        await r.link()
        for _ in range(5):
            r.api.write("/mode")
        await until(lambda: len(r.api.texts()) == 4, "two answers and a warning")
        assert "limit" in r.api.texts()[3]
        r.clock.advance(61)
        assert (await r.ask("/mode")).text == "Orders go to SANDBOX."
        assert len(r.api.texts()) == 5


# -- what Telegram may do -------------------------------------------------------------------
async def test_a_lost_connection_comes_back_and_nothing_is_lost():
    async with room() as r:
        await r.on()
        await r.link()
        r.api.cut = 2
        r.api.refuse["sendMessage"] = deque([(502, {}), (502, {})])
        assert (await r.ask("/mode")).text == "Orders go to SANDBOX."
        assert r.api.cut == 0 and r.pauses[:1] != []
        await until(lambda: r.bot.status.state is BotState.RUNNING, "the return")
        assert r.api.texts().count("Orders go to SANDBOX.") == 1


async def test_answers_that_are_no_answers_are_waited_out():
    async with room() as r:
        await r.on()
        await r.link()
        r.api.garbage = {"getUpdates": 2, "sendMessage": 2}
        assert (await r.ask("/mode")).text == "Orders go to SANDBOX."
        await until(lambda: r.bot.status.state is BotState.RUNNING, "the return")
        assert r.api.garbage == {"getUpdates": 0, "sendMessage": 0}


async def test_a_fault_of_our_own_ends_neither_sending_nor_polling(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    async with room() as r:
        await r.on()
        await r.link()
        wire = r.bot._session._wire  # type: ignore[union-attr]
        good = {name: getattr(wire, name) for name in ("send", "updates")}

        def once(name: str) -> None:
            async def broken(*_: object) -> None:
                monkeypatch.setattr(wire, name, good[name])
                raise ValueError("a fault")

            monkeypatch.setattr(wire, name, broken)

        once("send")
        once("updates")
        r.api.write("/mode")  # its answer is lost
        waits = "Telegram bot: waiting. Telegram's answer cannot be used; the log file says why."
        await until(lambda: waits in caplog.text, "the sentence")  # it runs again in a moment
        assert "Funds" in (await r.ask("/funds")).text


async def test_a_name_is_one_line_whatever_its_owner_made_of_it():
    async with room() as r:
        await r.on()
        r.api.name = "A\nERROR root: forged\u202e" + "x" * 100
        chat = await r.link()
        assert chat.name == f"A ERROR root: forged {'x' * 100}"[:64]


async def test_with_a_locked_vault_the_bot_says_so_and_does_not_run():
    async with room() as r:
        bot = Telegram(r.rooms, r.settings, r.store, r.vault, "trader", locked_vault="No keyring.")
        with pytest.raises(ConfigError, match=r"vault is locked.*No keyring"):
            await bot.switch(True)
        r.settings.set("telegram.enabled", True)
        await until(lambda: bot.status.state is BotState.REFUSED, "the refusal")
        assert "No keyring." in bot.status.text and r.api.log == []
        await bot.stop()


@pytest.mark.parametrize("status", [401, 404])
async def test_a_revoked_token_ends_the_polling_with_a_sentence(status: int):
    async with room() as r:
        await r.on()
        r.api.refuse_all = status
        r.api.write("/status")
        await until(lambda: r.bot.status.state is BotState.REFUSED, "the refusal")
        assert "does not take the token" in r.bot.status.text
        before = len(r.api.log)
        r.api.refuse_all = 0
        with pytest.raises(ConfigError):
            r.bot.new_code()
        assert len(r.api.log) == before
        await r.bot.switch(True)  # a human tries again
        assert r.bot.status.state is BotState.RUNNING


async def test_another_poller_is_told_and_waited_for(caplog: pytest.LogCaptureFixture):
    async with room() as r:
        await r.on()
        r.api.refuse["getUpdates"] = deque([(409, {})] * 3)
        r.api.write("/status")
        await until(lambda: "bot: waiting. Another program" in caplog.text, "the text")
        await until(lambda: r.bot.status.state is BotState.RUNNING, "the return")


async def test_a_flood_limit_is_waited_out():
    async with room() as r:
        await r.on()
        await r.link()
        r.api.refuse["sendMessage"] = deque([(429, {"retry_after": 37})])
        start = r.clock.monotonic()
        assert (await r.ask("/mode")).text == "Orders go to SANDBOX."
        assert r.clock.monotonic() - start >= 37


async def test_updates_that_come_again_after_a_restart_do_nothing():
    store, vault = MemoryStore(), MemorySecrets()
    async with TelegramEmulator() as api:
        async with room(store, vault, api) as r:
            await r.on()
            await r.link()
            await r.ask("/mode")
            api.repeat = True  # as if the confirmation had never arrived
        count = len(api.said)
        async with room(store, vault, api) as r:
            await r.on()
            said = await r.ask("/funds")
            assert "Funds" in said.text and len(api.said) == count + 1
            assert [chat.chat_id for chat in r.bot.chats()] == [USER]


async def test_the_place_is_on_disk_before_a_command_runs(monkeypatch: pytest.MonkeyPatch):
    """Killed between the two, the command is lost and not run twice."""
    store, vault = MemoryStore(), MemorySecrets()
    async with TelegramEmulator() as api:
        async with room(store, vault, api) as r:
            await r.on()
            await r.link()
            board = r.bot._session.board  # type: ignore[union-attr]
            seen: list[int] = []
            poller = r.bot._session._poller  # type: ignore[union-attr]
            monkeypatch.setattr(
                poller,
                "_take",
                lambda update: seen.append(store.values["telegram"]["updates"]["next"]),
            )
            number = api.write("/kill")
            await until(lambda: seen, "the update")
            assert seen == [number + 1] and board.factor.waiting() == []
            api.repeat = True
        count = len(api.said)
        async with room(store, vault, api) as r:
            await r.on()
            assert (await r.ask("/mode")).text == "Orders go to SANDBOX."
            assert len(api.said) == count + 1


async def test_a_disk_that_takes_nothing_does_not_keep_the_chat_out():
    async with room() as r:
        await r.on()
        await r.link()
        r.store.fails = True
        assert "SANDBOX" in (await r.ask("/mode")).text


def test_the_library_is_not_imported_by_the_program_that_starts():
    import subprocess

    code = (
        "import sys, openalgo_desktop.runtime.start_telegram;"
        "print([name for name in sys.modules if name.split('.')[0] == 'telegram' or"
        " name.endswith(('telegram.session', 'telegram.wire', 'telegram.picture'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
