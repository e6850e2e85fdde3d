"""Alerts: what is told when a price comes. They send nothing, and belong to no mode."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from PySide6.QtWidgets import QMenu, QWidget

from openalgo_desktop.core.alert_acts import act_name
from openalgo_desktop.core.alerts import LOADING, PRICE, AlertState, PriceAlert, Room
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.exits import ONLY_WHILE_RUNNING
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.frames import Ticks
from openalgo_desktop.ui.engine.turns import parts
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.names import contract_tip
from openalgo_desktop.ui.kit.segments import Segments
from openalgo_desktop.ui.kit.table_dock import Col, TableDock
from openalgo_desktop.ui.kit.tables import RowAction
from openalgo_desktop.ui.kit.widgets import label, push_button
from openalgo_desktop.ui.rooms.automation import alert_words
from openalgo_desktop.ui.rooms.automation.alert_dialog import AlertDialog, show_form
from openalgo_desktop.ui.rooms.automation.alert_log import AlertLog
from openalgo_desktop.ui.rooms.automation.deed_dialog import DeedDialog, show_deed
from openalgo_desktop.ui.rooms.automation.deed_lines import fits

WAITING = (AlertState.ACTIVE, AlertState.PAUSED)
FILTERS: dict[str, Callable[[PriceAlert], bool]] = {
    "All": lambda alert: True,
    "Waiting": lambda alert: alert.state in WAITING,
    "Told": lambda alert: alert.state not in WAITING,
}
#: The page of what alerts told.
LOG = "Log"


#: What the form has no fields for.
NO_FORM = "This alert has no form here: delete it and make it anew (openalgo-desktop alerts add)."


@dataclass(slots=True)
class AlertRow:
    """One alert. ``now`` is the price or per cent of now, None while it is not known; ``trouble``
    says why an active one hears nothing."""

    alert: PriceAlert
    trouble: str = ""
    now: float | None = None

    @property
    def key(self) -> Key:
        """The instrument."""
        return self.alert.key

    @property
    def state(self) -> str:
        """Its state in a word or two."""
        if self.trouble:
            return "Loading…" if self.trouble == LOADING else "Sees nothing"
        return alert_words.STATE[self.alert.state]

    @property
    def tone(self) -> str:
        """Colour role of the state."""
        return "warning" if self.trouble else alert_words.STATE_TONE[self.alert.state]

    @property
    def resumes(self) -> bool:
        """Whether it can be watched again."""
        return not self.alert.is_active


class AlertsDock(TableDock[AlertRow]):
    """All alerts, newest first."""

    name = "alerts"
    title = "Alerts"
    linkable = True
    empty_text = (
        "No alerts.\n"
        "New alert tells when a price comes; the menus of watchlist and chart have it, too."
    )
    priority = 1

    def __init__(self, bridge: Bridge, name: str = "", parent: QWidget | None = None) -> None:
        self.columns = columns(bridge)
        super().__init__(bridge, name, parent)
        self.filter = Segments("alerts-filter", "Show alerts", (*FILTERS, LOG), compact=True)
        self.filter.changed.connect(lambda _: self.refresh())
        self.new_button = push_button("New alert…", "alerts-new", "New alert", self.new)
        self.deed_button = push_button(
            "With action…", "alerts-deed", "New alert on figures, results, times, orders",
            self.new_deed,
        )  # fmt: skip
        self.edit_button = push_button(
            "Edit…", "alerts-edit", "Edit the selected alert", lambda: self._selected(self.edit)
        )
        self.pause_button = push_button(
            "Pause",
            "alerts-pause",
            "Pause or resume the selected alert",
            lambda: self._selected(self._toggle),
        )
        self.delete_button = push_button(
            "Delete",
            "alerts-delete",
            "Delete the selected alert",
            lambda: self._selected(self.delete),
        )
        self.sound_button = push_button(
            "Test sound", "alerts-sound", "Play the sound of alerts", bridge.alerts.test_wanted.emit
        )
        self.add_head(
            (self.filter,),
            self.sound_button,
            self.new_button,
            self.deed_button,
            self.edit_button,
            self.pause_button,
            self.delete_button,
        )
        self.new_button.setEnabled(True)
        self.deed_button.setEnabled(True)
        self.sound_button.setEnabled(True)
        self.hint = label(
            f"Alerts tell, in both modes, and do what their action says; they work "
            f"{ONLY_WHILE_RUNNING}.",
            "alerts-hint",
            "muted",
        )
        self.hint.setWordWrap(True)
        self.hint.setContentsMargins(10, 3, 10, 3)
        self.content.addWidget(self.hint)
        self.log = AlertLog(self)
        self.content.insertWidget(self.content.indexOf(self.view), self.log.view, 1)
        self.log.view.hide()
        self.listen(bridge.alerts.changed, self._on_alert)
        self.listen(bridge.alerts.logged, self.reload_soon)
        self.listen(bridge.feed.aged, self._on_time)
        self.selection_changed.connect(self._on_selection)
        self.refresh()

    # -- rows -------------------------------------------------------------------------------
    def row_id(self, row: AlertRow) -> str:
        return row.alert.alert_id

    def key_of(self, row: AlertRow) -> Key | None:
        return row.key if row.key[1] else None

    def reload(self) -> None:
        """Show the alerts as they are now, through the filter, or what was told."""
        logs = self.filter.value() == LOG
        self.log.view.setVisible(logs)
        if logs:
            self._show_log()
            return
        every = self.bridge.alerts.all()
        self.load(self._reading(every), len(every))

    def _reading(self, every: list[PriceAlert]) -> Iterator[None]:
        """Take these alerts in, step by step."""
        keep = FILTERS[self.filter.value()]
        rows: list[AlertRow] = []
        wanted: dict[Key, FeedMode] = {}
        active = 0
        for part in parts(every):
            active += sum(alert.is_active for alert in part)
            for row in (self._row(alert) for alert in part if keep(alert)):
                rows.append(row)
                of_day = row.alert.wish.when.of_day
                if row.key[1] and (of_day or row.key not in wanted):
                    wanted[row.key] = FeedMode.QUOTE if of_day else FeedMode.LTP
            yield
        self.want(wanted)
        yield from self.taking(rows)
        texts = {"All": self.empty_text, "Waiting": "No alert waits.", "Told": "None has told yet."}
        self.set_empty(not rows, texts[self.filter.value()] if every else self.empty_text)
        self.set_subject(f"{active} watching" if active else "")
        self._on_selection()

    def _show_log(self) -> None:
        self.long_load.stop()
        self.want({})
        self.set_rows([])
        self.set_empty(False)
        self.view.hide()
        self.log.show()
        self._on_selection()

    def _row(self, alert: PriceAlert) -> AlertRow:
        known = self.row_of(alert.alert_id)
        if known is not None and known.alert is alert:
            return known
        tick = self.bridge.latest(alert.key)
        return AlertRow(alert, self.bridge.alerts.trouble(alert), self._now(alert, tick))

    def _now(self, alert: PriceAlert, tick: Tick | None) -> float | None:
        """What it looks at, as it is now: price, change of the day, or the value of something
        else; None where it waits for a moment or for orders."""
        if alert.wish.subject != PRICE:
            return self.bridge.alerts.current(alert)
        return alert_words.current(tick, alert.wish.when)

    def _on_alert(self, alert: PriceAlert) -> None:
        self.reload_soon()

    def _on_time(self) -> None:
        """What changes without a tick: prices that grow old, a market that closes."""
        if self.is_hidden():
            return
        self.looks.start(self._looking())

    def _looking(self) -> Iterator[None]:
        yield from self.looks.ages()
        for row in list(self.rows):
            trouble, now = self.bridge.alerts.trouble(row.alert), row.now
            if row.alert.wish.subject != PRICE:
                now = self.bridge.alerts.current(row.alert)
            changed = (trouble, now) != (row.trouble, row.now)
            if changed and self.row_of(self.row_id(row)) is row:
                row.trouble, row.now = trouble, now
                self.row_changed(row)
            yield

    def take(self, ticks: Ticks) -> None:
        for row in self.looks.at(ticks.keys()):
            now = self._now(row.alert, ticks[row.key])
            if now is not None and now != row.now:
                row.now = now
                self.row_changed(row)

    def row_stale(self, row: AlertRow) -> bool:
        return bool(row.key[1]) and self.bridge.feed.is_stale(row.key)

    def _on_selection(self) -> None:
        row = self.selected_row()
        for button in (self.edit_button, self.pause_button, self.delete_button):
            button.setEnabled(row is not None)
        self.pause_button.setText("Resume" if row is not None and row.resumes else "Pause")

    # -- interaction ------------------------------------------------------------------------
    def _selected(self, call: Callable[[AlertRow], object]) -> None:
        if (row := self.selected_row()) is not None:
            call(row)

    def activated(self, row: AlertRow) -> None:
        if row.key[1]:
            self.pick(row.key)

    def act(self, row: AlertRow, name: str) -> None:
        {"edit": self.edit, "toggle": self._toggle, "delete": self.delete}[name](row)

    def row_keys(self) -> Mapping[str, Callable[[AlertRow], object]]:
        return {"edit": self.edit, "delete": self.delete}

    def fill_menu(self, menu: QMenu, row: AlertRow) -> None:
        self.add_item(menu, "Edit…", lambda: self.edit(row))
        self.add_item(menu, "Resume" if row.resumes else "Pause", lambda: self._toggle(row))
        self.add_item(menu, "Delete", lambda: self.delete(row))
        menu.addSeparator()
        key = self.key_of(row)
        self.add_item(menu, "New alert…", lambda: self.new(key))
        if key is not None:
            self.add_item(menu, "Show in linked docks", lambda: self.pick(key))

    def new(self, key: Key | None = None) -> AlertDialog:
        """The form of a new alert, for the symbol of the group unless one is given."""
        return show_form(self, self.bridge, key or self.bridge.links.key(self.group))

    def new_deed(self) -> DeedDialog:
        """The form of a new alert on something else than a price, or that acts."""
        return show_deed(self, self.bridge, self.bridge.links.key(self.group))

    def edit(self, row: AlertRow) -> None:
        """The form of a row, where the form knows what it looks at."""
        wish = row.alert.wish
        if wish.room not in (Room.LEVELS, Room.BARS) or (wish.acts and fits(wish)):
            if fits(wish):
                show_deed(self, self.bridge, old=row.alert)
            else:
                self.bridge.notice.emit("info", NO_FORM)
            return
        show_form(self, self.bridge, old=row.alert)

    def _toggle(self, row: AlertRow) -> None:
        alerts, alert_id = self.bridge.alerts, row.alert.alert_id
        self._do(alerts.resume(alert_id) if row.resumes else alerts.pause(alert_id))

    def delete(self, row: AlertRow) -> None:
        """End an alert, without a question: nothing is lost but a line."""
        self._do(self.bridge.alerts.delete(row.alert.alert_id))

    def _do(self, work: Awaitable[object]) -> None:
        async def done() -> None:
            await work

        self.spawn(done(), "change alert", sends=True)


def columns(bridge: Bridge) -> tuple[Col[AlertRow], ...]:
    """The dock's columns."""

    def now(row: AlertRow) -> str:
        value = None if row.now is None else Decimal(str(row.now))
        return fmt.MISSING if value is None else alert_words.seen(bridge, row.alert.wish, value)

    def fired(row: AlertRow) -> str:
        at, value = row.alert.fired_at, row.alert.fired_value
        if at is None or value is None:
            return fmt.MISSING
        return f"{fmt.date_time_text(at)}  at {alert_words.seen(bridge, row.alert.wish, value)}"

    def until(row: AlertRow) -> str:
        day, at = row.alert.wish.expires, row.alert.wish.until
        if day is None:
            return fmt.MISSING
        return f"{day:%d %b %Y}" if at is None else f"{day:%d %b %Y} {at:%H:%M}"

    def tells(row: AlertRow) -> str:
        titles = dict(bridge.alerts.channels())
        names = [titles.get(name, name) for name in row.alert.wish.channels]
        found = [*names[:1], *(name.lower() for name in names[1:])]
        return ", ".join([*found, *map(act_name, row.alert.wish.acts)])

    def actions(row: AlertRow) -> tuple[RowAction, ...]:
        word = "Resume" if row.resumes else "Pause"
        return (
            RowAction("edit", "Edit"), RowAction("toggle", word),
            RowAction("delete", "Delete", "down"),
        )  # fmt: skip

    return (
        Col(
            "symbol", "Symbol", 110, lambda r: bridge.name(r.key), numeric=False,
            tip=lambda r: contract_tip(r.key), copied=lambda r: r.key[1],
        ),
        Col(
            "condition", "Condition", 150,
            lambda r: alert_words.condition(bridge, r.alert.wish), numeric=False,
        ),
        Col(
            "current", "Current", 80, lambda r: r.now, now, flash=True, live=True,
            tooltip="LTP, or the change of the day or the study where the alert looks at that",
        ),
        Col(
            "state", "State", 90, lambda r: r.state, tone=lambda r: r.tone, numeric=False,
            tip=lambda r: r.trouble or r.alert.why,
        ),
        Col("action", "", 150, lambda r: r.resumes, numeric=False, actions=actions),
        Col("created", "Created", 140, lambda r: fmt.date_time_text(r.alert.created_at),
            numeric=False),
        Col("fired", "Fired", 190, fired, numeric=False),
        Col(
            "tells", "Action", 110,
            lambda r: f"{tells(r)} {'each time' if r.alert.wish.again else 'once'}",
            numeric=False, tooltip="How it tells, and what it does",
        ),
        Col("until", "Until", 80, until, numeric=False),
        Col("note", "Note", 200, lambda r: r.alert.wish.note, numeric=False, elides=True),
    )  # fmt: skip
