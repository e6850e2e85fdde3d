"""The settings of one study: inputs, style, pane. The chart follows while one changes them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace
from PySide6.QtCore import QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QHBoxLayout,
    QRadioButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.core.charting.studies import StudySpec, StudyWish, Style
from openalgo_desktop.core.errors import DataError
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.fields import VerticalArea
from openalgo_desktop.ui.kit.widgets import label, named, push_button, slug
from openalgo_desktop.ui.rooms.charts.study.param_form import ParamForm
from openalgo_desktop.ui.rooms.charts.study.style_form import StyleForm
from openalgo_desktop.ui.rooms.charts.study.words import about

if TYPE_CHECKING:
    from openalgo_desktop.ui.rooms.charts.study.hand import StudyHand

NAME = "dialog-study"
#: Number of the page of styles.
STYLE = 1


class StudySettings(QDialog):
    """OK makes one step of the chart's history of it, Cancel puts everything back."""

    def __init__(self, hand: StudyHand, wish: StudyWish, spec: StudySpec, parent: QWidget) -> None:
        super().__init__(parent)
        self._hand, self._spec, self._ident = hand, spec, wish.ident
        self._before = hand.wishes
        self._over = False
        self._styles: Mapping[str, Style] = wish.styles
        self.style_form: StyleForm | None = None
        named(self, NAME, spec.title)
        self.setWindowTitle(spec.title)
        self.resize(look.px(460), look.px(430))
        column = QVBoxLayout(self)
        self.tabs = named(QTabWidget(), f"{NAME}-tabs", "Settings")
        column.addWidget(self.tabs, 1)
        self._build_inputs(wish)
        page = QWidget()
        self._style_page = QVBoxLayout(page)
        self._add_tab(page, "Style")
        self._panes = QButtonGroup(self)
        self._pane_page = QWidget()
        QVBoxLayout(self._pane_page)
        self.tabs.addTab(self._pane_page, "Pane")
        self._fill_panes()
        self.tabs.currentChanged.connect(self._build_style)
        self.error = label("", f"{NAME}-error", "error")
        self.error.setWordWrap(True)
        column.addWidget(self.error)
        column.addLayout(self._buttons())
        hand.changed.connect(self._on_changed)
        self.finished.connect(self._on_finished)
        self._on_changed()

    # -- tabs -------------------------------------------------------------------------------
    def _build_inputs(self, wish: StudyWish) -> None:
        hand, spec = self._hand, self._spec
        check = partial(hand.bridge.studies.check, spec.study)
        sources = hand.sources(wish.ident)
        self.inputs = ParamForm(spec.params, wish.params, check, f"{NAME}-input", sources)
        self.inputs.changed.connect(self._try_on)
        page = QWidget()
        column = QVBoxLayout(page)
        column.addWidget(self.inputs)
        words = " ".join(text for text in (hand.lack(spec).capitalize(), about(spec)) if text)
        if words:
            told = label(words, f"{NAME}-about", "muted")
            told.setWordWrap(True)
            column.addWidget(told)
        column.addStretch(1)
        self._add_tab(page, "Inputs")

    def _build_style(self, number: int) -> None:
        """Most look at the inputs only: this page is made when it is first seen."""
        if number != STYLE or self.style_form is not None:
            return
        form = self.style_form = StyleForm(self._spec.outputs, f"{NAME}-style")
        form.show_styles(self._styles)
        form.changed.connect(self._on_styled)
        self._style_page.addWidget(form)
        self._style_page.addStretch(1)

    def _on_styled(self) -> None:
        if self.style_form is not None:
            self._styles = self.style_form.styles()
            self._try_on()

    def _add_tab(self, page: QWidget, title: str) -> None:
        area = VerticalArea()
        area.setFrameShape(VerticalArea.Shape.NoFrame)
        named(area, f"{NAME}-{slug(title)}", title)
        area.setWidget(page)
        self.tabs.addTab(area, title)

    def _fill_panes(self) -> None:
        """Where it may be drawn; other studies may come and go while this is open."""
        column = self._pane_page.layout()
        assert column is not None
        for old in self._panes.buttons():
            self._panes.removeButton(old)
            old.hide()
            old.deleteLater()
        while column.count():
            column.takeAt(0)
        for words, here, _ in self._hand.homes(self._ident):
            button = named(QRadioButton(words), f"{NAME}-pane-{slug(words)}", words)
            button.setChecked(here)
            button.clicked.connect(lambda _on=False, words=words: self._move(words))
            self._panes.addButton(button)
            column.addWidget(button)
        column.addStretch(1)  # type: ignore[attr-defined]

    def _move(self, words: str) -> None:
        wishes = next((row[2] for row in self._hand.homes(self._ident) if row[0] == words), None)
        if wishes is not None:
            self._hand.studies.set_wishes(wishes)

    # -- buttons ----------------------------------------------------------------------------
    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addWidget(
            push_button("Defaults", f"{NAME}-defaults", "As the study itself says", self._reset)
        )
        keep = push_button(
            "Keep as my default",
            f"{NAME}-keep",
            "New ones of this kind begin like this one",
            self._keep,
        )
        row.addWidget(keep)
        row.addStretch(1)
        row.addWidget(push_button("Cancel", f"{NAME}-cancel", "Cancel", self.reject))
        self.yes = push_button("OK", f"{NAME}-ok", "OK", self._accept)
        self.yes.setProperty("role", "primary")
        self.yes.setDefault(True)
        row.addWidget(self.yes)
        return row

    def _accept(self) -> None:
        """Close, unless a field says something that cannot be used."""
        if self.inputs.problems():
            self.tabs.setCurrentIndex(0)
        else:
            self.accept()

    def _reset(self) -> None:
        self.inputs.show_values({})
        self._styles = {}
        if self.style_form is not None:
            self.style_form.show_styles({})
        self._try_on()

    def _keep(self) -> None:
        wish = self._made()
        if wish is not None:
            self._hand.bridge.studies.templates.keep_first(wish)
            self.error.setText("")
            self._hand.said(f"New {self._spec.title} begin like this one.")

    # -- the chart --------------------------------------------------------------------------
    def _made(self) -> StudyWish | None:
        """The study as the form says; None while a field cannot be used, or when it is gone."""
        wish = self._hand.studies.wish(self._ident)
        if wish is None or self.inputs.problems():
            return None
        try:
            params = self.inputs.values()
        except DataError:
            return None
        plain = self._spec.defaults()
        chosen = {
            name: value
            for name, value in params.items()
            if value != plain.get(name) or name in wish.params
        }
        return replace(wish, params=chosen, styles=self._styles)

    def _try_on(self) -> None:
        made = self._made()
        if made is not None:
            self._hand.studies.put(made)

    def _on_changed(self) -> None:
        if self._hand.studies.wish(self._ident) is None:
            self.done(QDialog.DialogCode.Accepted)  # taken off the chart: there is nothing to undo
            return
        problem = self._hand.studies.error(self._ident)
        if self.error.text() != problem:
            self.error.setText(problem)
        words = [(text, here) for text, here, _ in self._hand.homes(self._ident)]
        buttons = self._panes.buttons()
        if words != [(button.text(), button.isChecked()) for button in buttons]:
            self._fill_panes()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._over:  # the study went before this was seen
            QTimer.singleShot(0, self.close)

    def _on_finished(self, code: int) -> None:
        if self._over:
            return
        self._over = True
        hand = self._hand
        hand.changed.disconnect(self._on_changed)
        now = hand.studies.wish(self._ident)
        old = {wish.ident: wish for wish in self._before}
        if now is None or self._ident not in old:
            return
        if code != QDialog.DialogCode.Accepted:
            hand.studies.set_wishes(self._put_back(old))
            return
        before = self._put_back(old)
        if before != hand.wishes:
            hand.note(f"Change {hand.title(now)}", before)

    def _put_back(self, old: dict[str, StudyWish]) -> tuple[StudyWish, ...]:
        """The chart's studies of now, this one and the panes as they were: what was done beside
        this form meanwhile is left alone."""
        return tuple(
            old[wish.ident]
            if wish.ident == self._ident
            else replace(wish, pane=old[wish.ident].pane)
            if wish.ident in old
            else wish
            for wish in self._hand.wishes
        )
