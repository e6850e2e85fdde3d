"""The form of alerts on figures, results, times and orders, and of alerts that act.

What an alert does moves money without a further question, so saving one that does asks first, with
its order and its mode in words.
"""

from __future__ import annotations

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.core.alert_acts import PostTo, RunStrategy, SendOrder, act_name
from openalgo_desktop.core.alerts import AlertWish, PriceAlert
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError, InvalidOrder
from openalgo_desktop.core.exits import ONLY_WHILE_RUNNING
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.secret import Secret
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.confirm import confirm
from openalgo_desktop.ui.kit.dialogs import come_up, is_open
from openalgo_desktop.ui.kit.forms import Form
from openalgo_desktop.ui.kit.search import SymbolSearch
from openalgo_desktop.ui.kit.widgets import label, named, push_button, set_role
from openalgo_desktop.ui.rooms.automation import alert_words
from openalgo_desktop.ui.rooms.automation.deed_lines import BEGIN, LINES, values_of, wish_of

NAME = "dialog-deed"
_FIELDS = {"acts": "act", "symbol": "subject"}


class DeedDialog(QDialog):
    """New, or ``old`` to change. Not modal; gone when closed."""

    def __init__(
        self,
        parent: QWidget,
        bridge: Bridge,
        key: Key | None = None,
        old: PriceAlert | None = None,
    ) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self.old = old
        self._key: Key = ("", "")
        self._saving = False
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setModal(False)
        self.resize(look.px(620), look.px(600))
        named(self, NAME, "Change alert" if old is not None else "New alert with action")
        self.setWindowTitle(self.accessibleName())
        column = QVBoxLayout(self)
        column.setSpacing(8)
        self.search = SymbolSearch(bridge, f"{NAME}-search", "Symbol (where it is about one)")
        self.search.chosen.connect(self.show_symbol)
        column.addWidget(self.search)
        self.heading = label("No symbol", f"{NAME}-symbol", "heading")
        column.addWidget(self.heading)
        self.form = Form(f"{NAME}-form", "Alert", LINES)
        self.form.changed.connect(self._show_words)
        column.addWidget(self.form, 1)
        column.addLayout(self._build_channels())
        self.hint = label("", f"{NAME}-hint", "muted")
        self.hint.setWordWrap(True)
        column.addWidget(self.hint)
        column.addLayout(self._build_foot())
        self.form.show_values(BEGIN if old is None else values_of(old.wish))
        if old is not None:
            self.show_symbol(old.wish.key)
            for name, box in self.channels.items():
                box.setChecked(name in old.wish.channels)
        elif key is not None:
            self.show_symbol(key)
        self._show_words()

    def _build_channels(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addWidget(label("Tell by", f"{NAME}-by", "caption"))
        self.channels = {
            name: named(QCheckBox(title), f"{NAME}-by-{name}", f"Tell by {title}")
            for name, title in self._bridge.alerts.channels()
        }
        for box in self.channels.values():
            box.setChecked(True)
            row.addWidget(box)
        row.addStretch(1)
        return row

    def _build_foot(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.message = label("", f"{NAME}-message", "muted")
        self.message.setWordWrap(True)
        row.addWidget(self.message, 1)
        row.addWidget(push_button("Close", f"{NAME}-close", "Close", self.close))
        self.save = push_button("Save", f"{NAME}-save", "Save the alert", self._submit)
        self.save.setProperty("role", "primary")
        row.addWidget(self.save)
        for button in self.findChildren(QPushButton):
            button.setAutoDefault(False)
        return row

    # -- content ------------------------------------------------------------------------------
    def show_symbol(self, key: Key) -> None:
        """The instrument that it is about."""
        if self._bridge.instrument(key) is None:
            return
        self._key = key
        self.search.clear()
        self.heading.setText(f"{self._bridge.name(key)}  {key[0]}")
        self._show_words()

    def wish(self) -> AlertWish:
        """The alert as the form stands. Raises :class:`InvalidOrder`."""
        channels = tuple(name for name, box in self.channels.items() if box.isChecked())
        account = self._bridge.alerts.account_of
        wish = wish_of(self.form.values(), self._key, channels, account)
        if self.old is None:
            return wish
        kept = self.old.wish
        return msgspec.structs.replace(wish, expires=kept.expires, until=kept.until)

    def _show_words(self) -> None:
        try:
            wish = self.wish()
            words = alert_words.condition(self._bridge, wish)
        except (AppError, ValueError) as error:
            self.hint.setText(str(error))
            return
        acts = ", ".join(map(act_name, wish.acts)) or "sends nothing"
        self.hint.setText(f"When {words}: tells, {acts}. It works {ONLY_WHILE_RUNNING}.")

    def _say(self, text: str, role: str) -> None:
        self.message.setText(self._bridge.names.spoken(self._bridge.clean(text)))
        set_role(self.message, role)

    # -- saving -------------------------------------------------------------------------------
    def _submit(self) -> None:
        self.form.clear_errors()
        self._say("", "muted")
        if self._saving or self.form.problem():
            return
        try:
            wish = self.wish()
        except InvalidOrder as error:
            self._told(error)
            return
        self._saving = True
        self.save.setEnabled(False)
        self._bridge.spawn(self._store(wish), "save alert")

    async def _store(self, wish: AlertWish) -> None:
        try:
            await self._bridge.alerts.check(wish)
            secret = await self._secret_of(wish)
            if await self._meant(wish):
                if secret is not None:
                    await self._bridge.alerts.keep_secret(*secret)
                if self.old is None:
                    await self._bridge.alerts.add(wish)
                else:
                    await self._bridge.alerts.change(self.old.alert_id, wish)
                self._bridge.notice.emit("info", "Alert set.")
                if is_open(self):
                    self.close()
        except AppError as error:
            if not is_open(self):
                raise
            self._told(error)
        finally:
            if is_open(self):
                self._saving = False
                self.save.setEnabled(True)

    async def _secret_of(self, wish: AlertWish) -> tuple[str, Secret] | None:
        """Name and value of a secret that was typed. Raises :class:`InvalidOrder` where a post
        names one that is neither typed nor kept."""
        text = self.form.values()["secret_value"]
        for act in wish.acts:
            match act:
                case PostTo(secret=name) if name and text:
                    return name, Secret(text)
                case PostTo(secret=name) if name and not await self._bridge.alerts.keeps(name):
                    raise InvalidOrder(
                        f"Secret: {name} is not in the vault: give the secret itself.",
                        field="secret_value",
                    )
        return None

    async def _meant(self, wish: AlertWish) -> bool:
        """What moves money is asked, with the mode in words."""
        moving = [act for act in wish.acts if isinstance(act, SendOrder | RunStrategy)]
        if not moving:
            return True
        live = any(act.mode is Mode.LIVE for act in moving)
        where = "with real money" if live else "in the sandbox"
        return await confirm(
            self,
            "Let this alert act?",
            f"When {alert_words.condition(self._bridge, wish)}, it acts {where} without a further "
            "question, also while nobody is here.",
            "Let it act LIVE" if live else "Let it act",
            [act_name(act) for act in wish.acts],
            danger=live,
        )

    def _told(self, error: AppError) -> None:
        field = error.field if isinstance(error, InvalidOrder) else ""
        if not self.form.set_error(_FIELDS.get(field, field), error.message):
            self._say(error.message, "error")


def show_deed(
    parent: QWidget, bridge: Bridge, key: Key | None = None, old: PriceAlert | None = None
) -> DeedDialog:
    """Open the form; that of an alert is there once."""
    for known in parent.findChildren(DeedDialog):
        same = old is not None and known.old is not None and known.old.alert_id == old.alert_id
        if same and known.isVisible():
            come_up(known)
            return known
    dialog = DeedDialog(parent, bridge, key, old)
    come_up(dialog)
    return dialog
