"""What is done with a made strategy: each act that sends orders is asked first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from PySide6.QtWidgets import QMenu

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.strategies import describe
from openalgo_desktop.core.strategies.rows import LegView, MadeStrategy
from openalgo_desktop.ui.kit.confirm import confirm
from openalgo_desktop.ui.kit.dialogs import ask
from openalgo_desktop.ui.rooms.automation.strategies.editor import show_editor
from openalgo_desktop.ui.rooms.automation.strategies.hooks import of_made
from openalgo_desktop.ui.rooms.automation.strategies.start import NO_ACCOUNT, ask_start

if TYPE_CHECKING:
    from openalgo_desktop.ui.rooms.automation.strategies.dock import StrategiesDock

NO_OPT_IN = "allow it for this strategy first (its menu has Allow live)."


class MadeActs:
    """For the rows of one dock."""

    def __init__(self, dock: StrategiesDock) -> None:
        self._dock = dock
        self._bridge = dock.bridge

    def fill_menu(self, menu: QMenu, made: MadeStrategy, *, paused: bool) -> None:
        """Items of a row's menu."""
        dock, runs = self._dock, made.current_run_id is not None
        if runs:
            dock.add_item(menu, "Stop…", lambda: self.stop(made))
            word = "Go on entering" if paused else "Pause entries"
            dock.add_item(menu, word, lambda: self.pause(made, not paused))
        else:
            dock.add_item(menu, "Start…", lambda: self.start(made))
        menu.addSeparator()
        dock.add_item(menu, "Edit…", lambda: self.edit(made))
        dock.add_item(menu, "Copy…", lambda: self.copy(made))
        dock.add_item(menu, "Alerts: what to paste…", lambda: self.paste(made))
        dock.add_check(menu, "Allow live", made.live_enabled, lambda: self.allow_live(made))
        if made.has_webhook:
            dock.add_check(
                menu, "Webhook locked", made.webhook_locked, lambda: self.lock_webhook(made)
            )
        menu.addSeparator()
        dock.add_item(menu, "Delete…", lambda: self.delete(made))

    def edit(self, made: MadeStrategy) -> None:
        """Its form."""
        show_editor(self._dock, self._bridge, made)

    def copy(self, made: MadeStrategy) -> None:
        """The form of a new one like it."""
        draft = made.definition
        draft = msgspec.structs.replace(draft, name=f"{draft.name} (copy)")
        show_editor(self._dock, self._bridge, draft=draft)

    def paste(self, made: MadeStrategy) -> None:
        """Payloads for senders, a new address, a test."""
        self._dock.spawn(self._paste(made), "what to paste")

    async def _paste(self, made: MadeStrategy) -> None:
        await ask(of_made(self._dock, self._bridge, made))
        self._dock.news()

    # -- starting and stopping ----------------------------------------------------------------
    def start(self, made: MadeStrategy) -> None:
        """Ask in which mode, then start."""
        self._dock.spawn(self._start(made), "start strategy", sends=True)

    async def _start(self, made: MadeStrategy) -> None:
        name = made.definition.name
        no_live = "" if made.live_enabled else NO_OPT_IN
        if made.live_enabled and made.live_account != self._bridge.desk.account_of(Mode.LIVE):
            no_live = f"it may trade live in {made.live_account}, which takes no live orders now."
        lines = describe.lines(made.definition)
        mode = await ask_start(self._dock, self._bridge, name, lines, no_live)
        if mode is None:
            return
        answer = await self._bridge.strategies.start(made.strategy_id, mode)  # it tells of itself
        for leg in answer.legs:
            if not leg.ok:
                text = f"{name}, leg {leg.leg_id}: {leg.error}"
                self._bridge.notice.emit("warning", self._bridge.clean(text))
        self._dock.news()

    def stop(self, made: MadeStrategy) -> None:
        """Ask, then close what its legs hold."""
        self._dock.spawn(self._stop(made), "stop strategy", sends=True)

    async def _stop(self, made: MadeStrategy) -> None:
        view = self._bridge.strategies.view(made.strategy_id)
        held = [] if view is None else [leg for leg in view.legs if leg.units]
        lines = [
            f"{leg.leg_id}.  {self._bridge.name((leg.exchange, leg.symbol))}  {leg.units:+,}"
            for leg in held
        ]
        where = "" if view is None else view.run.mode.value.upper()
        text = f"Its legs are closed at market in {where}." if lines else "It holds nothing."
        name = made.definition.name
        if await confirm(self._dock, f"Stop {name}?", text, "Stop", lines, danger=bool(lines)):
            await self._bridge.strategies.stop(made.strategy_id)
            self._dock.news()

    def pause(self, made: MadeStrategy, paused: bool) -> None:
        """Enter nothing new, or go on; stops and targets go on either way."""
        self._dock.do(self._bridge.strategies.pause(made.strategy_id, paused), "pause strategy")

    def close_leg(self, made: MadeStrategy, leg: LegView) -> None:
        """Close one leg at market, as the Close of a position does."""
        work = self._bridge.strategies.close_leg(made.strategy_id, leg.leg_id)
        self._dock.do(work, "close leg")

    # -- rights -------------------------------------------------------------------------------
    def allow_live(self, made: MadeStrategy) -> None:
        """Ask, then let it be started live; or no more."""
        self._dock.spawn(self._live(made), "allow live", sends=True)

    async def _live(self, made: MadeStrategy) -> None:
        allowed, account = made.live_enabled, self._bridge.desk.account_of(Mode.LIVE)
        if not allowed and not account:
            raise AppError(f"{made.definition.name}: {NO_ACCOUNT}")
        if not allowed and not await confirm(
            self._dock,
            f"Allow {made.definition.name} to trade live?",
            f"It may then be started with real money in {account}, and in no other account: here, "
            "by the API, by its webhook and by its schedule.",
            "Allow live",
            describe.lines(made.definition),
            danger=True,
        ):
            return
        if not allowed and self._bridge.desk.account_of(Mode.LIVE) != account:
            raise AppError("Live was not allowed: live orders go to another account by now.")
        await self._bridge.strategies.enable_live(made.strategy_id, not allowed)
        self._dock.news()

    def lock_webhook(self, made: MadeStrategy) -> None:
        """Refuse its alerts and close what it holds (asked first), or listen again."""
        self._dock.spawn(self._lock(made), "lock webhook", sends=True)

    async def _lock(self, made: MadeStrategy) -> None:
        lock = not made.webhook_locked
        name = made.definition.name
        text = "Its alerts are refused, and what it holds is closed at market."
        if lock and not await confirm(
            self._dock, f"Lock the webhook of {name}?", text, "Lock", danger=True
        ):
            return
        await self._bridge.strategies.lock_webhook(made.strategy_id, lock)
        self._dock.news()

    def delete(self, made: MadeStrategy) -> None:
        """Ask, then forget."""
        self._dock.spawn(self._delete(made), "delete strategy", sends=True)

    async def _delete(self, made: MadeStrategy) -> None:
        name = made.definition.name
        if made.current_run_id is not None:
            raise AppError(f"{name} runs. Stop it first.")
        text = "Its legs and rules are gone; orders and trades stay in the journal."
        if await confirm(self._dock, f"Delete {name}?", text, "Delete", danger=True):
            await self._bridge.strategies.delete(made.strategy_id)
            self._dock.news()
