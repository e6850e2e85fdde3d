"""Starts the alerts, after the market, the bars and the drawings that they look at."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from openalgo_desktop.analytics.contracts import Contracts
from openalgo_desktop.analytics.held_greeks import HeldOptions
from openalgo_desktop.automation.alerts.acts import Actors
from openalgo_desktop.automation.alerts.drawings import BookDrawings
from openalgo_desktop.automation.alerts.engine import Alerts
from openalgo_desktop.automation.alerts.ports import Reach, Sources
from openalgo_desktop.automation.alerts.studies import RegistryStudies
from openalgo_desktop.automation.alerts.telling import Teller
from openalgo_desktop.automation.alerts.webhook import WebPoster
from openalgo_desktop.core.charting.rhythm import Rhythm
from openalgo_desktop.core.charting.sessions import Sessions
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.charting.surroundings import Surroundings
from openalgo_desktop.core.model import Key
from openalgo_desktop.runtime.alert_ways import AlertCorridor, AlertStrategies
from openalgo_desktop.storage.price_alerts import (
    DeedRepository,
    PriceAlertRepository,
    ToldAlertRepository,
)

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal


async def start_alerts(terminal: Terminal) -> None:
    """Make ``terminal.alerts``."""

    @cache
    def sessions(exchange: str) -> Sessions:
        return Sessions.of(terminal.calendar, exchange)

    def around(key: Key, span: Span) -> Surroundings:
        row = terminal.instruments.get(key)
        return Surroundings(
            key,
            span,
            0.0 if row is None else row.tick_size,
            sessions(key[0]),
            rhythm=lambda longer: Rhythm(longer, key[0], terminal.calendar),
        )

    teller = Teller(terminal.clock, terminal.bus, ToldAlertRepository(terminal.state))
    reach = Reach(
        terminal.calendar,
        lambda price: HeldOptions(
            terminal.instruments,
            Contracts(terminal.instruments, terminal.hub),
            terminal.clock,
            price,
        ),
        terminal.desk.books.book,
    )
    terminal.alerts = Alerts(
        terminal.clock,
        terminal.bus,
        terminal.instruments,
        terminal.hub,
        PriceAlertRepository(terminal.state),
        teller,
        terminal.market_open,
        Sources(terminal.bars, RegistryStudies(around), BookDrawings(terminal.drawings)),
        reach,
    )
    teller.actors = Actors(
        terminal.clock,
        terminal.bus,
        DeedRepository(terminal.state),
        AlertCorridor(terminal),
        WebPoster(terminal.vault, lambda: bool(terminal.settings["alert.private_webhooks"])),
        terminal.alerts.has,
        teller.settled,
    )
    await terminal.alerts.start()
    terminal.on_stop(terminal.alerts.stop)


def give_strategies(terminal: Terminal) -> None:
    """Let alerts run and stop strategies, which start after them."""
    actors = terminal.alerts.actors
    assert actors is not None
    actors.strategies = AlertStrategies(
        terminal.programs,
        terminal.strategies,
        lambda mode: terminal.desk.gateway_of(mode).account_id,
    )
