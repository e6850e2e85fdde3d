"""Instruments that are dragged from one dock to another."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any

import msgspec
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QDrag
from PySide6.QtWidgets import QWidget

from openalgo_desktop.core.model import Key

MIME = "application/x-openalgo-symbols"


def mime_of(keys: Iterable[Key]) -> QMimeData:
    """What is dragged: ``NSE:SBIN`` a line, as text, too, for other programs."""
    text = "\n".join(f"{exchange}:{symbol}" for exchange, symbol in keys)
    data = QMimeData()
    data.setData(MIME, text.encode())
    data.setText(text)
    return data


def keys_of(data: QMimeData) -> list[Key]:
    """The instruments that are dragged, in order and each once; texts of other programs count
    where they are written like ours."""
    raw = bytes(data.data(MIME).data()).decode(errors="replace") if data.hasFormat(MIME) else ""
    pairs = [line.strip().upper().partition(":") for line in (raw or data.text()).splitlines()]
    return list(dict.fromkeys((exchange, symbol) for exchange, _, symbol in pairs if symbol))


def add_json(data: QMimeData, kind: str, value: Any) -> None:
    """What only docks of one kind understand, beside the symbols."""
    data.setData(kind, msgspec.json.encode(value))


def read_json(data: QMimeData, kind: str) -> Any:
    """The other way round; None where it is not there or not readable."""
    if data.hasFormat(kind):
        with contextlib.suppress(msgspec.DecodeError):
            return msgspec.json.decode(bytes(data.data(kind).data()))
    return None


def drag(source: QWidget, data: QMimeData, actions: Qt.DropAction) -> Qt.DropAction:
    """Drag ``data`` until it is dropped; only out of a mouse handler, never out of a coroutine:
    Qt runs a loop of its own here."""
    moving = QDrag(source)
    moving.setMimeData(data)
    return moving.exec(actions)
