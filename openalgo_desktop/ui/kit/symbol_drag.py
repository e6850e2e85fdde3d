"""Instruments that are dragged from one dock to another."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QMimeData

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
