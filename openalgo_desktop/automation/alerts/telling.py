"""Tells by the channels of an alert, has its acts done, and keeps what was told."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial

import msgspec

from openalgo_desktop.automation.alerts.acts import Actors, Scene
from openalgo_desktop.automation.alerts.ports import Channel
from openalgo_desktop.core.alert_acts import Act, act_name
from openalgo_desktop.core.alert_deeds import DeedRow, DeedState
from openalgo_desktop.core.alerts import ZERO, PriceAlert, ToldAlert
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.events import AlertLogChanged, Bus, Notice, PriceAlertFired
from openalgo_desktop.core.ports import ToldAlertStore

log = logging.getLogger(__name__)

#: What was told is kept so long, and so many rows of it at most.
KEPT, MAX_ROWS = timedelta(days=90), 2000
#: A channel that took nothing in this time did not take it, seconds.
PATIENCE = 10.0
#: What all took in this time is stored once, with their names; seconds.
PROMPT = 0.5
STOPPED = "The program stopped before it was taken."

#: Does one thing: returns why not (empty when it did) and what to note of it.
Way = Callable[[], Awaitable[tuple[str, str]]]


class Teller:
    """The channels that are there, and the log. ``start`` before the first alert tells."""

    def __init__(self, clock: Clock, bus: Bus, store: ToldAlertStore) -> None:
        self._clock = clock
        self._bus = bus
        self._store = store
        #: Does the acts; without it none is done.
        self.actors: Actors | None = None
        self._channels: dict[str, Channel] = {}
        self._rows: dict[str, ToldAlert] = {}  # oldest first
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Take up what earlier runs told."""
        for row in await self._store.load():
            self._rows[row.told_id] = row
            if not row.accepted and not row.refused:  # the end of that run came between
                self._keep(msgspec.structs.replace(row, refused={"all": STOPPED}))
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
    def tell(
        self,
        alert: PriceAlert,
        text: str,
        now: datetime,
        kept: Awaitable[object],
        doubt: str = "",
        body: Callable[[str], bytes] = str.encode,
    ) -> None:
        """Tell ``text`` of an alert that fired: at once, and without waiting for a channel. The
        rest is for its acts, as :class:`Scene` has it."""
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
        if wish.acts:
            self._store.save(told)
        self._bus.publish(AlertLogChanged(told=told))
        self._bus.publish(PriceAlertFired(alert=alert, told=told))
        self.tidy()
        scene = Scene(alert, told, kept, doubt, self._clock.monotonic(), body)
        task = asyncio.create_task(self._deliver(scene), name=f"alert {alert.alert_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def take_up(self, row: DeedRow) -> None:
        """An act of an earlier run whose end is on disk: the run may have ended before the log
        said so, and the act was not broken off then."""
        told = self._rows.get(row.told_id)
        if told is not None and row.name not in told.accepted and row.name not in told.refused:
            self.settled(row.told_id, row.name, row.text, row.state is DeedState.DONE)

    def settled(self, told_id: str, name: str, text: str, done: bool) -> None:
        """What became of an act, known later than the rest."""
        told = self._rows.get(told_id)
        if told is None:
            return
        refused = {key: why for key, why in told.refused.items() if key not in (name, "all")}
        accepted = tuple(key for key in told.accepted if key != name)
        if done:
            self._keep(
                msgspec.structs.replace(
                    told, accepted=(*accepted, name), refused=refused,
                    notes={**told.notes, name: text},
                )
            )  # fmt: skip
        else:
            self._keep(
                msgspec.structs.replace(told, accepted=accepted, refused={**refused, name: text})
            )

    def _keep(self, told: ToldAlert) -> None:
        self._rows[told.told_id] = told
        self._store.save(told)
        self._bus.publish(AlertLogChanged(told=told))

    def _ways(self, scene: Scene) -> dict[str, Way]:
        """Channels and acts by the names that the log has for them."""
        wish = scene.alert.wish
        found: dict[str, Way] = {}
        for name in wish.channels:
            found[name] = partial(self._by, name, scene.alert, scene.told)
        for act in wish.acts:
            name = act_name(act)
            while name in found:
                name += " again"
            found[name] = partial(self._act, act, scene)
        return found

    async def _deliver(self, scene: Scene) -> None:
        told, names = scene.told, self._ways(scene)
        tasks = [asyncio.ensure_future(way()) for way in names.values()]
        try:
            if tasks and (await asyncio.wait(tasks, timeout=PROMPT))[1]:
                self._store.save(told)
                await asyncio.wait(tasks)
        except asyncio.CancelledError:
            self._store.save(told)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise
        results = {
            name: ("It was broken off.", "") if task.cancelled() else task.result()
            for name, task in zip(names, tasks, strict=True)
        }
        accepted = tuple(name for name, (why, _) in results.items() if not why)
        refused = {name: why for name, (why, _) in results.items() if why}
        notes = {name: note for name, (_, note) in results.items() if note}
        for name, reason in refused.items():
            log.warning("alert %s: %s was refused: %s", scene.alert.alert_id, name, reason)
        if told.told_id in self._rows:
            self._keep(
                msgspec.structs.replace(told, accepted=accepted, refused=refused, notes=notes)
            )

    async def _act(self, act: Act, scene: Scene) -> tuple[str, str]:
        if self.actors is None:
            return "Nothing here does it.", ""
        try:
            return "", await self.actors.do(act, scene)
        except AppError as error:
            self._bus.publish(
                Notice(
                    level="warning",
                    text=f"{act_name(act)} of an alert was not done: {error.message}",
                    at=self._clock.now(),
                )
            )
            return error.message, ""
        except Exception:
            log.exception("an act of the alert %s failed", scene.alert.alert_id)
            return "It failed; the log file says how.", ""

    async def _by(self, name: str, alert: PriceAlert, told: ToldAlert) -> tuple[str, str]:
        return await self._why_not(name, alert, told), ""

    async def _why_not(self, name: str, alert: PriceAlert, told: ToldAlert) -> str:
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
