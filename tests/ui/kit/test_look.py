"""Themes, density and text scale: contrasts computed, colours told apart, sizes live."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from openalgo_desktop.config.settings import SETTINGS, Settings
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.ui.kit import fonts, look, theme
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.dressing import KEYS, dress
from openalgo_desktop.ui.kit.fields import CountField, PriceField
from openalgo_desktop.ui.kit.tables import Column, FastTableModel, FastTableView, fastview
from openalgo_desktop.ui.kit.tables import store as table_store
from openalgo_desktop.ui.rooms.market import depth_view, ladder_picture
from openalgo_desktop.ui.rooms.options import chain_table
from openalgo_desktop.ui.rooms.portfolio import pnl_month

THEMES = theme.names()
UP_DOWN = ("up", "down")
Linear = tuple[float, float, float]
#: How the three kinds of colour blindness see (Machado, Oliveira, Fernandes 2009, severity 1).
BLINDNESS: dict[str, tuple[Linear, Linear, Linear]] = {
    "protan": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deutan": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritan": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}


def _linear(colour: str) -> Linear:
    def channel(at: int) -> float:
        value = int(colour[at : at + 2], 16) / 255
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    return channel(1), channel(3), channel(5)


def contrast(first: str, second: str) -> float:
    """Contrast ratio of WCAG 2."""

    def luminance(colour: str) -> float:
        red, green, blue = _linear(colour)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)


def _lab(linear: Linear) -> Linear:
    """CIE L*a*b* for D65."""

    def root(value: float) -> float:
        return value ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116

    red, green, blue = (min(max(value, 0.0), 1.0) for value in linear)
    x = root((0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505)
    y = root(0.2126 * red + 0.7152 * green + 0.0722 * blue)
    z = root((0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def seen_difference(first: str, second: str, kind: str) -> float:
    """How far apart two colours are for somebody with that kind of colour blindness (CIE 1976)."""

    def seen(colour: str) -> Linear:
        base = _linear(colour)
        rows = (sum(a * b for a, b in zip(row, base, strict=True)) for row in BLINDNESS[kind])
        red, green, blue = rows
        return red, green, blue

    return math.dist(_lab(seen(first)), _lab(seen(second)))


@pytest.fixture(autouse=True)
def plain_look(qapp: QApplication) -> Iterator[None]:
    """What a test changed ends with it."""
    yield
    look.use(look.Look())
    fmt.set_grouping("indian")
    theme.apply(qapp, theme.DEFAULT)


# -- colours --------------------------------------------------------------------------------
def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#FFFFFF", "#000000") == pytest.approx(21.0)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.478, abs=0.01)


@pytest.mark.parametrize("name", THEMES)
def test_every_role_of_every_theme_keeps_its_contrast(name: str) -> None:
    rows = theme.table()
    promised = next(row for row in rows["themes"] if row["name"] == name)
    assert promised["text"] >= 4.5
    assert promised["lines"] >= 3.0
    colours = theme.load(name).roles
    grounds = [role for role, row in rows["roles"].items() if row["use"] == "ground"]
    assert {"window", "panel", "header", "hover", "tooltip"} <= set(grounds)
    faults = []

    def check(ink: str, ground: str, least: float) -> None:
        ratio = contrast(colours[ink], colours[ground])
        if ratio < least:
            faults.append(f"{ink} on {ground}: {ratio:.2f} < {least}")

    for role, row in rows["roles"].items():
        use, _, other = row["use"].partition(" ")
        match use:
            case "text":
                for ground in grounds:
                    check(role, ground, promised["text"])
                check(role, "selection", 4.5)
            case "line":
                for ground in grounds:
                    check(role, ground, promised["lines"])
            case "fill" | "on":
                check(role, other, promised["text"])
            case "quiet" | "ground" | "ink" | "selection":
                pass
            case _:
                faults.append(f"{role}: unknown use {use!r}")
    assert faults == []


def blended(over: str, under: str, alpha: int) -> str:
    """``over`` painted on ``under`` with so much of 255."""
    pairs = ((int(over[at : at + 2], 16), int(under[at : at + 2], 16)) for at in (1, 3, 5))
    mixed = (round((a * alpha + b * (255 - alpha)) / 255) for a, b in pairs)
    return "#" + "".join(f"{part:02X}" for part in mixed)


#: Texts that stand on a tint of the panel: ink, tint, how strong.
TINTED = (
    *((ink, tint, fastview.FLASH_ALPHA) for ink in ("up", "down", "text") for tint in UP_DOWN),
    *((side, side, depth_view.CUMULATED + depth_view.QUANTITY) for side in ("buy", "sell")),
    *(("text", tint, pnl_month.STRONG) for tint in UP_DOWN),
    *(("text", side, ladder_picture.BAR_ALPHA) for side in ("buy", "sell")),
    *(("text", tint, ladder_picture.FLASH_ALPHA) for tint in UP_DOWN),
    *(("text", tint, chain_table.BAR_ALPHA) for tint in UP_DOWN),
)


@pytest.mark.parametrize("name", THEMES)
def test_texts_are_readable_on_flashes_and_bars(name: str) -> None:
    colours = theme.load(name).roles
    faults = [
        f"{ink} on {tint} {alpha}: {ratio:.2f}"
        for ink, tint, alpha in TINTED
        if (ratio := contrast(colours[ink], blended(colours[tint], colours["panel"], alpha))) < 4.5
    ]
    assert faults == []


@pytest.mark.parametrize("kind", BLINDNESS)
def test_buy_and_sell_are_told_apart_by_all_and_profit_and_loss_in_the_colour_blind_themes(
    kind: str,
) -> None:
    for name in THEMES:
        roles = theme.load(name).roles
        pairs = [("buy", "sell"), ("buy-fill", "sell-fill")]
        if name.startswith("colour-blind"):
            pairs.append(("up", "down"))
        for first, second in pairs:
            assert seen_difference(roles[first], roles[second], kind) > 40, (name, first, second)


def test_link_groups_are_told_apart() -> None:
    for name in THEMES:
        groups = [theme.load(name).roles[f"link-{group}"] for group in range(1, 7)]
        assert len(set(groups)) == 6, name


def test_the_setting_offers_the_themes_of_the_table_and_takes_what_was_stored() -> None:
    assert set(SETTINGS["ui.theme"].choices) == set(THEMES)
    for old in ("dark", "light"):  # as earlier versions stored them
        settings = Settings()
        settings.load({"ui.theme": old})
        assert settings["ui.theme"] == old
    with pytest.raises(ConfigError, match="no theme 'pink'"):
        theme.load("pink")


@pytest.mark.parametrize("name", THEMES)
@pytest.mark.parametrize("density", look.DENSITIES)
def test_the_style_sheet_knows_all_its_words(qapp: QApplication, name: str, density: str) -> None:
    look.use(look.Look(density=density, text_scale=160))
    sheet = theme.style_sheet(theme.load(name))
    assert "@" not in sheet
    assert f"font-size: {round(11 * 1.6)}px" in sheet
    for view in ("QCheckBox", "QListView", "QTreeView"):  # boxes that can be seen in the dark
        assert f"{view}::indicator," in sheet or f"{view}::indicator {{" in sheet


# -- sizes ----------------------------------------------------------------------------------
@dataclass(frozen=True)
class Row:
    name: str
    price: float


def _table() -> FastTableView:
    columns = (
        Column[Row]("name", "Symbol", 60, lambda row: row.name, numeric=False),
        Column[Row]("price", "P", 40, lambda row: row.price, text=lambda row: fmt.price(row.price)),
        Column[Row]("why", "Reason", 80, lambda row: "x" * 80, numeric=False, elides=True),
    )
    return FastTableView(FastTableModel(columns))


@pytest.mark.parametrize(("density", "least"), [("comfortable", 28), ("compact", 22)])
def test_targets_have_the_least_size_of_the_density(
    qtbot: QtBot, qapp: QApplication, density: str, least: int
) -> None:
    look.use(look.Look(density=density))
    theme.apply(qapp, "dark")
    controls: list[QWidget] = [QPushButton("Ok"), PriceField(), CountField()]
    for control in controls:
        qtbot.addWidget(control)
        control.ensurePolished()
        assert control.sizeHint().height() >= least, control
        assert control.minimumSizeHint().height() >= least, control
    view = _table()
    qtbot.addWidget(view)
    assert view.row_height >= least
    assert density == "compact" or view.horizontalHeader().height() >= least


def test_density_and_text_scale_are_live(qtbot: QtBot, qapp: QApplication) -> None:
    values: dict[str, object] = {key: SETTINGS[key].default for key in KEYS}
    dress(qapp, values.__getitem__)
    view = _table()
    qtbot.addWidget(view)
    view.table.set_rows([Row("SBIN", 1.5)])
    view.resize(400, 200)
    view.show()
    button = QPushButton("Close all")
    qtbot.addWidget(button)
    button.show()
    rows, width, hint = view.rowHeight(0), view.columnWidth(0), button.sizeHint()
    values["ui.density"] = "compact"
    dress(qapp, values.__getitem__)
    assert view.rowHeight(0) < rows
    values |= {"ui.density": "comfortable", "ui.text_scale": 160}
    dress(qapp, values.__getitem__)
    assert view.columnWidth(0) == pytest.approx(width * 1.6, abs=2)
    assert view.rowHeight(0) >= view.ink.metrics.height() + 4
    assert button.sizeHint().width() > hint.width() * 1.25
    values["ui.text_scale"] = 100
    dress(qapp, values.__getitem__)
    assert (view.rowHeight(0), view.columnWidth(0)) == (rows, width)
    assert button.sizeHint() == hint


def test_a_column_grows_for_a_number_that_would_be_cut(qtbot: QtBot, qapp: QApplication) -> None:
    theme.apply(qapp, "dark")
    view = _table()
    qtbot.addWidget(view)
    view.resize(600, 200)
    view.show()
    before, reason = view.columnWidth(1), view.columnWidth(2)
    view.table.set_rows([Row("SBIN", 12_34_567.85)])
    text = view.ink.metrics.horizontalAdvance("12,34,567.85")
    qtbot.waitUntil(lambda: view.columnWidth(1) > text)
    assert before < text
    assert view.columnWidth(2) == reason  # its texts are cut on purpose
    view.table.set_rows([Row("SBIN", 1.0)])
    view.grab()
    assert view.columnWidth(1) > text  # columns do not jump back


def test_a_title_fits_into_its_column_at_any_text_scale(qapp: QApplication, qtbot: QtBot) -> None:
    for scale in (80, 100, 160):
        look.use(look.Look(text_scale=scale))
        theme.apply(qapp, "dark")
        view = _table()
        qtbot.addWidget(view)
        for index, column in enumerate(view.table.columns):
            title = view.ink.header_metrics.horizontalAdvance(column.title)
            assert view.columnWidth(index) >= title + 12


def test_figures_are_tabular(qapp: QApplication) -> None:
    fonts.install(qapp)
    for font in (fonts.text_font(), fonts.table_font(), fonts.text_font(16, QFont.Weight.DemiBold)):
        metrics = QFontMetrics(font)
        widths = {metrics.horizontalAdvance(digit * 8) for digit in "0123456789"}
        assert len(widths) == 1
    metrics = QFontMetrics(qapp.font())
    assert metrics.horizontalAdvance("1111") == metrics.horizontalAdvance("8888")


def test_no_motion_means_no_flash(
    qtbot: QtBot, qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_store, "FLASH_TIME", 3600.0)  # however late it is painted
    theme.apply(qapp, "dark")
    columns = (Column[Row]("price", "Price", 120, lambda row: row.price, flash=True),)
    pictures = {}
    for still in (False, True):
        look.use(look.Look(still=still))
        view = FastTableView(FastTableModel(columns))
        qtbot.addWidget(view)
        view.resize(200, 100)
        view.table.set_rows([Row("SBIN", 1.0)])
        view.show()
        view.grab()
        view.table.replace(0, Row("SBIN", 2.0))
        view.flush()
        image = view.viewport().grab().toImage()
        pictures[still] = image.pixelColor(10, 4) == theme.current().color("panel")
    assert pictures == {False: False, True: True}


def test_grouping_reaches_fields_at_once(qtbot: QtBot, qapp: QApplication) -> None:
    values: dict[str, object] = {key: SETTINGS[key].default for key in KEYS}
    dress(qapp, values.__getitem__)
    field = CountField()
    qtbot.addWidget(field)
    field.setValue(12_34_567)
    assert field.text() == "12,34,567"
    values["ui.grouping"] = "western"
    dress(qapp, values.__getitem__)
    assert field.text() == "1,234,567"
    assert field.value() == 12_34_567


class _Told(QLabel):
    """Counts how often it is dressed."""

    times = 0

    def changeEvent(self, event: QEvent) -> None:
        self.times += event.type() is QEvent.Type.StyleChange
        super().changeEvent(event)


def test_another_theme_dresses_a_widget_once_however_deep_it_lies(
    qtbot: QtBot, qapp: QApplication
) -> None:
    theme.apply(qapp, "dark")
    inner = root = QWidget()
    for _ in range(12):
        inner = QWidget(inner)
    deep = _Told("deep", inner)
    qtbot.addWidget(root)
    root.show()
    deep.times = 0
    theme.apply(qapp, "light")
    assert deep.times == 2  # undressed and dressed; from sheet to sheet it would be 14
    assert deep.palette().windowText().color() == theme.current().color("text")
    assert deep.font().pixelSize() == look.px(13)
