"""Makes the host of the user's programs; loaded when there are some (:mod:`.programs`)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from openalgo_desktop.automation.host.catalog.registry import Registry
from openalgo_desktop.automation.host.life.book import BookResults
from openalgo_desktop.automation.host.life.gate import HostGate
from openalgo_desktop.automation.host.life.kept import KeptRows
from openalgo_desktop.automation.host.life.keys import RunKeys
from openalgo_desktop.automation.host.life.own_exits import OwnExits
from openalgo_desktop.automation.host.life.ports import Tools
from openalgo_desktop.automation.host.logs import RunLogs
from openalgo_desktop.automation.host.processes import HostProcesses
from openalgo_desktop.automation.host.service import Facts, Host
from openalgo_desktop.config.resources import resource_path
from openalgo_desktop.core.clock import PacedClock
from openalgo_desktop.runtime.strategy_names import beside_programs

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal

#: Where the derivatives of a cash exchange are.
_DERIVATIVES = {"NSE": "NFO", "BSE": "BFO"}
#: Exchanges that are searched for an underlying that names none.
_EXCHANGES = ("NFO", "BFO", "MCX", "CDS", "NCO")


def make_host(terminal: Terminal) -> Host:
    """The host of a terminal; it does nothing yet."""
    folder = terminal.data_dir.path / "strategies"
    clean = terminal.logs.redactor.clean
    processes = HostProcesses(
        folder,
        terminal.clock,
        clean,
        interpreter=lambda: terminal.settings["hosting.interpreter"],
        rehearsal=lambda: rehearsal_of(terminal.options.clock),
    )
    expiries = partial(expiries_of, terminal)
    results = BookResults(terminal.strategy_book)
    tools = Tools(
        clock=terminal.clock,
        bus=terminal.bus,
        registry=Registry(
            folder / "programs", terminal.state, terminal.clock, terminal.calendar, expiries
        ),
        rows=KeptRows(terminal.state, folder / "wanted"),
        keys=RunKeys(terminal.keys),
        processes=processes,
        gate=HostGate(
            lambda: terminal.desk.risk.blocked,
            lambda mode: terminal.desk.gateway_of(mode).account_id,
            lambda: None if terminal.api is None else (terminal.api.rest_url, terminal.api.ws_url),
        ),
        closer=OwnExits(terminal.desk),
        results=results,
        grace=lambda: float(terminal.settings["hosting.stop_grace"]),
    )
    logs = RunLogs(processes.places, clean, terminal.clock)
    host = Host(
        tools,
        logs,
        Facts(
            terminal.calendar,
            expiries,
            results.record,
            partial(beside_programs, terminal),
            lambda: (
                int(terminal.settings["hosting.log_days"]),
                int(terminal.settings["hosting.log_megabytes"]),
            ),
        ),
    )
    terminal.keys.on_used(host.heard)
    terminal.risk_rules.programs = host.quotas
    return host


def rehearsal_of(clock: PacedClock | None) -> dict[str, str]:
    """What makes a script live on the clock of a rehearsal (``resources/rehearsal``); nothing
    otherwise."""
    if clock is None:
        return {}
    told = f"{clock.anchor!r} {clock.epoch!r} {clock.pace!r}"
    return {"OPENALGO_REHEARSAL": told, "PYTHONPATH": str(resource_path("rehearsal"))}


def expiries_of(terminal: Terminal, underlying: str) -> Collection[date]:
    """Expiry dates, today or later, of ``NIFTY`` or ``MCX:CRUDEOIL``; empty: none is known."""
    exchange, colon, name = underlying.rpartition(":")
    names = (_DERIVATIVES.get(exchange, exchange),) if colon else _EXCHANGES
    today = terminal.clock.now().date()
    found: set[date] = set()
    for place in names:
        for futures in (False, True):
            found.update(terminal.instruments.expiries(name, place, futures, today))
        if found:
            break
    return found
