"""The paper account at a glance: equity curve, daily P&L, statistics, settings, reset, export."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import asdict
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QSizePolicy,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.ui.chart.equity import EquityCurve, Point
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.rows import (
    DailyPnl,
    Summary,
    daily_csv,
    trades_csv,
)
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.book_view import BookView
from openalgo_desktop.ui.kit.confirm import confirm
from openalgo_desktop.ui.kit.dock import Dock
from openalgo_desktop.ui.kit.exporting import write_text
from openalgo_desktop.ui.kit.fields import VerticalArea
from openalgo_desktop.ui.kit.figures import Figure, FigureGrid
from openalgo_desktop.ui.kit.save_file import ask_csv_path
from openalgo_desktop.ui.kit.settings_page import SettingsPage, group_rows
from openalgo_desktop.ui.kit.table_dock import Col
from openalgo_desktop.ui.kit.table_menu import TableMenu
from openalgo_desktop.ui.kit.tables import FastTableModel
from openalgo_desktop.ui.kit.tool_row import ToolRow
from openalgo_desktop.ui.kit.widgets import (
    label,
    name_inner_controls,
    named,
    plain_tip,
    push_button,
    set_role,
)
from openalgo_desktop.ui.rooms.portfolio.realism import RealismStrip

#: Milliseconds between refreshes while the dock is seen; open profit moves all the time.
REFRESH = 2000
#: Changes within this time are shown at once, milliseconds.
SETTLE = 100
#: The curve has at most about this many points: more would not be seen.
MOST_POINTS = 500
RESET_TEXT = (
    "All orders, trades, positions, holdings and day results of the sandbox are deleted and its "
    "money goes back to the starting capital. The live account is not touched. Export first what "
    "you want to keep: this cannot be undone."
)


def _amount(key: str, title: str, signed: bool = True) -> Col[DailyPnl]:
    def value(row: DailyPnl) -> float:
        return float(getattr(row, key))

    return Col(
        key,
        title,
        104,
        value,
        lambda row: (fmt.signed_money if signed else fmt.money)(value(row)),
        (lambda row: fmt.sign_role(value(row))) if signed else None,
    )


COLUMNS: tuple[Col[DailyPnl], ...] = (
    Col(
        "day", "Day", 100, lambda d: d.day.toordinal(), lambda d: f"{d.day:%d %b %Y}", numeric=False
    ),
    _amount("net", "Net P&L"),
    _amount("gross", "Gross P&L"),
    _amount("realised", "Realised"),
    _amount("charges", "Charges", signed=False),
    _amount("equity", "Equity", signed=False),
    _amount("drawdown", "Drawdown"),
)

FIGURES = (
    Figure("net", "Net P&L", "profit"),
    Figure("return_percent", "Return", "percent"),
    Figure("gross", "Gross P&L", "profit"),
    Figure("charges", "Charges", "money"),
    Figure("closed", "Closed trades", "count"),
    Figure("win_rate", "Win rate", "share"),
    Figure("profit_factor", "Profit factor", "ratio"),
    Figure("max_drawdown", "Max drawdown", "money"),
    Figure("max_drawdown_percent", "Max drawdown %", "share"),
    Figure("average_win", "Average win", "money"),
    Figure("average_loss", "Average loss", "money"),
    Figure("best_day", "Best day", "profit"),
    Figure("worst_day", "Worst day", "profit"),
)


class SandboxDock(Dock):
    """Always about the paper account, also while the window is in LIVE mode."""

    name = "sandbox"
    title = "Sandbox"

    def __init__(self, bridge: Bridge, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(bridge, name, parent)
        self.summary: Summary | None = None
        self._closed = False
        self.tabs = named(QTabWidget(), "sandbox-tabs", "Sandbox pages")
        named(self.tabs.tabBar(), "sandbox-tab-bar", "Sandbox pages")
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self._performance_page(), "Performance")
        self.tabs.addTab(self._days_page(), "Daily P&&L")
        self.settings: SettingsPage | None = None
        self._settings_tab = named(QWidget(), "sandbox-settings", "Settings of the sandbox")
        self.tabs.addTab(self._settings_tab, "Settings")
        self.tabs.currentChanged.connect(self._on_page)
        self.realism = RealismStrip(bridge)
        self.content.addWidget(self.realism)
        self.content.addWidget(self.tabs, 1)
        self.content.addLayout(self._foot())
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._on_timer)
        self._timer.start(0)
        self.listen(bridge.books.trades_changed, self._soon)
        self.listen(bridge.books.trades_added, self._soon)
        self.listen(bridge.books.funds_changed, self._soon)
        self.listen(bridge.setting_changed, self._on_setting)
        self.listen(bridge.closing, self._on_closing)
        self.visibilityChanged.connect(lambda _visible: self._soon())

    # -- pages ------------------------------------------------------------------------------
    def _performance_page(self) -> QWidget:
        page = named(QWidget(), "sandbox-performance", "Performance")
        row = QHBoxLayout(page)
        row.setContentsMargins(0, 0, 0, 0)
        left = QVBoxLayout()
        left.setContentsMargins(2, 2, 0, 0)
        self.steps = named(QComboBox(), "sandbox-steps", "Steps of the equity curve")
        self.steps.addItems(["By day", "By closed trade"])
        self.steps.currentIndexChanged.connect(lambda _: self._show_curve())
        self.equity = label(fmt.MISSING, "sandbox-equity", "card")
        self.equity.setAccessibleName("Equity of the sandbox")
        left.addWidget(ToolRow("sandbox-head", (self.equity,), (self.steps,)))
        self.curve = EquityCurve("sandbox-curve")
        left.addWidget(self.curve, 1)
        row.addLayout(left, 1)
        self.figures = FigureGrid("sandbox", "Statistics of the sandbox", FIGURES)
        area = named(VerticalArea(), "sandbox-figures-scroll", "Statistics of the sandbox")
        area.setWidget(self.figures)
        area.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Expanding)
        row.addWidget(area)
        return page

    def _days_page(self) -> QWidget:
        self.model: FastTableModel[DailyPnl] = FastTableModel(COLUMNS)
        self.days = named(BookView(self.model), "sandbox-days", "Daily profit and loss")
        self.days_menu = TableMenu(self, self.days, COLUMNS, "Sandbox, day by day")
        return self.days

    def exports(self) -> list[tuple[str, Callable[[], object]]]:
        shown = self.tabs.currentWidget() is self.days
        return self.days_menu.exports() if shown else super().exports()

    def _on_page(self, _index: int) -> None:
        """The form is built when somebody looks at it: it is most of what the dock costs."""
        if self.tabs.currentWidget() is self._settings_tab and self.settings is None:
            self._build_settings(self._settings_tab)
            name_inner_controls(self._settings_tab)

    def _build_settings(self, page: QWidget) -> None:
        column = QVBoxLayout(page)
        column.setContentsMargins(8, 6, 8, 6)
        self.settings = SettingsPage(self.bridge, group_rows("Sandbox"), "sandbox-setting")
        named(self.settings, "sandbox-settings-form", "Settings of the sandbox")
        column.addWidget(self.settings, 1)
        row = QHBoxLayout()
        self.settings_error = label("", "sandbox-settings-error", "error")
        self.settings_error.setWordWrap(True)
        row.addWidget(self.settings_error, 1)
        row.addWidget(
            push_button(
                "Undo", "sandbox-settings-undo", "Show the values in force", self._undo_settings
            )
        )
        self.apply = push_button(
            "Apply", "sandbox-settings-apply", "Apply the settings", self._apply_settings
        )
        self.apply.setProperty("role", "primary")
        row.addWidget(self.apply)
        column.addLayout(row)

    def _foot(self) -> QHBoxLayout:
        foot = QHBoxLayout()
        foot.setContentsMargins(10, 5, 6, 5)
        foot.setSpacing(6)
        self.export_trades = push_button(
            "Export trades", "sandbox-export-trades", "Export trades as CSV", self._ask_trades
        )
        self.export_days = push_button(
            "Export daily P&&L", "sandbox-export-days", "Export daily P&L as CSV", self._ask_days
        )
        self.reset = push_button("Reset", "sandbox-reset", "Reset the sandbox", self._ask_reset)
        self.reset.setProperty("role", "danger-outline")
        foot.addWidget(self.export_trades)
        foot.addWidget(self.export_days)
        foot.addStretch(1)
        foot.addWidget(self.reset)
        return foot

    # -- showing ----------------------------------------------------------------------------
    def _soon(self, *_: object) -> None:
        if not self._closed and self._timer.interval() != SETTLE:
            self._timer.start(SETTLE)

    def _on_timer(self) -> None:
        if not self.visibleRegion().isEmpty():
            self.reload()
        self._timer.start(REFRESH)

    def _on_closing(self) -> None:
        self._closed = True
        self._timer.stop()

    def reload(self) -> None:
        """Show what the sandbox says now."""
        self.show_summary(self.bridge.paper.summary())

    def show_summary(self, summary: Summary) -> None:
        """Show a report."""
        self.summary = summary
        figures = summary.figures
        missing = self.bridge.paper.not_live()
        self.equity.setText(fmt.partly(f"₹ {fmt.money(float(summary.equity))}", len(missing)))
        self.equity.setToolTip(plain_tip(self.bridge.feed.tips(missing)))
        set_role(self.equity, "stale" if missing else "", "tone")
        self.set_subject(f"net {fmt.signed_money(float(figures.net))} · {figures.trades} trades")
        self.figures.show_values(asdict(figures))
        self.model.set_rows(summary.days[::-1])
        self.days.flush()
        self.export_trades.setEnabled(figures.trades > 0)
        self.export_days.setEnabled(bool(summary.days))
        self._show_curve()

    def _show_curve(self) -> None:
        if self.summary is None:
            return
        capital = self.summary.capital
        if self.steps.currentIndex() == 0:
            rows = [(f"{d.day:%d %b}", d.profit) for d in self.summary.days]
        else:
            rows = [(f"{at:%d %b %H:%M}", profit) for at, profit in self.summary.curve]
        step = -(-len(rows) // MOST_POINTS) or 1
        rows = rows[::-step][::-1]  # the last point stays
        points = [Point(text, float(capital + profit)) for text, profit in rows]
        self.curve.set_points([Point("start", float(capital)), *points], float(capital))

    # -- settings ---------------------------------------------------------------------------
    def _on_setting(self, key: str, value: object) -> None:
        if key.startswith("sandbox.") and self.settings is not None:
            self.settings.show_values()

    def _undo_settings(self) -> None:
        assert self.settings is not None
        self.settings.show_values()
        self.settings_error.setText("")

    def _apply_settings(self) -> None:
        assert self.settings is not None
        try:
            self.settings.store()
        except ConfigError as error:
            self.settings_error.setText(error.message)
            return
        self.settings_error.setText("")
        self.bridge.notice.emit("info", "Sandbox settings are in force.")
        self.reload()

    # -- commands ---------------------------------------------------------------------------
    def _ask_reset(self) -> None:
        self.spawn(self._reset(), "reset sandbox", sends=True)

    async def _reset(self) -> None:
        capital = fmt.money(float(self.bridge.setting("sandbox.starting_capital")))
        self.reset.setEnabled(False)
        try:
            text = f"{RESET_TEXT}\n\nStarting capital: ₹ {capital}"
            if await confirm(self, "Reset the sandbox?", text, "Reset", danger=True):
                await self.bridge.paper.reset()
                self.bridge.notice.emit("info", "The sandbox was reset.")
        finally:
            self.reset.setEnabled(True)
        self.reload()

    def _ask_trades(self) -> None:
        trades = self.bridge.paper.trades()
        self.spawn(self._export("sandbox-trades.csv", lambda: trades_csv(trades)), "export trades")

    def _ask_days(self) -> None:
        days = self.bridge.paper.summary().days
        self.spawn(
            self._export("sandbox-daily-pnl.csv", lambda: daily_csv(days)), "export daily P&L"
        )

    async def _export(self, name: str, text: Callable[[], str]) -> None:
        path = await ask_csv_path(self, name)
        if path is not None:
            await write_text(path, text)
            self.bridge.notice.emit("info", f"Exported to {path}.")
