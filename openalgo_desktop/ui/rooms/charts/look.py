"""How a chart looks beside its kind: what the layout keeps of scale, volumes and lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from openalgo_desktop.ui.chart import ChartView
from openalgo_desktop.ui.chart.canvas.stage import Volume
from openalgo_desktop.ui.chart.scales.price_scale import ScaleKind
from openalgo_desktop.ui.kit import look

#: A lower chart shows no volumes, pixels at a text scale of 100 per cent.
LOW = 170


@dataclass(frozen=True)
class Look:
    """``scale`` and ``volume`` by their values; ``touch`` the lines of bid and ask, ``days`` lines
    between trading days."""

    scale: str = ScaleKind.LINEAR.value
    inverted: bool = False
    volume: str = Volume.PANE.value
    touch: bool = False
    days: bool = False

    def apply(self, view: ChartView) -> None:
        """Show it; bid and ask are shown by whoever knows them."""
        view.set_scale(ScaleKind(self.scale), self.inverted)
        view.set_volume(self.volume_in(view))
        view.set_sessions(self.days)
        if not self.touch:
            view.set_touch(0.0, 0.0)

    def volume_in(self, view: ChartView) -> Volume:
        """Where volumes are in a chart of this height: none where candles need the room."""
        return Volume.NOWHERE if view.height() < look.px(LOW) else Volume(self.volume)

    def fit(self, view: ChartView) -> None:
        """The chart is higher or lower now; one without bars is shown whole when they come."""
        if view.has_bars:
            view.set_volume(self.volume_in(view))

    def save(self) -> dict[str, object]:
        """As the layout keeps it."""
        return asdict(self)

    @classmethod
    def restored(cls, state: object) -> Look:
        """The other way round; what has no meaning is as at first."""
        if not isinstance(state, Mapping):
            return cls()
        first = cls()
        scale, volume = str(state.get("scale")), str(state.get("volume"))
        flags = {
            name: state[name]
            for name in ("inverted", "touch", "days")
            if isinstance(state.get(name), bool)
        }
        return replace(
            first,
            scale=scale if scale in {kind.value for kind in ScaleKind} else first.scale,
            volume=volume if volume in {where.value for where in Volume} else first.volume,
            **flags,
        )
