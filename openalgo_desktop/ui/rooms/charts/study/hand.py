"""What is done with the studies of a chart. Every act is one step of the chart's history."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace
from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtWidgets import QMenu

from openalgo_desktop.core.alerts import AlertWhen, AlertWish, OfStudy, study_of
from openalgo_desktop.core.charting.history import Change, Step
from openalgo_desktop.core.charting.studies import Draw, Output, StudySpec, StudyWish, Value
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.ui.engine.alerts import AlertDraft
from openalgo_desktop.ui.kit.dialogs import ask, come_up
from openalgo_desktop.ui.kit.widgets import slug
from openalgo_desktop.ui.rooms.charts.study import panes
from openalgo_desktop.ui.rooms.charts.study.words import (
    first_source,
    lack,
    source_title,
    title_of,
)

if TYPE_CHECKING:
    from openalgo_desktop.ui.rooms.charts.cell import ChartCell
    from openalgo_desktop.ui.rooms.charts.study.picker import StudyPicker
    from openalgo_desktop.ui.rooms.charts.study.settings import StudySettings

#: The part of a chart's history that its studies are.
PART = "studies"
#: Studies on a chart. More cannot be told apart, and each of them costs every tick.
MOST = 50


class StudyHand(QObject):
    """One of a chart. ``changed`` when its studies are others, or their values came."""

    changed = Signal()

    def __init__(self, cell: ChartCell) -> None:
        super().__init__(cell)
        self._cell = cell
        self.bridge, self.studies = cell.bridge, cell.studies
        self._picker: StudyPicker | None = None
        self._settings: dict[str, StudySettings] = {}
        cell.studies_changed.connect(self.changed)
        cell.view.study_asked.connect(self._on_asked)
        cell.view.study_menu.connect(self.show_menu)
        drawings = cell.drawings
        drawings.study_wanted.connect(self.add)
        drawings.offer_studies()
        self._others = drawings.apply_own
        drawings.apply_own = self._apply

    def release(self) -> None:
        """The chart goes away, and its dialogs with it; what they tried on is taken back."""
        for dialog in (*self._settings.values(), self._picker):
            if dialog is not None:
                dialog.reject()

    # -- what there is ----------------------------------------------------------------------
    @property
    def wishes(self) -> tuple[StudyWish, ...]:
        """The studies of the chart, in their order."""
        return self.studies.wishes

    def title(self, wish: StudyWish) -> str:
        """As the legend calls it."""
        spec = self.studies.spec(wish)
        return wish.study.removeprefix("user:") if spec is None else title_of(spec, wish)

    def lack(self, spec: StudySpec) -> str:
        """Why a study has no values on this chart; empty where nothing is missing."""
        key = self._cell.key
        instrument = self.bridge.instrument(key) if key is not None else None
        return lack(spec, instrument, self._cell.span)

    def sources(self, ident: str) -> list[tuple[str, str]]:
        """Outputs of the other studies that one may stand on: text and value of the parameter.
        Those that stand on it themselves are left out."""
        found = []
        for wish in self.wishes:
            spec = self.studies.spec(wish)
            if wish.ident != ident and spec is not None and not self._stands_on(wish, ident):
                found += [
                    (source_title(spec, wish, output.label), f"{wish.ident}.{output.name}")
                    for output in _valued(spec)
                ]
        return found

    def _stands_on(self, wish: StudyWish, ident: str, seen: tuple[str, ...] = ()) -> bool:
        for value in wish.params.values():
            under, dot, _ = str(value).rpartition(".")
            if not dot or under in seen:
                continue
            if under == ident:
                return True
            other = self.studies.wish(under)
            if other is not None and self._stands_on(other, ident, (*seen, wish.ident)):
                return True
        return False

    # -- acts -------------------------------------------------------------------------------
    def set(self, text: str, wishes: Sequence[StudyWish], joins: str = "") -> None:
        """Have these studies; one step of the chart, called ``text``."""
        before = self.wishes
        self.studies.set_wishes(tuple(wishes)[:MOST])
        self.note(text, before, joins)

    def note(self, text: str, before: tuple[StudyWish, ...], joins: str = "") -> None:
        """What was done since the studies were ``before`` is one step of the chart."""
        change = Change(PART, before, self.wishes)
        self._cell.drawings.history.note(Step(text, (change,), None, joins))

    def _apply(self, changes: Sequence[Change]) -> None:
        self._others(changes)
        for change in changes:
            if change.part == PART and isinstance(change.after, tuple):
                self.studies.set_wishes(change.after)

    def add(self, study: str, params: Mapping[str, Value] | None = None) -> str:
        """Put a study on the chart as the user likes them; ``params`` above that. Returns its
        ident; empty when the chart has too many."""
        if len(self.wishes) >= MOST:
            self._cell.host.said(f"Indicators: a chart has at most {MOST}. Remove one first.")
            return ""
        wish = self.bridge.studies.templates.new(study, params)
        self.set(f"Add {self.title(wish)}", (*self.wishes, wish))
        return wish.ident

    def add_on(self, ident: str, output: Output, study: str) -> str:
        """Put a study on the chart that is computed from an output of another, in its pane."""
        spec = self.bridge.studies.known(study)
        param = first_source(spec) if spec is not None else None
        under = self.studies.wish(ident)
        if param is None or under is None or len(self.wishes) >= MOST:
            return ""
        wish = self.bridge.studies.templates.new(study, {param.name: f"{ident}.{output.name}"})
        wishes: tuple[StudyWish, ...] = (*self.wishes, wish)
        if self.studies.is_over(wish):
            wishes = panes.to_other(wishes, wish.ident, ident, self.studies.is_over)
        self.set(f"Add {self.title(wish)} on {self.title(under)}", wishes)
        return wish.ident

    def remove(self, ident: str) -> None:
        """Take a study off the chart."""
        if (wish := self.studies.wish(ident)) is not None:
            rest = [row for row in self.wishes if row.ident != ident]
            self.set(f"Remove {self.title(wish)}", rest)

    def hide(self, ident: str) -> None:
        """Hide a study, or show it again."""
        if (wish := self.studies.wish(ident)) is not None:
            verb = "Show" if wish.hidden else "Hide"
            self._put(f"{verb} {self.title(wish)}", replace(wish, hidden=not wish.hidden))

    def _put(self, text: str, wish: StudyWish) -> None:
        self.set(text, [wish if row.ident == wish.ident else row for row in self.wishes])

    def homes(self, ident: str) -> list[tuple[str, bool, tuple[StudyWish, ...]]]:
        """Where a study may be drawn: words, whether it is there now, and the studies then."""
        wishes, over = self.wishes, self.studies.is_over
        now = panes.places(wishes, over)
        mine = now[ident]
        alone = mine > 0 and list(now.values()).count(mine) == 1
        found = [
            ("With the prices", mine == 0, panes.to_prices(wishes, ident)),
            ("Pane of its own", alone, panes.to_own(wishes, ident, over)),
        ]
        told = set()
        for wish in wishes:
            number = now[wish.ident]
            if wish.ident != ident and number > 0 and number not in told:
                told.add(number)
                there = panes.to_other(wishes, ident, wish.ident, over)
                found.append((f"With {self.title(wish)}", number == mine, there))
        return found

    def apply_template(self, name: str) -> None:
        """Add a set of studies. Raises :class:`DataError`."""
        made = self.bridge.studies.templates.apply(name, self.wishes)
        self.set(f"Add studies of {name}", made)

    def alert_on(self, wish: StudyWish, output: Output) -> None:
        """The form of an alert: that a study is crossed by the one that it is computed from, or by
        the price that it is drawn over; else that it crosses its level."""
        key, spec = self._cell.key, self.studies.spec(wish)
        if key is None or spec is None:
            return
        found = study_of(wish, output.name, self.wishes)
        level = Decimal(repr(spec.levels[0].value)) if spec.levels else Decimal(0)
        draft = AlertWish(*key, AlertWhen.CROSSES, span=self._cell.span.text)
        if found.inputs:
            draft = replace(draft, subject=next(iter(found.inputs.values())), against=found)
        elif self.studies.is_over(wish):
            draft = replace(draft, against=found)
        else:
            draft = replace(draft, subject=found, level=level)
        self.bridge.alerts.draft_wanted.emit(AlertDraft(draft, self._offers()))

    def _offers(self) -> tuple[OfStudy, ...]:
        """All that is drawn, to compare with."""
        found = []
        for wish in self.wishes:
            spec = self.studies.spec(wish)
            if spec is not None and self._alerts_know(wish):
                found += [study_of(wish, output.name, self.wishes) for output in _valued(spec)]
        return tuple(found)

    def _alerts_know(self, wish: StudyWish) -> bool:
        return any(spec.study == wish.study for spec in self.bridge.alerts.studies())

    # -- dialogs and menus ------------------------------------------------------------------
    def open_picker(self) -> None:
        """Show the dialog of all indicators, or bring it to the front."""
        if self._picker is not None:
            come_up(self._picker)
            return
        from openalgo_desktop.ui.rooms.charts.study.picker import StudyPicker

        self._picker = StudyPicker(self, self._cell)
        self._picker.finished.connect(self._forget_picker)
        self._cell.spawn(ask(self._picker, modal=False), "indicators")

    def _forget_picker(self, _code: int) -> None:
        self._picker = None

    @property
    def picker(self) -> StudyPicker | None:
        """The dialog, while it is open."""
        return self._picker

    def open_settings(self, ident: str) -> StudySettings | None:
        """Show the settings of a study; None for one that has none."""
        wish = self.studies.wish(ident)
        spec = self.studies.spec(wish) if wish is not None else None
        if wish is None or spec is None:
            return None
        old = self._settings.get(ident)
        if old is not None:
            come_up(old)
            return old
        from openalgo_desktop.ui.rooms.charts.study.settings import StudySettings

        made = self._settings[ident] = StudySettings(self, wish, spec, self._cell)
        made.finished.connect(lambda _: self._settings.pop(ident, None))
        self._cell.spawn(ask(made, modal=False), "settings of an indicator")
        return made

    def _on_asked(self, ident: str, what: str) -> None:
        """A spot of the legend was pressed."""
        acts: dict[str, Callable[[str], object]] = {
            "hide": self.hide,
            "settings": self.open_settings,
            "close": self.remove,
        }
        if what in acts and self.studies.wish(ident) is not None:
            acts[what](ident)

    def show_menu(self, ident: str, at: QPoint) -> None:
        """The menu of a study at a place of the screen."""
        menu = self.menu_of(ident)
        if menu is not None:
            menu.popup(at)

    def menu_of(self, ident: str) -> QMenu | None:
        """What can be done with a study; None for one that the chart has not."""
        wish = self.studies.wish(ident)
        if wish is None:
            return None
        spec = self.studies.spec(wish)
        host = self._cell.host
        menu = host.menu()
        if spec is not None:
            host.add_item(menu, "Settings…", partial(self.open_settings, ident))
        host.add_item(menu, "Show" if wish.hidden else "Hide", partial(self.hide, ident))
        self._add_homes(menu, ident)
        if spec is not None:
            self._add_uses(menu, wish, spec)
        menu.addSeparator()
        host.add_item(menu, "Remove", partial(self.remove, ident))
        return menu

    def _add_homes(self, menu: QMenu, ident: str) -> None:
        inner = menu.addMenu("Move to")
        inner.setObjectName(f"{self._cell.name}-study-pane")
        self._fill_homes(inner, ident)

    def show_homes(self, ident: str, at: QPoint) -> None:
        """The menu of panes that a study may be in, at a place of the screen."""
        menu = self._cell.host.menu()
        self._fill_homes(menu, ident)
        menu.popup(at)

    def _fill_homes(self, menu: QMenu, ident: str) -> None:
        title = self.title(next(row for row in self.wishes if row.ident == ident))
        for words, here, wishes in self.homes(ident):
            call = partial(self.set, f"Move {title}", wishes)
            self._cell.host.add_check(menu, words, here, call)

    def _add_uses(self, menu: QMenu, wish: StudyWish, spec: StudySpec) -> None:
        """Studies on each output, alerts on it. Nothing of a replay is watched: its bars are of
        the past."""
        outputs = _valued(spec)
        known = self._cell.key is not None and self._alerts_know(wish)
        alerts = known and not self._cell.replay.active
        if alerts and len(outputs) == 1:
            call = partial(self.alert_on, wish, outputs[0])
            self._cell.host.add_item(menu, "Alert on it…", call)
        elif alerts and outputs:
            inner = menu.addMenu("Alert on")
            inner.setObjectName(f"{self._cell.name}-study-alert")
            for output in outputs:
                call = partial(self.alert_on, wish, output)
                self._cell.host.add_item(inner, f"{output.label}…", call)
        if outputs:
            inner = menu.addMenu("Add on this")
            inner.setObjectName(f"{self._cell.name}-study-on")
            self._fill_on(inner, wish.ident, outputs)

    def _fill_on(self, menu: QMenu, ident: str, outputs: Sequence[Output]) -> None:
        door = self.bridge.studies
        for output in outputs:
            inner = menu if len(outputs) == 1 else menu.addMenu(output.label)
            inner.setObjectName(f"{self._cell.name}-study-on-{slug(output.name)}")
            for study in ("sma", "ema", "bollinger", "rsi", "macd"):
                spec = door.known(study)
                if spec is not None and first_source(spec) is not None:
                    call = partial(self.add_on, ident, output, study)
                    self._cell.host.add_item(inner, spec.title, call)

    # -- state ------------------------------------------------------------------------------
    def save_state(self) -> object:
        """The studies, for a layout."""
        return msgspec.to_builtins(list(self.wishes))

    def restore_state(self, state: object) -> None:
        """Take what :meth:`save_state` gave; what is not understood is left out."""
        if not isinstance(state, list):
            return
        found: dict[str, StudyWish] = {}
        for row in state[:MOST]:
            try:
                wish = msgspec.convert(row, StudyWish)
            except msgspec.ValidationError:
                continue
            found.setdefault(wish.ident, wish)
        self.studies.set_wishes(tuple(found.values()))

    def spawn(self, work: Coroutine[Any, Any, object]) -> None:
        """Run what a dialog asks for; it ends with the chart."""
        self._cell.spawn(work, "indicators")

    def said(self, text: str) -> None:
        """Tell what was done, where the dock tells it."""
        self._cell.host.said(text)

    def own_folder(self) -> str:
        """The folder of the user's studies, or why there is none."""
        try:
            return str(self.bridge.studies.own_folder())
        except AppError as error:
            self._cell.host.said(error.message)
            return ""


def _valued(spec: StudySpec) -> list[Output]:
    """Outputs that are values: not signs at bars, not colours of bars."""
    return [row for row in spec.outputs if row.draw not in (Draw.MARKS, Draw.BARS)]
