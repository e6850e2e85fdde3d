"""Hours, quotas and parameters of a hosted program. What runs has them from its next start on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton, QTabWidget, QVBoxLayout, QWidget

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.strategies.hosted import (
    AtStop,
    AtWindowEnd,
    Hosted,
    HostedView,
    Hours,
    OnBreach,
    OnCrash,
    OnEngineRestart,
    Parameter,
    Quotas,
)
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.dialogs import come_up, is_open
from openalgo_desktop.ui.kit.forms import Form, Line, Values
from openalgo_desktop.ui.kit.widgets import label, named, push_button, set_role

NAME = "dialog-program-settings"
MODES: Mapping[str, str] = {Mode.SANDBOX: "Sandbox", Mode.LIVE: "Live (when promoted)"}
ENDS: Mapping[str, str] = {
    AtWindowEnd.STOP: "Stop it",
    AtWindowEnd.SQUARE_OFF: "Stop it and close what it holds",
    AtWindowEnd.LEAVE: "Leave it running",
}
BREACHES: Mapping[str, str] = {
    OnBreach.BLOCK: "Only exits for the rest of the day",
    OnBreach.FLATTEN: "The same, and close what it holds",
    OnBreach.STOP: "Stop it and close what it holds",
}
CRASHES: Mapping[str, str] = {
    OnCrash.NEVER: "Leave it stopped",
    OnCrash.RESTART: "Start it again, with pauses",
}
ENGINES: Mapping[str, str] = {
    OnEngineRestart.ADOPT: "The same process goes on",
    OnEngineRestart.RESTART: "Start it anew",
    OnEngineRestart.STOP: "Leave it stopped",
}
STOPS: Mapping[str, str] = {AtStop.LEAVE: "Stays", AtStop.SQUARE_OFF: "Is closed"}


def _on(values: Mapping[str, Any]) -> bool:
    return bool(values["enabled"])


def _windows(values: Mapping[str, Any]) -> bool:
    return bool(values["enabled"]) and not values["all_day"]


HOURS: tuple[Line, ...] = (
    Line("enabled", "By itself", "flag", hint="Start and stop by the clock"),
    Line("mode", "In", "choice", MODES, _on),
    Line("all_day", "Around the clock", "flag", when=_on, first=True),
    Line("days", "Days", "days", when=_windows, first=True),
    Line("windows", "Hours (IST)", hint="09:15-11:30, 13:00-15:15", when=_windows,
         tip="Cut to the sessions of its exchange"),
    Line("expiry_only", "Only on expiry days of", hint="NIFTY", when=_windows),
    Line("late_minutes", "Make up for a late start, minutes", "count", when=_windows, most=600),
    Line("at_end", "At the end of its hours", "choice", ENDS, _on),
)  # fmt: skip

QUOTAS: tuple[Line, ...] = (
    Line("orders_per_minute", "Orders a minute (0: any number)", "count", most=6000),
    Line("orders_per_day", "Orders a day (0: any number)", "count", most=1_000_000),
    Line("max_lots", "Lots in an order (0: any number)", "count", most=100_000),
    Line("open_positions", "Open positions (0: any number)", "count", most=10_000),
    Line("day_loss", "Loss of the day, ₹ (0: any)", "number"),
    Line("drawdown", "Drawdown of the day, ₹ (0: any)", "number"),
    Line("on_breach", "Where a quota is broken", "choice", BREACHES, first=True),
    Line("memory_mb", "Memory, MB (0: any)", "count", most=1_048_576, first=True),
    Line("cpu_percent", "CPU, % of one core (0: any)", "count", most=6400),
    Line("processes", "Processes (0: any number)", "count", most=100_000),
)  # fmt: skip

RUNNING: tuple[Line, ...] = (
    Line("exchange", "Exchange of its hours"),
    Line("at_stop", "What it holds when it is stopped", "choice", STOPS),
    Line("on_crash", "After a crash", "choice", CRASHES),
    Line("on_engine_restart", "When this program starts again", "choice", ENGINES),
    Line("stall_minutes", "Alarm after minutes without a sign (0: none)", "count", most=1440),
    Line("interpreter", "Python interpreter", hint="ours"),
)
_KINDS = {"int": "text", "float": "text", "bool": "choice", "choice": "choice", "text": "text"}


def parameter_lines(declared: tuple[Parameter, ...]) -> tuple[Line, ...]:
    """A line for each parameter of the manifest; empty is its default."""
    lines = []
    for one in declared:
        options = ("true", "false") if one.kind == "bool" else one.choices
        choices = {"": f"Default ({one.default})", **{value: value for value in options}}
        edges = [f"{edge:g}" if edge is not None else "…" for edge in (one.low, one.high)]
        within = f" ({edges[0]} to {edges[1]})" if edges != ["…", "…"] else ""
        lines.append(
            Line(
                f"parameter-{one.name}",
                f"{one.name}{within}",
                _KINDS.get(one.kind, "text"),
                choices if _KINDS.get(one.kind) == "choice" else {},
                hint=one.default,
                tip=one.help,
            )
        )
    return tuple(lines)


def windows_text(hours: Hours) -> str:
    """``09:15-11:30, 13:00-15:15``."""
    return ", ".join("-".join(pair) for pair in hours.windows)


def windows_of(text: str) -> tuple[tuple[str, str], ...]:
    """The other way round; what is no pair stays as it is and is refused with its reason."""
    pairs = []
    for part in text.split(","):
        start, _, end = part.partition("-")
        pairs.append((start.strip(), end.strip()))
    return tuple(pairs)


def values_of(row: Hosted) -> Values:
    """What stands in the lines."""
    hours = msgspec.structs.asdict(row.hours) | {"windows": windows_text(row.hours)}
    quotas = msgspec.structs.asdict(row.quotas)
    running = {line.name: msgspec.structs.asdict(row)[line.name] for line in RUNNING}
    parameters = {f"parameter-{one.name}": row.parameters.get(one.name, "") for one in row.declared}
    return {**hours, **quotas, **running, **parameters}


def changes(row: Hosted, values: Values) -> dict[str, Any]:
    """The fields that the lines change, as :meth:`ProgramsDoor.change` takes them."""
    given = {name: values[name] for name in Hours.__struct_fields__ if name in values}
    hours = msgspec.convert(
        msgspec.to_builtins(given) | {"windows": windows_of(values["windows"])}, Hours
    )
    quotas = msgspec.convert(
        {name: values[name] for name in Quotas.__struct_fields__}, Quotas, strict=False
    )
    made: dict[str, Any] = {
        "hours": hours,
        "quotas": quotas,
        "exchange": values["exchange"].upper(),
        "at_stop": AtStop(values["at_stop"]),
        "on_crash": OnCrash(values["on_crash"]),
        "on_engine_restart": OnEngineRestart(values["on_engine_restart"]),
        "stall_minutes": values["stall_minutes"],
        "interpreter": values["interpreter"],
    }
    now = msgspec.structs.asdict(row)
    return {name: value for name, value in made.items() if value != now[name]}


class ProgramSettings(QDialog):
    """Not modal; gone when closed."""

    def __init__(self, parent: QWidget, bridge: Bridge, view: HostedView) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self.row = view.hosted
        self._saving = False
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setModal(False)
        self.resize(look.px(720), look.px(520))
        named(self, NAME, f"Settings of {self.row.name}")
        self.setWindowTitle(self.accessibleName())
        column = QVBoxLayout(self)
        column.setSpacing(8)
        self.tabs = named(QTabWidget(), f"{NAME}-pages", "Pages of the settings")
        pages = [
            ("Hours", "hours", HOURS),
            ("Limits", "quotas", QUOTAS),
            ("Running", "running", RUNNING),
        ]
        if self.row.declared:
            pages.insert(0, ("Parameters", "parameters", parameter_lines(self.row.declared)))
        self.forms = [Form(f"{NAME}-{name}", title, lines) for title, name, lines in pages]
        values = values_of(self.row)
        for form, (title, _, _) in zip(self.forms, pages, strict=True):
            form.show_values(values)
            self.tabs.addTab(form, title)
        column.addWidget(self.tabs, 1)
        row = QHBoxLayout()
        self.message = label(
            "What runs has these from its next start on." if view.state.is_up else "",
            f"{NAME}-message",
            "muted",
        )
        self.message.setWordWrap(True)
        row.addWidget(self.message, 1)
        row.addWidget(push_button("Close", f"{NAME}-close", "Close", self.close))
        self.save = push_button("Save", f"{NAME}-save", "Save the settings", self._submit)
        self.save.setProperty("role", "primary")
        row.addWidget(self.save)
        column.addLayout(row)
        for button in self.findChildren(QPushButton):
            button.setAutoDefault(False)

    def _say(self, text: str, role: str) -> None:
        self.message.setText(self._bridge.clean(text))
        set_role(self.message, role)

    def values(self) -> Values:
        """What stands in all pages."""
        return {name: value for form in self.forms for name, value in form.values().items()}

    def _submit(self) -> None:
        if self._saving:
            return
        for at, form in enumerate(self.forms):
            if form.problem():
                self.tabs.setCurrentIndex(at)
                return
        self._saving = True
        self.save.setEnabled(False)
        self._bridge.spawn(self._store(self.values()), "save settings of a program")

    async def _store(self, values: Values) -> None:
        door, strategy_id = self._bridge.programs, self.row.strategy_id
        try:
            for one in self.row.declared:
                text = values[f"parameter-{one.name}"]
                if text != self.row.parameters.get(one.name, ""):
                    await door.set_parameter(strategy_id, one.name, text)
            if fields := changes(self.row, values):
                await door.change(strategy_id, **fields)
        except AppError as error:
            if not is_open(self):
                raise
            self._saving = False
            self.save.setEnabled(True)
            self._say(error.message, "error")
            return
        self._bridge.notice.emit("info", f"Settings of {self.row.name} saved.")
        if is_open(self):
            self.close()


def show_settings(parent: QWidget, bridge: Bridge, view: HostedView) -> ProgramSettings:
    """Open the form; that of a program is there once."""
    for known in parent.findChildren(ProgramSettings):
        if known.row.strategy_id == view.hosted.strategy_id and known.isVisible():
            come_up(known)
            return known
    dialog = ProgramSettings(parent, bridge, view)
    come_up(dialog)
    return dialog
