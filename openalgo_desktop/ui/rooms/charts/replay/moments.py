"""Moments of the past as people type them."""

from __future__ import annotations

from datetime import datetime

from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.errors import DataError

#: How a moment is shown and may be typed; the first one is shown.
FORMS = ("%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M", "%d-%m-%Y %H:%M", "%d/%m/%Y %H:%M")
DAYS = ("%Y-%m-%d", "%d.%m.%Y", "%d-%m-%Y", "%d/%m/%Y")


def shown(moment: datetime) -> str:
    """``2026-11-20 10:15``."""
    return moment.strftime(FORMS[0])


def parse(text: str) -> datetime:
    """A moment, IST; a day alone is its beginning. Raises :class:`DataError`."""
    word = " ".join(text.split())
    for form in (*FORMS, *DAYS):
        try:
            return datetime.strptime(word, form).replace(tzinfo=IST)
        except ValueError:
            continue
    raise DataError(f"Moment: {word!r} is none. Write it like 2026-11-20 10:15.")
