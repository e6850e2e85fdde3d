"""Which bars a chart shows: one object drives all panes. No Qt here."""

from __future__ import annotations

MIN_SPAN = 12.0
START_SPAN = 140.0
#: A bar has at least so many pixels at first: a body that can be seen.
BAR_PIXELS = 6.0
#: Empty room right of the last bar, as a part of the span.
MARGIN = 0.06


class TimeScale:
    """Left and right edge in bar indexes; a bar covers its index plus and minus a half."""

    def __init__(self) -> None:
        self.count = 0
        self.left = 0.0
        self.right = START_SPAN

    @property
    def span(self) -> float:
        """Bars between the edges."""
        return self.right - self.left

    @property
    def visible(self) -> tuple[int, int]:
        """First and one-past-last bar that is at least partly seen."""
        return max(0, int(self.left)), min(self.count, int(self.right) + 2)

    @property
    def at_end(self) -> bool:
        """Whether the last bar is in view."""
        return self.right >= self.count - 1

    def reset(self, count: int, width: float = 0.0) -> None:
        """Show the newest bars of a new series; no more than can be told apart in ``width``
        pixels (0: not known)."""
        self.count = count
        most = min(START_SPAN, width / BAR_PIXELS) if width else START_SPAN
        self.fit_end(max(MIN_SPAN, min(most, count * (1 + MARGIN))))

    def fit_end(self, span: float) -> None:
        """Show ``span`` bars up to the last one."""
        self.right = self.count - 0.5 + span * MARGIN
        self.left = self.right - span

    def grow(self) -> None:
        """A bar was appended; the view follows only when it was at the end."""
        if not self.count:
            self.reset(1)
            return
        follow = self.at_end
        self.count += 1
        if follow:
            self.left += 1.0
            self.right += 1.0

    def resize(self, count: int) -> None:
        """There are ``count`` bars now, counted from the same first one; the view follows when it
        was at the end."""
        if not self.count:
            self.reset(count)
            return
        more = count - self.count if self.at_end else 0
        self.count = count
        self.left += more
        self.right += more

    def shift(self, added: int) -> None:
        """Bars were put in front: the same bars stay in view."""
        self.count += added
        self.left += added
        self.right += added

    def pan(self, bars: float) -> None:
        """Move to older bars (negative) or newer ones; some bars always stay in view."""
        keep = min(5.0, self.span / 2)
        low = keep - self.right
        high = self.count - keep - self.left
        moved = max(min(low, 0.0), min(bars, max(high, 0.0)))
        self.left += moved
        self.right += moved

    def show(self, left: float, right: float) -> None:
        """Put the edges there, at least as far apart as is allowed."""
        self.left, self.right = left, max(right, left + MIN_SPAN)

    def zoom(self, factor: float, anchor: float) -> None:
        """Show ``factor`` times as many bars; the bar at ``anchor`` keeps its place."""
        most = max(START_SPAN, self.count * (1 + 2 * MARGIN))
        span = max(MIN_SPAN, min(most, self.span * factor))
        share = (anchor - self.left) / self.span
        self.left = anchor - share * span
        self.right = self.left + span
