"""The month of a P&L calendar as a grid: each day tells its net result in number, sign and tint.

Monday comes first; days of other months are left out, so that the figures add up to the month's.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

from PySide6.QtCore import QEvent, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from openalgo_desktop.core.trade_journal import JournalDay
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import look, theme
from openalgo_desktop.ui.kit.widgets import named, plain_tip

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WEEK = "Week"
COLUMNS, WEEKS = 8, 6
#: Height of the line with the names of the days, pixels.
HEAD = 20
#: Tint of the best (or worst) day of the month, and of a day with next to nothing, 0 to 255.
STRONG, FAINT = 90, 24


def first_of(day: date) -> date:
    """The first day of a month."""
    return day.replace(day=1)


def moved(month: date, months: int) -> date:
    """The first day of the month so many months on."""
    count = month.year * 12 + month.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


#: A font, and what measures it: made once a paint, not once a day.
Ink = tuple[QFont, QFontMetrics]


def amount(value: Decimal, room: int, metrics: QFontMetrics) -> str:
    """A net result in as many digits as there is room for, always with its sign."""
    number = float(value)
    texts = (fmt.signed_money(number), fmt.signed(number, 0), fmt.short_signed(number))
    return next((text for text in texts if metrics.horizontalAdvance(text) <= room), texts[-1])


class MonthGrid(QWidget):
    """``picked`` carries the day that was clicked or walked to; ``turned`` the months to go."""

    picked = Signal(object)  # date
    turned = Signal(int)

    def __init__(self, name: str) -> None:
        super().__init__()
        named(self, name, "P&L calendar")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.month = date(2000, 1, 1)
        self.day = self.month
        self.today = self.month
        self._days: Mapping[date, JournalDay] = {}

    def sizeHint(self) -> QSize:
        return QSize(look.px(560), look.px(230))

    def minimumSizeHint(self) -> QSize:
        return QSize(look.px(260), look.px(150))

    def show_month(
        self, month: date, day: date, today: date, days: Mapping[date, JournalDay]
    ) -> None:
        """Show the month that begins with ``month``; ``day`` is the chosen one."""
        self.month, self.day, self.today, self._days = month, day, today, days
        self.setAccessibleDescription(self.day_text(day))
        self.update()

    def day_text(self, day: date) -> str:
        """A day in a sentence, for tooltips and assistive tools."""
        known = self._days.get(day)
        if known is None:
            return f"{day:%A %d %B %Y}: no trade was closed"
        trades = "1 trade" if known.trades == 1 else f"{known.trades} trades"
        text = (
            f"{day:%A %d %B %Y}: net {fmt.signed_money(float(known.net))}, {trades}, "
            f"{known.wins} won, charges {fmt.money(float(known.charges))}"
        )
        return f"{text}, {known.unknown} of unknown result" if known.unknown else text

    # -- places -----------------------------------------------------------------------------
    def _cell(self, week: int, column: int) -> QRect:
        top = look.px(HEAD)
        height = (self.height() - top) / self._weeks()
        width = self.width() / COLUMNS
        left, upper = round(column * width), round(top + week * height)
        right, lower = round((column + 1) * width), round(top + (week + 1) * height)
        return QRect(left, upper, right - left, lower - upper)

    def _weeks(self) -> int:
        return -(-(self.month.weekday() + monthrange(self.month.year, self.month.month)[1]) // 7)

    def day_area(self, day: date) -> QRect:
        """Where a day of the month is."""
        place = self.month.weekday() + day.day - 1
        return self._cell(place // 7, place % 7)

    def day_at(self, x: float, y: float) -> date | None:
        """The day under a point."""
        count = monthrange(self.month.year, self.month.month)[1]
        for number in range(count):
            day = self.month + timedelta(days=number)
            if self.day_area(day).contains(round(x), round(y)):
                return day
        return None

    # -- painting ---------------------------------------------------------------------------
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        colours = theme.current()
        small = QFont(self.font())
        small.setPixelSize(look.px(11))
        bold = QFont(self.font())
        bold.setBold(True)
        inks = ((small, QFontMetrics(small)), (bold, QFontMetrics(bold)))
        painter.setFont(small)
        painter.setPen(colours.color("muted"))
        for column, title in enumerate((*DAYS, WEEK)):
            area = self._cell(0, column)
            head = QRect(area.left(), 0, area.width(), look.px(HEAD))
            painter.drawText(head, Qt.AlignmentFlag.AlignCenter, title)
        count = monthrange(self.month.year, self.month.month)[1]
        days = [self.month + timedelta(days=number) for number in range(count)]
        nets = [abs(self._days[day].net) for day in days if day in self._days]
        most = float(max(nets, default=Decimal(0)))
        for day in days:
            self._paint_day(painter, day, most, inks)
        for week in range(self._weeks()):
            self._paint_week(painter, week, inks[0])

    def _paint_day(self, painter: QPainter, day: date, most: float, inks: tuple[Ink, Ink]) -> None:
        colours, known = theme.current(), self._days.get(day)
        area = self.day_area(day).adjusted(1, 1, -1, -1)
        ground = colours.color("zebra") if day.weekday() >= 5 else colours.color("panel")
        painter.fillRect(area, ground)
        role = ""
        if known is not None and known.trades:
            role = fmt.sign_role(float(known.net))
            if role and most:
                alpha = FAINT + round((STRONG - FAINT) * abs(float(known.net)) / most)
                painter.fillRect(area, _alpha(colours.color(role), alpha))
        painter.setFont(inks[0][0])
        plain = "text" if role else "muted"  # a quiet grey is hard to read on a colour
        painter.setPen(colours.color("accent" if day == self.today and not role else plain))
        inner = area.adjusted(4, 2, -4, -3)
        top = Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft
        is_today = day == self.today and inner.width() > look.px(110)
        painter.drawText(inner, top, f"{day.day} today" if is_today else f"{day.day}")
        if known is not None:
            self._paint_result(painter, known, inner, inks)
        if day == self.day:
            painter.setPen(colours.color("focus" if self.hasFocus() else "accent"))
            painter.drawRect(area.adjusted(0, 0, -1, -1))
            painter.drawRect(area.adjusted(1, 1, -2, -2))

    def _paint_result(
        self, painter: QPainter, known: JournalDay, inner: QRect, inks: tuple[Ink, Ink]
    ) -> None:
        colours = theme.current()
        (small, narrow), (bold, broad) = inks
        tall = narrow.height()
        count = known.trades + known.unknown
        right = Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight
        wide = inner.width() > look.px(64) and inner.height() > 2 * tall  # not under the result
        if wide:
            painter.drawText(inner, right, "1 trade" if count == 1 else f"{count} trades")
        painter.setFont(bold)
        painter.setPen(colours.color("text"))
        text = amount(known.net, inner.width(), broad)
        if broad.horizontalAdvance(text) > inner.width():
            painter.setFont(small)  # a narrow panel: small letters, but whole numbers
            text = amount(known.net, inner.width(), narrow)
        if not known.trades:
            text = fmt.MISSING
        lower = inner.adjusted(0, tall, 0, 0) if inner.height() > 2 * tall else inner
        place = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom
        painter.drawText(lower, place, text)

    def _paint_week(self, painter: QPainter, week: int, ink: Ink) -> None:
        colours, area = theme.current(), self._cell(week, 7)
        first = self.month - timedelta(days=self.month.weekday()) + timedelta(days=7 * week)
        days = [first + timedelta(days=number) for number in range(7)]
        known = [self._days[day] for day in days if day in self._days and self._is_here(day)]
        if not known:
            return
        net = sum((day.net for day in known), Decimal(0))
        painter.setFont(ink[0])
        painter.setPen(colours.color(fmt.sign_role(float(net)) or "muted"))
        inner = area.adjusted(4, 2, -5, -3)
        place = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(inner, place, amount(net, inner.width(), ink[1]))

    def _is_here(self, day: date) -> bool:
        return (day.year, day.month) == (self.month.year, self.month.month)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        self.update()

    # -- hands ------------------------------------------------------------------------------
    def mousePressEvent(self, event: QMouseEvent) -> None:
        day = self.day_at(event.position().x(), event.position().y())
        if day is not None and event.button() == Qt.MouseButton.LeftButton:
            self.picked.emit(day)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        day = self.day_at(event.position().x(), event.position().y())
        if day is None:
            QToolTip.hideText()
        else:
            area = self.day_area(day)
            QToolTip.showText(
                event.globalPosition().toPoint(), plain_tip(self.day_text(day)), self, area
            )

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -7, Qt.Key.Key_Down: 7}
        turns = {Qt.Key.Key_PageUp: -1, Qt.Key.Key_PageDown: 1}
        if key in steps:
            self.picked.emit(self.day + timedelta(days=steps[key]))
        elif key in turns:
            self.turned.emit(turns[key])
        elif key == Qt.Key.Key_Home:
            self.picked.emit(self.today)
        else:
            super().keyPressEvent(event)


def _alpha(colour: QColor, alpha: int) -> QColor:
    colour.setAlpha(alpha)
    return colour
