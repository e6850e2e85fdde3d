"""Commands that change money. Each only asks; what it does waits for the second factor, and goes
to the mode of the question: if the switch moved since, nothing is done."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from openalgo_desktop.automation.telegram.factor import Choice, SecondFactor
from openalgo_desktop.automation.telegram.rooms import Answer, Rooms, other, title
from openalgo_desktop.automation.telegram.words import SHOWN, rupees
from openalgo_desktop.core.acting import actor
from openalgo_desktop.core.enums import AccountState, Mode
from openalgo_desktop.core.errors import AppError, ConfigError, NotConnected
from openalgo_desktop.core.telegram import WHO, LinkedChat, StrategyLine, StrategyRoom

_CANCEL = Choice("Cancel")
#: Reasons that are shown of many.
_REASONS = 5


# -- closing --------------------------------------------------------------------------------
async def closeall(rooms: Rooms, chat: LinkedChat, factor: SecondFactor) -> Answer:
    """Ask whether all positions shall be closed."""
    factor.check()
    mode = rooms.desk.mode
    rows = [row for row in await rooms.desk.bound(mode).read.positions() if row.can_close]
    result = sum(row.pnl for row in rows)
    text = (
        f"Close all {len(rows)} open positions ({title(mode)}, {rupees(result, sign=True)} today) "
        f"at market, and cancel all working orders?{await _elsewhere(rooms, other(mode))}"
    )
    what = f"Cancel all orders and close all positions ({title(mode)})."

    async def close() -> str:
        return await _close(rooms, mode)

    async def close_and_stop() -> str:
        # The strategies first: they would open again what is closed.
        stopped = await _stop_all(rooms)
        return f"{stopped}\n{await _close(rooms, mode)}"

    return factor.question(
        chat,
        text,
        [
            Choice("Yes", what, close),
            Choice("Yes + stop strategies", f"Stop all strategies. {what}", close_and_stop),
            _CANCEL,
        ],
    )


async def _elsewhere(rooms: Rooms, mode: Mode) -> str:
    """What is open in the other mode, which closing does not touch."""
    try:
        held = await rooms.desk.bound(mode).read.positions()
    except AppError:
        return ""
    count = sum(1 for row in held if row.can_close)
    return f"\n{count} open positions of {title(mode)} are not touched." if count else ""


async def _close(rooms: Rooms, mode: Mode) -> str:
    token = actor.set(WHO)
    try:
        done = await rooms.desk.closing.close_all(WHO, mode, cancel_orders=True)
    finally:
        actor.reset(token)
    lines = [f"{title(mode)}: {done.closed} positions closed, {done.failed} not."]
    lines += done.errors[:_REASONS]
    if len(done.errors) > _REASONS:
        lines.append(f"… and {len(done.errors) - _REASONS} more")
    return "\n".join(lines)


# -- strategies -----------------------------------------------------------------------------
async def _listed(rooms: Rooms) -> list[tuple[StrategyRoom, StrategyLine]]:
    return [(room, row) for room in rooms.strategies for row in await room.listed()]


def _strategy_text(row: StrategyLine) -> str:
    mode = f" ({row.mode.upper()})" if row.mode else ""
    return f"{row.name}{mode}: {row.state}, {rupees(row.pnl, sign=True)}"


async def strategies(rooms: Rooms, words: Sequence[str]) -> Answer:
    """All strategies with state and result."""
    rows = [row for _, row in await _listed(rooms)]
    if not rows:
        return Answer("There are no strategies.")
    running = sum(1 for row in rows if row.running)
    rows.sort(key=lambda row: not row.running)
    lines = ["Strategies", *(_strategy_text(row) for row in rows[:SHOWN])]
    if len(rows) > SHOWN:
        lines.append(f"… and {len(rows) - SHOWN} more")
    return Answer("\n".join([*lines, "", f"total {len(rows)} · running {running}"]))


async def stop(rooms: Rooms, chat: LinkedChat, factor: SecondFactor) -> Answer:
    """Ask which strategy shall be stopped."""
    factor.check()
    running = [(room, row) for room, row in await _listed(rooms) if row.running]
    if not running:
        return Answer("No strategy is running.")

    def one(room: StrategyRoom, row: StrategyLine) -> Choice:
        async def act() -> str:
            return await room.stop(row.strategy_id, WHO)

        return Choice(row.name, f"Stop the strategy {row.name}.", act)

    async def everything() -> str:
        return await _stop_all(rooms)

    choices = [one(room, row) for room, row in running[:SHOWN]]
    choices += [Choice("Stop all", f"Stop all {len(running)} strategies.", everything), _CANCEL]
    more = f" (the first {SHOWN} of {len(running)})" if len(running) > SHOWN else ""
    return factor.question(chat, f"Which strategy shall be stopped?{more}", choices)


async def _stop_all(rooms: Rooms) -> str:
    """All at once: each may take its grace time."""

    async def one(room: StrategyRoom, row: StrategyLine) -> str:
        try:
            return await room.stop(row.strategy_id, WHO)
        except AppError as error:
            return f"{row.name}: {error.message}"

    running = [(room, row) for room, row in await _listed(rooms) if row.running]
    said = await asyncio.gather(*(one(room, row) for room, row in running))
    return "\n".join(said) or "No strategy was running."


# -- mode -----------------------------------------------------------------------------------
async def mode(rooms: Rooms, chat: LinkedChat, factor: SecondFactor, allowed: bool) -> Answer:
    """Show the mode, and ask whether it shall be the other one."""
    now = rooms.desk.mode
    to = other(now)
    text = f"Orders go to {title(now)}."
    if not allowed:
        return Answer(text)

    async def switch() -> str:
        if rooms.desk.mode is not now:
            return f"The mode was changed meanwhile. Orders go to {title(rooms.desk.mode)}."
        if to is Mode.LIVE and rooms.live().state is not AccountState.CONNECTED:
            raise NotConnected("The broker's account is not connected.")
        token = actor.set(WHO)
        try:
            await rooms.desk.set_mode(to, WHO)
        finally:
            actor.reset(token)
        money = " with real money" if to is Mode.LIVE else ""
        return f"Orders go to {title(to)}{money} from now on."

    what = f"Orders of every source go to {title(to)} from now on."
    return factor.question(chat, text, [Choice(f"Switch to {title(to)}", what, switch), _CANCEL])


# -- kill switch ----------------------------------------------------------------------------
async def kill(rooms: Rooms, chat: LinkedChat, factor: SecondFactor) -> Answer:
    """Ask whether the kill switch shall be pulled."""
    factor.check()
    now = rooms.desk.mode
    again = "It is on already; this tries again what is left. " if rooms.kill_switch.tripped else ""

    def pull(flatten: bool) -> Choice:
        async def act() -> str:
            if rooms.desk.mode is not now:
                raise ConfigError("The mode was changed meanwhile. Send /kill again.")
            token = actor.set(WHO)
            try:
                report = await rooms.kill_switch.trip(WHO, flatten=flatten)
            finally:
                actor.reset(token)
            return "\n".join([report.text, *report.errors[:_REASONS]])

        words = "cancel all orders, close all positions" if flatten else "cancel all orders"
        name = "Yes, close all" if flatten else "Yes, cancel only"
        what = f"Kill switch ({title(now)}, and what is bound to the other mode): "
        return Choice(name, f"{what}block new orders, {words}.", act)

    text = (
        f"{again}Pull the kill switch ({title(now)})? New orders of every source are refused until "
        "it is reset in the program."
    )
    return factor.question(chat, text, [pull(True), pull(False), _CANCEL])
