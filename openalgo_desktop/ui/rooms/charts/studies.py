"""The studies of one chart: wishes, their values, how they lie in panes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from PySide6.QtCore import QTimer

from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.charting.studies import StudySpec, StudyWish
from openalgo_desktop.core.model import Key
from openalgo_desktop.ui.chart import ChartView
from openalgo_desktop.ui.chart.plots.study import StudyView
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.studies import Past, StudiesView
from openalgo_desktop.ui.rooms.charts.study import panes
from openalgo_desktop.ui.rooms.charts.study.words import one_line, title_of

#: A view that did not move for so long rests, milliseconds.
REST_MS = 60


class CellStudies:
    """The :class:`~openalgo_desktop.ui.rooms.charts.data.Follower` of a chart. ``changed`` is
    called when the wishes are others, or a load of theirs is done."""

    def __init__(self, bridge: Bridge, view: ChartView, changed: Callable[[], None]) -> None:
        self._bridge, self._view, self._changed = bridge, view, changed
        self._run: StudiesView | None = None
        self._wishes: tuple[StudyWish, ...] = ()
        self._bars: Columns | None = None
        self._places = 2
        self._where: tuple[Key, Span, str, Past] | None = None
        self._drawn = False
        self._rest = QTimer(view)  # a profile of what is in view follows when the view rests
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._look)
        view.range_moved.connect(lambda *_: self._rest.start())

    @property
    def wishes(self) -> tuple[StudyWish, ...]:
        """As they are saved, in their order."""
        return self._wishes

    def wish(self, ident: str) -> StudyWish | None:
        """One of them."""
        return next((wish for wish in self._wishes if wish.ident == ident), None)

    def spec(self, wish: StudyWish) -> StudySpec | None:
        """What is known of its study; None when there is none of that id any more."""
        return self._bridge.studies.known(wish.study)

    def error(self, ident: str) -> str:
        """Why one has no values; empty when it has."""
        return "" if self._run is None else self._run.error(ident)

    # -- life -------------------------------------------------------------------------------
    def open(self, key: Key, span: Span, places: int, past: Past, exchange: str = "") -> None:
        """Another instrument, interval or ``past``; its bars come by :meth:`load`."""
        self._places, self._bars = places, None
        if self._run is None:
            if self._wishes:
                self._run = self._begin(key, span, exchange, past)
        else:
            self._run.move(key, span, exchange, past)
        self._where = (key, span, exchange, past)

    def set_places(self, places: int) -> None:
        """Its bars have so many decimals, as is known now that they are here."""
        self._places = places

    def close(self) -> None:
        """The chart is closed."""
        if self._run is not None:
            self._run.close()
            self._run = None

    def set_wishes(self, wishes: Sequence[StudyWish]) -> None:
        """Have these studies and no others."""
        if tuple(wishes) == self._wishes:
            return
        self._wishes = tuple(wishes)
        if self._run is not None:
            self._run.wish(self._wishes)
        elif self._wishes and self._where is not None:
            self._run = self._begin(*self._where)
            if self._bars is not None:
                self._run.load(self._bars)
        self._show()
        self._changed()

    def _begin(self, key: Key, span: Span, exchange: str, past: Past) -> StudiesView:
        door = self._bridge.studies
        return door.open(self._wishes, key, span, self._told, exchange, past)

    def put(self, wish: StudyWish) -> None:
        """Add a study, or change the one of that ident."""
        if self.wish(wish.ident) is None:
            self.set_wishes((*self._wishes, wish))
        else:
            same = (wish if row.ident == wish.ident else row for row in self._wishes)
            self.set_wishes(tuple(same))

    def remove(self, ident: str) -> None:
        """Take a study away."""
        self.set_wishes([wish for wish in self._wishes if wish.ident != ident])

    def hide(self, ident: str) -> None:
        """Hide it, or show it again."""
        if (wish := self.wish(ident)) is not None:
            self.put(msgspec.structs.replace(wish, hidden=not wish.hidden))

    # -- bars -------------------------------------------------------------------------------
    def load(self, bars: Columns) -> None:
        """Other bars, or more of the past."""
        self._bars = bars
        if self._run is not None:
            self._run.load(bars)
            self._show()

    def last(self, bars: Columns) -> None:
        """The last bar changed."""
        self._bars = bars
        if self._run is not None:
            self._run.last(bars)
            self._renew(closed=False)

    def append(self, bars: Columns) -> None:
        """A bar was added."""
        self._bars = bars
        if self._run is not None:
            self._run.append(bars)
            self._renew(closed=True)

    def _renew(self, *, closed: bool) -> None:
        run = self._run
        if run is None:
            return
        for wish in self._wishes:
            if not wish.hidden:
                values = run.values(wish.ident)
                profiles = run.profiles(wish.ident)
                self._view.set_study_values(wish.ident, values, profiles, closed=closed)

    # -- what is in view --------------------------------------------------------------------
    def _followers(self) -> list[StudyWish]:
        """The studies whose profiles are of what is in view."""
        specs = ((wish, self.spec(wish)) for wish in self._wishes if not wish.hidden)
        return [wish for wish, spec in specs if spec is not None and "view" in spec.needs]

    def _see(self) -> None:
        """Tell the studies which bars are in view."""
        if self._run is not None and self._view.has_bars:
            first, end = self._view.canvas.scale_x.visible
            seen = self._run.around.in_view
            seen.first, seen.last = first, end - 1

    def _look(self) -> None:
        """The view rests elsewhere."""
        run, wishes = self._run, self._followers()
        if run is None or not wishes:
            return
        self._see()
        for wish in wishes:
            profiles = run.profiles(wish.ident)
            self._view.set_study_values(wish.ident, None, profiles, closed=True)
        self._view.flush()

    # -- drawing ----------------------------------------------------------------------------
    def _told(self) -> None:
        self._show()
        self._view.flush()
        self._changed()

    def is_over(self, wish: StudyWish) -> bool:
        """Whether a study that chooses its pane itself is drawn over the prices."""
        spec = self.spec(wish)
        return spec is not None and spec.over

    def _show(self) -> None:
        """All of it anew: another set of studies, or a load is done."""
        run, views = self._run, []
        self._see()
        numbers = panes.places(self._wishes, self.is_over)
        for wish in self._wishes:
            if run is not None:
                views.append(self._view_of(run, wish, self.spec(wish), numbers[wish.ident]))
        if views or self._drawn:  # else the canvas would be built for nothing
            self._drawn = bool(views)
            self._view.set_studies(views)

    def _view_of(
        self, run: StudiesView, wish: StudyWish, spec: StudySpec | None, pane: int
    ) -> StudyView:
        values = run.values(wish.ident)
        note = one_line(run.error(wish.ident) or run.note(wish.ident))
        if spec is None:  # its file is gone, or it is of a later version
            name = wish.study.removeprefix("user:")
            note = note or "there is no such study"
            return StudyView(wish.ident, name, (), (), pane, hidden=wish.hidden, note=note)
        params = {**spec.defaults(), **wish.params}
        if spec.outputs and not values and not note:
            note = "…"
        return StudyView(
            wish.ident,
            title_of(spec, wish),
            spec.outputs if values else (),
            values,
            pane,
            wish.styles,
            [output.offset_in(params) for output in spec.outputs],
            levels=spec.levels,
            low=spec.low,
            high=spec.high,
            profiles=run.profiles(wish.ident),
            hidden=wish.hidden,
            note=note,
            places=self._places,
            periods=[str(params.get(output.period, "")) for output in spec.outputs],
        )
