"""The commands of a chat, as one table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, TypeAlias

from openalgo_desktop.automation.telegram import books, control, prices
from openalgo_desktop.automation.telegram.factor import SecondFactor
from openalgo_desktop.automation.telegram.ports import Button
from openalgo_desktop.automation.telegram.rooms import Answer, Rooms, title
from openalgo_desktop.core.clock import age_text
from openalgo_desktop.core.telegram import LinkedChat


class Asked(NamedTuple):
    """A command that came: from whom, its words, and what it may touch."""

    rooms: Rooms
    chat: LinkedChat
    words: Sequence[str]
    factor: SecondFactor
    money: bool  # whether chats may change money
    since: float  # monotonic seconds at which the bot was switched on
    unlink: Callable[[], Awaitable[None]]


Handler: TypeAlias = Callable[[Asked], Awaitable[Answer]]


class Command(NamedTuple):
    """One row. ``usage`` are its words; ``money`` ones change something, after a second factor;
    ``button`` stands in the menu."""

    name: str
    help: str
    handler: Handler
    usage: str = ""
    money: bool = False
    button: str = ""
    also: tuple[str, ...] = ()


def _reading(
    read: Callable[[Rooms, Sequence[str]], Awaitable[Answer]],
) -> Handler:
    async def handler(asked: Asked) -> Answer:
        return await read(asked.rooms, asked.words)

    return handler


# -- about the bot --------------------------------------------------------------------------
async def _start(asked: Asked) -> Answer:
    return Answer(
        f"This chat is linked with {asked.rooms.program}. /menu has buttons, /help all commands."
    )


async def _help(asked: Asked) -> Answer:
    rows = [
        f"/{row.name}{f' {row.usage}' if row.usage else ''} – {row.help}"
        for row in COMMANDS
        if asked.money or not row.money
    ]
    off = "" if asked.money else "\n\nCommands that change money are switched off."
    return Answer("\n".join(rows) + off)


async def _menu(asked: Asked) -> Answer:
    buttons = [Button(row.button, f"c:{row.name}") for row in COMMANDS if row.button]
    rows = [buttons[at : at + 2] for at in range(0, len(buttons), 2)]
    return Answer(f"Orders go to {title(asked.rooms.desk.mode)}.", rows)


async def _status(asked: Asked) -> Answer:
    rooms, chat = asked.rooms, asked.chat
    live, data = rooms.live(), rooms.data()
    on = age_text(rooms.clock.monotonic() - asked.since)
    lines = [
        f"{rooms.program}: running, bot on for {on}",
        f"user {chat.name}{f' (@{chat.username})' if chat.username else ''}",
        f"mode {title(rooms.desk.mode)}",
        f"order account {live.title or live.broker}: {live.state.value}",
        f"prices of {data.title or data.broker}: {'coming' if rooms.hub.sound else 'lost'}",
        "kill switch ON: new orders are refused"
        if rooms.kill_switch.tripped
        else "kill switch off",
    ]
    if address := rooms.address():
        lines.append(f"local API {address}")
    if rooms.locked():
        lines.append("the window is locked")
    if unsettled := rooms.desk.unsettled():
        lines.append(f"{unsettled} orders without an answer are being looked up")
    if chat.linked_at is not None:
        lines.append(f"linked since {chat.linked_at:%d %b %Y %H:%M} IST")
    return Answer("\n".join(lines))


async def _unlink(asked: Asked) -> Answer:
    await asked.unlink()
    return Answer("This chat is unlinked: it may ask no more and is told nothing any more.")


async def _cancel(asked: Asked) -> Answer:
    return Answer(asked.factor.take_back(asked.chat.chat_id))


# -- what changes money ---------------------------------------------------------------------
async def _mode(asked: Asked) -> Answer:
    return await control.mode(asked.rooms, asked.chat, asked.factor, asked.money)


async def _closeall(asked: Asked) -> Answer:
    return await control.closeall(asked.rooms, asked.chat, asked.factor)


async def _stop(asked: Asked) -> Answer:
    return await control.stop(asked.rooms, asked.chat, asked.factor)


async def _kill(asked: Asked) -> Answer:
    return await control.kill(asked.rooms, asked.chat, asked.factor)


C = Command
#: Books are those of the current mode unless the other one is named.
_MODE = "[sandbox|live]"
COMMANDS: tuple[Command, ...] = (
    C("menu", "buttons for the most used", _menu),
    C("status", "what runs, and in which mode", _status),
    C("orderbook", "orders of the day", _reading(books.orderbook), _MODE, button="Orders"),
    C("tradebook", "trades of the day", _reading(books.tradebook), _MODE, button="Trades"),
    C("positions", "open positions", _reading(books.positions), _MODE, button="Positions"),
    C("holdings", "delivered shares", _reading(books.holdings), _MODE, button="Holdings"),
    C("funds", "money of the account", _reading(books.funds), _MODE, button="Funds"),
    C("pnl", "result of today, with charges", _reading(books.pnl), _MODE, button="P&L"),
    C("quote", "the market of an instrument", _reading(prices.quote), "SYMBOL [EXCHANGE]"),
    C(
        "chart",
        "candles as a picture (5m and 5 days, D and 252 days)",
        _reading(prices.chart),
        "SYMBOL [EXCHANGE] [intraday|daily|both] [interval] [days]",
    ),
    C("chain", "an option chain in short", _reading(prices.chain), "UNDERLYING [EXPIRY]"),
    C(
        "strategies",
        "strategies with state and result",
        _reading(control.strategies),
        button="Strategies",
    ),
    C("mode", "sandbox or live", _mode),
    C("closeall", "close all positions", _closeall, money=True),
    C("stop", "stop strategies", _stop, money=True, also=("stoppython",)),
    C("kill", "the kill switch: block, cancel, close", _kill, money=True),
    C("cancel", "take back what waits for a code", _cancel, money=True),
    C("unlink", "this chat may ask no more and is told no more", _unlink),
    C("help", "all commands", _help),
    C("start", "what this is", _start),
)

BY_NAME: dict[str, Command] = {name: row for row in COMMANDS for name in (row.name, *row.also)}
#: What a button of the menu may run: it stays in the chat for ever, so it only shows.
BUTTONS = frozenset(row.name for row in COMMANDS if row.button) | {"menu"}
