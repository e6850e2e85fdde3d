"""Makes the Telegram bot, and starts it last of all: it asks every other part. While it is switched
off it costs its object and one subscription."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from openalgo_desktop.automation.telegram.channel import TelegramChannel
from openalgo_desktop.automation.telegram.rooms import Rooms
from openalgo_desktop.automation.telegram.service import Telegram
from openalgo_desktop.automation.telegram.strategies import HostedRoom, MadeRoom
from openalgo_desktop.core.reports import AuditEntry
from openalgo_desktop.core.telegram import WHO
from openalgo_desktop.runtime.options import USER

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal

#: Letters of an answer that the audit trail keeps.
MAX_ANSWER = 500


def make_telegram(terminal: Terminal) -> None:
    """Make ``terminal.telegram``; the API knows it, so it is there before."""
    accounts = terminal.accounts
    rooms = Rooms(
        clock=terminal.clock,
        bus=terminal.bus,
        desk=terminal.desk,
        hub=terminal.hub,
        instruments=terminal.instruments,
        calendar=terminal.calendar,
        bars=terminal.bars,
        kill_switch=terminal.kill_switch,
        charges=lambda: terminal.sandbox.charging.table,
        plan=lambda: str(terminal.settings["sandbox.brokerage_plan"]),
        live=lambda: accounts[accounts.orders].status,
        data=lambda: terminal.account.status,
        locked=lambda: terminal.lock.locked,
        always_open=terminal.always_open,
        record=partial(_record, terminal),
        address=lambda: "" if terminal.api is None else terminal.api.rest_url,
    )
    terminal.telegram = Telegram(
        rooms,
        terminal.settings,
        terminal.state,
        terminal.vault,
        USER,
        locked_vault=terminal.vault.locked,
    )


async def start_telegram(terminal: Terminal) -> None:
    """Begin to answer and to tell, where the bot is switched on."""
    telegram = terminal.telegram
    telegram.add_strategies(MadeRoom(terminal.strategies))
    telegram.add_strategies(HostedRoom(terminal.programs))
    terminal.on_stop(terminal.alerts.teller.add(TelegramChannel(telegram)))
    await telegram.start()
    terminal.on_stop(telegram.stop)


def _record(terminal: Terminal, what: str, subject: str, answer: str) -> None:
    entry = AuditEntry(terminal.clock.now(), WHO, what, subject, answer=answer[:MAX_ANSWER])
    terminal.audit.record(entry)
