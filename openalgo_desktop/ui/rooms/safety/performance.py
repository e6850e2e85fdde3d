"""The Performance dock: what the window and the loop spend, and how fast prices and orders are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.frames import Paints
from openalgo_desktop.ui.engine.performance import Figures
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.dock import Dock
from openalgo_desktop.ui.kit.save_file import ask_csv_path
from openalgo_desktop.ui.kit.table_menu import TableMenu
from openalgo_desktop.ui.kit.tables import Column, FastTableModel, FastTableView
from openalgo_desktop.ui.kit.widgets import label, named, plain_tip, push_button, set_role

#: Facts beside each other, as far as there is room; pixels between them, and at both edges.
PER_ROW = (3, 2, 1)
BETWEEN, EDGES = 14, 16
#: What the program promises itself, milliseconds: a paint, a turn of the loop.
PAINT_MS, LAG_MS = 12.0, 50.0

COLUMNS: tuple[Column[Paints], ...] = (
    Column("dock", "Dock", 150, lambda r: r.name, numeric=False),
    Column("median", "Median ms", 84, lambda r: r.median, lambda r: f"{r.median:.1f}"),
    Column(
        "high",
        "95 % ms",
        78,
        lambda r: r.high,
        lambda r: f"{r.high:.1f}",
        tone=lambda r: "warning" if r.high > PAINT_MS else "",
    ),
    Column("count", "Paints", 64, lambda r: r.paints),
)
#: Object name, caption, what it is.
FACTS: tuple[tuple[str, str, str], ...] = (
    ("paint", "Paint", "One paint of the window: median and 95 per cent; aim 12 ms"),
    ("lag", "Loop late by", "How late the loop gets to its work: median, 95 per cent, most"),
    ("ticks", "Prices", "Prices handed to the window in a second, after conflation"),
    ("age", "Last price", "Time since the last price of anything"),
    ("order", "Order answer", "From sending to the account's answer: last and median"),
    (
        "answers",
        "Answers within (ms)",
        "How many of the last 50 answers to order writes came within so many milliseconds",
    ),
    ("budget", "Orders left", "Order writes that may still leave within this second"),
    ("memory", "Memory", "Resident memory of the program"),
    ("tasks", "Tasks", "Tasks of the loop that are alive"),
    ("uptime", "Running for", "Time since the start"),
)


def _ms(value: float | None) -> str:
    return fmt.MISSING if value is None else f"{value:.1f} ms"


def _within(answers: Sequence[tuple[float | None, int]]) -> str:
    """``≤ 50 ms 12 · ≤ 100 3 · later 1``, without the steps that nothing came in."""
    found = ["later" if most is None else f"≤ {most:.0f}" for most, count in answers if count]
    counts = [count for _, count in answers if count]
    parts = [f"{words}: {count}" for words, count in zip(found, counts, strict=True)]
    return " · ".join(parts) or fmt.MISSING


def facts(figures: Figures) -> dict[str, tuple[str, str]]:
    """Text and tone of each fact."""
    lag, paint = figures.lag, figures.paint
    hours, rest = divmod(int(figures.uptime), 3600)
    return {
        "paint": (
            f"{paint[0]:.1f} / {paint[1]:.1f} ms",
            "warning" if paint[1] > PAINT_MS else "",
        ),
        "lag": (
            fmt.MISSING if lag is None else f"{lag[0]:.1f} / {lag[1]:.1f} / {lag[2]:.1f} ms",
            "warning" if lag is not None and lag[1] > LAG_MS else "",
        ),
        "ticks": (
            fmt.MISSING
            if figures.ticks is None
            else f"{figures.ticks:,.0f}/s · {figures.subscribed} symbols",
            "",
        ),
        "age": (fmt.MISSING if figures.tick_age is None else f"{figures.tick_age:.1f} s", ""),
        "order": (f"{_ms(figures.order_last)} · median {_ms(figures.order_median)}", ""),
        "answers": (_within(figures.answers), ""),
        "budget": (f"{figures.budget_left}", "warning" if figures.budget_left < 3 else ""),
        "memory": (fmt.MISSING if figures.memory is None else f"{figures.memory:.0f} MB", ""),
        "tasks": (f"{figures.tasks}", ""),
        "uptime": (f"{hours}:{rest // 60:02d}:{rest % 60:02d}", ""),
    }


def report(figures: Figures) -> str:
    """The figures as CSV."""
    lines = ["what,value"]
    lines += [f'"{caption}","{facts(figures)[name][0]}"' for name, caption, _ in FACTS]
    lines += ["", "dock,median ms,95 % ms,paints"]
    lines += [f'"{r.name}",{r.median:.2f},{r.high:.2f},{r.paints}' for r in figures.docks]
    return "\n".join(lines) + "\n"


class PerformanceDock(Dock):
    """Measured only while the dock is open."""

    name = "performance"
    title = "Performance"
    priority = 3
    min_interval = 0.5

    def __init__(self, bridge: Bridge, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(bridge, name, parent)
        self.content.addLayout(self._build_facts())
        self.model: FastTableModel[Paints] = FastTableModel(COLUMNS)
        self.view = named(
            FastTableView(self.model, "No dock has painted yet."),
            f"{self.name}-docks",
            "Paint times of the docks",
        )
        self.table_menu = TableMenu(self, self.view, COLUMNS, self.title)
        self.content.addWidget(self.view, 1)
        self._watching = True
        bridge.performance.watch()
        self.listen(bridge.performance.changed, self._mark)
        self.show_figures()

    def _build_facts(self) -> QGridLayout:
        """Captions with their values below, and the buttons in the last column."""
        grid = self._grid = QGridLayout()
        grid.setContentsMargins(10, 6, 6, 6)
        grid.setHorizontalSpacing(BETWEEN)
        grid.setVerticalSpacing(2)
        self.values: dict[str, QLabel] = {}
        self._heads: list[QLabel] = []
        for name, caption, tip in FACTS:
            value = label(fmt.MISSING, f"{self.name}-{name}", "footer")
            value.setAccessibleName(caption)
            head = label(caption, f"{self.name}-{name}-caption", "caption")
            for part in (head, value):
                part.setToolTip(plain_tip(tip))
            self._heads.append(head)
            self.values[name] = value
        self.reset_button = push_button(
            "Reset", f"{self.name}-reset", "Count anew", self.bridge.performance.reset
        )
        self.save_button = push_button(
            "Save…", f"{self.name}-save", "Save the figures", self._ask_save
        )
        self._across = 0
        self._place(PER_ROW[0])
        return grid

    def _place(self, across: int) -> None:
        """So many facts beside each other."""
        if across == self._across:
            return
        self._grid.setColumnStretch(self._across, 0)
        self._across = across
        for index, (head, value) in enumerate(self._pairs()):
            row, column = divmod(index, across)
            self._grid.addWidget(head, 2 * row, column)
            self._grid.addWidget(value, 2 * row + 1, column)
        for row, button in enumerate((self.reset_button, self.save_button)):
            self._grid.addWidget(button, 2 * row, across + 1, 2, 1)
        self._grid.setColumnStretch(across, 1)

    def _pairs(self) -> list[tuple[QLabel, QLabel]]:
        return list(zip(self._heads, self.values.values(), strict=True))

    def _fit(self) -> None:
        """As many beside each other as there is room for."""
        wide = [max(part.sizeHint().width() for part in pair) for pair in self._pairs()]
        buttons = max(b.sizeHint().width() for b in (self.reset_button, self.save_button))
        room = self.width() - buttons - 2 * BETWEEN - EDGES
        for across in PER_ROW:
            needed = sum(max(wide[column::across]) + BETWEEN for column in range(across))
            if needed <= room or across == PER_ROW[-1]:
                self._place(across)
                return

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def exports(self) -> list[tuple[str, Callable[[], object]]]:
        return self.table_menu.exports()

    def release(self) -> None:
        if self._watching:
            self._watching = False
            self.bridge.performance.unwatch()
        super().release()

    def _mark(self) -> None:
        self.dirty = True

    def flush(self) -> None:
        self.dirty = False
        self.show_figures()

    def show_figures(self) -> None:
        """Show them as they are now."""
        figures = self.bridge.performance.figures()
        for name, (text, tone) in facts(figures).items():
            self.values[name].setText(text)
            set_role(self.values[name], tone, "tone")
        self._fit()  # the values may be longer now
        self.model.set_rows(list(figures.docks))
        self.view.viewport().update()

    # -- saving -----------------------------------------------------------------------------
    def _ask_save(self) -> None:
        self.spawn(self._save(), "save performance")

    async def _save(self) -> None:
        path = await ask_csv_path(self, "performance.csv")
        if path is not None:
            self.save_to(path)

    def save_to(self, path: Path) -> None:
        """Write the figures into a CSV file."""
        try:
            path.write_text(report(self.bridge.performance.figures()), encoding="utf-8")
        except OSError as error:
            self.bridge.notice.emit("error", f"{path.name} cannot be written: {error.strerror}.")
        else:
            self.bridge.notice.emit("info", f"Performance saved to {path.name}.")
