"""A short way to write tables of names."""

from __future__ import annotations

from openalgo_desktop.core.errors import ConfigError


def table(text: str) -> dict[str, str]:
    """``"order_id price=rate:paise"`` as ``{"order_id": "order_id", "price": "rate:paise"}``:
    words with blanks between, a bare word is its own value. For row maps and for bodies
    (``"qty=$quantity:int side=$wire_action"``). Raises :class:`ConfigError` for a name twice."""
    found: dict[str, str] = {}
    for word in text.split():
        name, _, value = word.partition("=")
        if name in found or not name:
            raise ConfigError(f"table: {word!r}: the name is missing or there twice")
        found[name] = value or name
    return found
