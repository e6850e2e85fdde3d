"""The door to studies: which there are, those of a chart, templates, the user's own files.

A dock opens a :class:`StudiesView` for its chart, hands it the bars (``load``, ``last``,
``append``) and reads ``values``, ``profiles``, ``error`` and ``note`` of each study by its ident.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from PySide6.QtCore import QObject, QTimer, Signal

from openalgo_desktop.analytics.indicators.own.folder import OwnFolder
from openalgo_desktop.analytics.indicators.running.chart_studies import ChartStudies
from openalgo_desktop.analytics.indicators.running.library import Library
from openalgo_desktop.config.resources import resource_text
from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.rhythm import Rhythm
from openalgo_desktop.core.charting.sessions import Sessions
from openalgo_desktop.core.charting.span import Span, SpanUnit
from openalgo_desktop.core.charting.studies import StudySpec, StudyWish, Value
from openalgo_desktop.core.charting.surroundings import ChainPast, Surroundings
from openalgo_desktop.core.clock import IST_OFFSET_SECONDS
from openalgo_desktop.core.errors import AppError, DataError
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.ui.engine.chain_past import ChainRecords, SamplesUntil
from openalgo_desktop.ui.engine.study_templates import StudyTemplates

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal
    from openalgo_desktop.ui.engine.bridge import Bridge

log = logging.getLogger(__name__)
#: The folder of the user's studies is looked at so often, milliseconds.
LOOK_MS: Final = 2000


class _Finer(NamedTuple):
    """Other bars of the instrument that a family of studies is exact with: of which length, how
    many seconds back, and where they go in :class:`Surroundings`."""

    span: Span
    back: int
    put: Callable[[Surroundings, Columns], Surroundings]


#: By family: levels of earlier periods from daily bars, profiles from those of a minute.
_FINER: Final = {
    "Levels": _Finer(
        Span(SpanUnit.DAY), 400 * 86_400, lambda around, bars: replace(around, days=bars)
    ),
    "Profiles": _Finer(
        Span(SpanUnit.MINUTE), 14 * 86_400, lambda around, bars: replace(around, minutes=bars)
    ),
}


class Past(Protocol):
    """Whose bars of other lengths studies are given: those of the market, or of a replay, whose
    ``moment`` (epoch seconds) is another one."""

    @property
    def moment(self) -> float: ...
    async def get(self, key: Key, span: Span, start: int, end: int) -> Bars: ...


class StudiesView(ChartStudies):
    """The studies of one chart; :meth:`close` with it."""

    def __init__(
        self, door: StudiesDoor, around: Surroundings, told: Callable[[], None], past: Past
    ) -> None:
        super().__init__(door.library, around, told, door.spawn)
        self._door, self._past = door, past
        self._day = 0  # of the last bar, days since 1970
        self._recorded = False
        self._asked: set[str] = set()  # families whose other bars were asked for

    @property
    def key(self) -> Key:
        """The instrument."""
        return self.around.key

    def move(self, key: Key, span: Span, exchange: str = "", past: Past | None = None) -> None:
        """Another instrument or interval, or bars of another ``past``, as in
        :meth:`StudiesDoor.open`; its bars come by ``load``."""
        self._release()
        self._asked.clear()
        self._past, self._day = past or self._door.market, 0
        self.stand(self._door.around(key, span, exchange))
        self._need()

    def wish(self, wishes: Sequence[StudyWish]) -> None:
        self._need(wishes)
        super().wish(wishes)

    def append(self, bars: Columns) -> None:
        super().append(bars)
        day = int(bars.time[-1] + IST_OFFSET_SECONDS) // 86_400
        if self._day and day != self._day:  # the day before is a whole one now
            self._asked.clear()
            self._need()
        self._day = day

    def _need(self, wishes: Sequence[StudyWish] | None = None) -> None:
        """Ask for what studies need beside the bars, once each."""
        specs = [
            self._door.known(wish.study) for wish in (self.wishes if wishes is None else wishes)
        ]
        chain = any(spec is not None and "chain" in spec.needs for spec in specs)
        if chain and not self._recorded:
            record = self._door.records.want(self.key)
            self._recorded = record is not None
            past = self._past
            known: ChainPast | None = record
            if record is not None and past is not self._door.market:
                known = SamplesUntil(record, lambda: past.moment)
            self.surround(replace(self.around, chain=known))
        elif not chain:
            self._release()
        span = self.around.span
        for family in {spec.family for spec in specs if spec is not None} & _FINER.keys():
            other = _FINER[family].span
            of_use = span.is_intraday and (not other.is_intraday or span.seconds > other.seconds)
            if of_use and self._door.is_listed(self.key) and family not in self._asked:
                self._asked.add(family)
                self._door.spawn(
                    self._fetch(_FINER[family], self.around, self._past), "bars for studies"
                )

    async def _fetch(self, finer: _Finer, around: Surroundings, past: Past) -> None:
        moment = int(past.moment)
        try:
            found = await past.get(around.key, finer.span, moment - finer.back, moment)
        except AppError as error:  # the chart's own bars have to do then
            log.info("no bars of %s for studies: %s", ":".join(around.key), error.message)
            return
        now, bars = self.around, Columns.of(found)
        if past is not self._past:  # a replay began meanwhile: these are of its future
            return
        if bars.size and now.key == around.key and now.span == around.span:
            self.surround(finer.put(now, bars))
            self.reload()

    def _release(self) -> None:
        if self._recorded:
            self._recorded = False
            self._door.records.release(self.key)

    def close(self) -> None:
        """The chart is closed."""
        self._release()
        super().close()
        self._door.forget(self)


class StudiesDoor(QObject):
    """``close`` with the bridge. ``changed`` says that the list of studies or templates may be
    another one: a file of the user came, went or changed."""

    changed = Signal()

    def __init__(self, terminal: Terminal, bridge: Bridge) -> None:
        super().__init__(bridge)
        self._terminal, self._bridge = terminal, bridge
        data = terminal.data_dir
        private = (data.path, data.config)
        self.folder = OwnFolder(data.path / "studies", private, bridge.spawn)
        self.library = Library(self.folder)
        self.templates = StudyTemplates(terminal.state, self.library, self.changed.emit)
        self.records = ChainRecords(bridge, terminal.state, self._read)
        self.spawn = bridge.spawn
        self.market: Past = bridge.bars
        self._views: list[StudiesView] = []
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()
        bridge.spawn(self.templates.load(), "study templates")

    def close(self) -> None:
        """Close all views and end the processes of the user's studies."""
        self._timer.stop()
        for view in tuple(self._views):
            view.close()
        self.folder.close()

    # -- which there are ----------------------------------------------------------------------
    def specs(self) -> list[StudySpec]:
        """All studies, by family and title, the user's own last."""
        return self.library.specs()

    def find(self, words: str) -> list[StudySpec]:
        """What is meant by ``words``, the nearest first."""
        return self.library.find(words)

    def spec(self, study: str) -> StudySpec:
        """One study. Raises :class:`DataError`."""
        return self.library.spec(study)

    def known(self, study: str) -> StudySpec | None:
        """One study; None when there is none of that id."""
        try:
            return self.library.spec(study)
        except DataError:
            return None

    def check(self, study: str, params: Mapping[str, Value]) -> dict[str, Value]:
        """All parameters, those of ``params`` checked. Raises :class:`DataError` that names one."""
        return self.library.check(study, params)

    # -- of a chart -----------------------------------------------------------------------------
    def open(
        self,
        wishes: Sequence[StudyWish],
        key: Key,
        span: Span,
        told: Callable[[], None],
        exchange: str = "",
        past: Past | None = None,
    ) -> StudiesView:
        """The studies of a chart. ``told`` is called when a load is done or an answer came. A chart
        that is no instrument (arithmetic of legs) gives a key of its own, which is in no symbol
        master, and the ``exchange`` whose hours its bars have; a chart that replays gives the
        ``past`` that its bars come from."""
        view = StudiesView(self, self.around(key, span, exchange), told, past or self.market)
        self._views.append(view)
        view.wish(wishes)
        return view

    def _read(self, key: Key) -> None:
        """What was recorded of a chain before is here now."""
        for view in self._views:
            if view.key == key:
                view.reload()

    def forget(self, view: StudiesView) -> None:
        """A view was closed."""
        if view in self._views:
            self._views.remove(view)

    @property
    def open_views(self) -> int:
        """How many charts have studies."""
        return len(self._views)

    def is_listed(self, key: Key) -> bool:
        """Whether the key is an instrument, which has bars of other lengths."""
        return self._bridge.instrument(key) is not None

    def around(self, key: Key, span: Span, exchange: str = "") -> Surroundings:
        """Where studies of a chart stand."""
        calendar, exchange = self._terminal.calendar, exchange or key[0]
        row = self._bridge.instrument(key)
        return Surroundings(
            key,
            span,
            row.tick_size if row is not None else 0.0,
            Sessions.of(calendar, exchange),
            rhythm=lambda longer: Rhythm(longer, exchange, calendar),
        )

    # -- the user's own -------------------------------------------------------------------------
    def look(self) -> None:
        """Whether a file of the user came, went or changed; charts that show it follow."""
        changed = self.folder.look()
        if changed:
            for view in tuple(self._views):
                view.renew(changed)
            self.changed.emit()

    def own_folder(self) -> Path:
        """The folder of the user's studies, made with an example when it is not there. Raises
        :class:`DataError`."""
        path = self.folder.path
        try:
            if not path.exists():
                path.mkdir(mode=0o700, parents=True)
                (path / "example.py").write_text(resource_text("studies/example.py"), "utf-8")
        except OSError as error:
            raise DataError(f"The folder {path} cannot be made: {error.strerror}.") from None
        self.look()
        return path

    @property
    def own_problems(self) -> Mapping[str, str]:
        """By file of the user, why it is no study."""
        return self.folder.problems
