"""Tells by the channels of an alert, and keeps what was told."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from openalgo_desktop.automation.alerts.ports import Channel
from openalgo_desktop.core.alerts import ZERO, PriceAlert, ToldAlert
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.events import AlertLogChanged, Bus, PriceAlertFired
from openalgo_desktop.core.ports import ToldAlertStore

log = logging.getLogger(__name__)

#: What was told is kept so long, and so many rows of it at most.
KEPT, MAX_ROWS = timedelta(days=90), 2000
#: A channel that took nothing in this time did not take it, seconds.
PATIENCE = 10.0
#: What all took in this time is stored once, with their names; seconds.
PROMPT = 0.5


class Teller:
    """The channels that are there, and the log. ``start`` before the first alert tells."""

    def __init__(self, clock: Clock, bus: Bus, store: ToldAlertStore) -> None:
        self._clock = clock
        self._bus = bus
        self._store = store
        self._channels: dict[str, Channel] = {}
        self._rows: dict[str, ToldAlert] = {}  # oldest first
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Take up what earlier runs told."""
        self._rows = {row.told_id: row for row in await self._store.load()}
        self.tidy()

    async def stop(self) -> None:
        """What a channel has not taken yet, it does not take."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # -- channels ---------------------------------------------------------------------------
    def add(self, channel: Channel) -> Callable[[], None]:
        """Tell by ``channel`` where an alert names it; returns the call that takes it away."""
        self._channels[channel.name] = channel

        def remove() -> None:
            if self._channels.get(channel.name) is channel:
                del self._channels[channel.name]

        return remove

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Those that are there now."""
        return tuple(self._channels.values())

    # -- the log ----------------------------------------------------------------------------
    def rows(self) -> list[ToldAlert]:
        """What was told, newest first."""
        return list(reversed(self._rows.values()))

    def tidy(self) -> None:
        """Forget what is too old, and the oldest of too many."""
        first = self._clock.now() - KEPT
        names = list(self._rows)
        gone = names[: max(0, len(names) - MAX_ROWS)]
        for name in names[len(gone) :]:
            if self._rows[name].at >= first:
                break
            gone.append(name)
        for name in gone:
            del self._rows[name]
            self._store.forget(name)
        if gone:
            self._bus.publish(AlertLogChanged())

    # -- telling ----------------------------------------------------------------------------
    def tell(self, alert: PriceAlert, text: str, now: datetime) -> None:
        """Tell ``text`` of an alert that fired: at once, and without waiting for a channel."""
        wish = alert.wish
        told = ToldAlert(
            told_id=f"{now:%y%m%d%H%M%S}-{secrets.token_hex(4)}",
            alert_id=alert.alert_id,
            exchange=wish.exchange,
            symbol=wish.symbol,
            at=now,
            value=ZERO if alert.fired_value is None else alert.fired_value,
            text=text,
            line=alert.fired_line,
            note=wish.note,
        )
        log.info("alert %s told: %s", alert.alert_id, text)
        self._rows[told.told_id] = told
        self._bus.publish(AlertLogChanged(told=told))
        self._bus.publish(PriceAlertFired(alert=alert, told=told))
        self.tidy()
        task = asyncio.create_task(self._deliver(alert, told), name=f"alert {alert.alert_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _keep(self, told: ToldAlert) -> None:
        self._rows[told.told_id] = told
        self._store.save(told)
        self._bus.publish(AlertLogChanged(told=told))

    async def _deliver(self, alert: PriceAlert, told: ToldAlert) -> None:
        names = tuple(dict.fromkeys(alert.wish.channels))
        ways = [asyncio.create_task(self._by(name, alert, told)) for name in names]
        try:
            if (await asyncio.wait(ways, timeout=PROMPT))[1]:
                self._store.save(told)
                await asyncio.wait(ways)
        except asyncio.CancelledError:
            self._store.save(told)
            for way in ways:
                way.cancel()
            raise
        results = {name: way.result() for name, way in zip(names, ways, strict=True)}
        accepted = tuple(name for name, reason in results.items() if not reason)
        refused = {name: reason for name, reason in results.items() if reason}
        for name, reason in refused.items():
            log.warning("alert %s was not told by %s: %s", alert.alert_id, name, reason)
        if told.told_id in self._rows:
            self._keep(msgspec.structs.replace(told, accepted=accepted, refused=refused))

    async def _by(self, name: str, alert: PriceAlert, told: ToldAlert) -> str:
        """Empty when it was taken, else why not."""
        channel = self._channels.get(name)
        if channel is None:
            return "It is not there."
        try:
            await asyncio.wait_for(channel.tell(alert, told), PATIENCE)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            return "It was broken off."  # by the channel itself: the others go on
        except TimeoutError:
            return f"No answer within {PATIENCE:.0f} s."
        except AppError as error:
            return error.message
        except Exception:
            log.exception("the channel %s failed", name)
            return "It failed; the log file says how."
        return ""
