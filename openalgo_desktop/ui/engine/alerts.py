"""The door to alerts. What belongs to a mode names it in the wish, so no call takes one.

The words for what is wanted (:class:`AlertWish` and its parts) are in
:mod:`openalgo_desktop.core.alerts`, its subjects in ``alert_subjects``, its acts in
``alert_acts``. Calls raise :class:`AppError` with a sentence (:class:`InvalidOrder` names the
field).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QObject, Signal

from openalgo_desktop.automation.alerts.webhook import SCOPE
from openalgo_desktop.core.alerts import (
    DESKTOP,
    SOUND,
    TOAST,
    AlertWish,
    OfDrawing,
    OfStudy,
    PriceAlert,
    Source,
    ToldAlert,
)
from openalgo_desktop.core.charting.studies import StudySpec
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.events import AlertLogChanged, PriceAlertChanged, PriceAlertFired
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.secret import Secret

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal


class WindowChannel(NamedTuple):
    """A way to tell that needs the window; ``taken`` hears name, alert and words."""

    name: str
    title: str
    taken: Callable[[str, PriceAlert, ToldAlert], None]

    async def tell(self, alert: PriceAlert, told: ToldAlert) -> None:
        """Tell at once."""
        self.taken(self.name, alert, told)


class AlertDraft(NamedTuple):
    """A form to be filled in: the wish so far, and further studies that the place it came from
    has, to be compared with."""

    wish: AlertWish
    offers: tuple[OfStudy, ...] = ()


class AlertsDoor(QObject):
    """``close`` with the bridge."""

    changed = Signal(object)  # PriceAlert: made, changed, told, ended or deleted
    fired = Signal(object)  # PriceAlert: it tells
    logged = Signal()  # what was told has other rows
    tells = Signal(str, object, object)  # channel of the window, PriceAlert, ToldAlert
    wanted = Signal(object, float)  # Key, price or 0: show the form of a new alert
    draft_wanted = Signal(object)  # AlertDraft: show the form of an alert on a study or a drawing
    test_wanted = Signal()  # play the sound of an alert

    def __init__(self, terminal: Terminal, parent: QObject) -> None:
        super().__init__(parent)
        self._terminal = terminal
        subscribe = terminal.bus.subscribe
        self._stops = [
            subscribe(PriceAlertChanged, lambda event: self.changed.emit(event.alert)),
            subscribe(PriceAlertFired, lambda event: self.fired.emit(event.alert)),
            subscribe(AlertLogChanged, lambda _: self.logged.emit()),
        ]
        titles = {TOAST: "Toast", SOUND: "Sound", DESKTOP: "Desktop notification"}
        for name, title in titles.items():
            channel = WindowChannel(name, title, self.tells.emit)
            self._stops.append(terminal.alerts.teller.add(channel))

    def close(self) -> None:
        """Listen no more."""
        for stop in self._stops:
            stop()

    def all(self) -> list[PriceAlert]:
        """Every alert, newest first."""
        return self._terminal.alerts.all()

    def of(self, key: Key) -> list[PriceAlert]:
        """Those of an instrument: on its price, its studies and its drawings; cheap enough for
        each chart and event."""
        return self._terminal.alerts.of(key)

    def get(self, alert_id: str) -> PriceAlert:
        """One of them; raises :class:`AlertNotFound`."""
        return self._terminal.alerts.get(alert_id)

    def trouble(self, alert: PriceAlert) -> str:
        """Why an active alert hears nothing just now (market closed, price or bars not known);
        empty when it does."""
        return self._terminal.alerts.trouble(alert)

    def current(self, alert: PriceAlert) -> float | None:
        """The value of the study that it looks at; None where it looks at none, or it is not
        known."""
        value = self._terminal.alerts.current(alert)
        return value if isfinite(value) else None

    def describe(self, wish: AlertWish, number: Callable[[Decimal], str]) -> str:
        """The condition in words; ``number`` writes its levels."""
        return self._terminal.alerts.words.describe(wish, number)

    def name(self, key: Key, source: Source) -> str:
        """What a study or a drawing of an instrument is called."""
        return self._terminal.alerts.words.name(key, source)

    def drawings(self, key: Key) -> list[OfDrawing]:
        """The lines of an instrument's drawings, those of the newest first."""
        return self._terminal.alerts.lines(key)

    def studies(self) -> list[StudySpec]:
        """The studies that an alert may look at, by family and title."""
        return self._terminal.alerts.studies()

    def log(self) -> list[ToldAlert]:
        """What was told within 90 days, newest first."""
        return self._terminal.alerts.teller.rows()

    def channels(self) -> list[tuple[str, str]]:
        """Name and title of each way to tell that is there."""
        return [(row.name, row.title) for row in self._terminal.alerts.teller.channels]

    def due(self, alert: PriceAlert) -> datetime | None:
        """When the moment comes that it waits for; None for one that waits for something else."""
        return self._terminal.alerts.due(alert)

    def account_of(self, mode: Mode) -> str:
        """The account that serves a mode now, for P&L and orders of alerts; empty without one."""
        try:
            return self._terminal.desk.bound(mode).gateway.account_id
        except AppError:
            return ""

    async def strategies(self) -> list[str]:
        """Programs and made strategies that an alert may run and stop, by name."""
        found = await self._terminal.strategies.find()
        names = {view.hosted.name for view in self._terminal.host.all()}
        return sorted(names | {row.definition.name for row in found})

    async def check(self, wish: AlertWish) -> None:
        """Raises :class:`InvalidOrder` that names the field, as :meth:`add` would."""
        await self._terminal.alerts.check(wish)

    async def keep_secret(self, name: str, value: Secret) -> None:
        """Keep the secret of posts in the vault, by the name that :class:`PostTo` gives it."""
        await self._terminal.vault.set(SCOPE + name, value)

    async def keeps(self, name: str) -> bool:
        """Whether the vault has the secret of that name."""
        return await self._terminal.vault.get(SCOPE + name) is not None

    async def forget_secret(self, name: str) -> None:
        """Forget it; nothing when there is none."""
        await self._terminal.vault.delete(SCOPE + name)

    async def add(self, wish: AlertWish) -> PriceAlert:
        """Make an alert; one whose condition is true already tells at once (and moves no
        money)."""
        return await self._terminal.alerts.add(wish)

    async def change(self, alert_id: str, wish: AlertWish) -> PriceAlert:
        """Give an alert another wish; it waits anew, a paused one stays paused."""
        return await self._terminal.alerts.change(alert_id, wish)

    async def pause(self, alert_id: str) -> PriceAlert:
        """Compare no more until it is resumed."""
        return await self._terminal.alerts.pause(alert_id)

    async def resume(self, alert_id: str) -> PriceAlert:
        """Watch a paused or fired alert (again)."""
        return await self._terminal.alerts.resume(alert_id)

    async def delete(self, alert_id: str) -> None:
        """End an alert for good."""
        await self._terminal.alerts.delete(alert_id)
