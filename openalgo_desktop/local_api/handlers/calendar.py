"""Holidays and market hours."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from openalgo_desktop.core.calendar import Opening
from openalgo_desktop.local_api.table import ApiError, Call

_FIRST, _LAST = date(2020, 1, 1), date(2050, 12, 31)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _opening(call: Call, day: date, opening: Opening) -> dict[str, Any]:
    start, end = call.ctx.calendar.opening(day, opening)
    return {
        "exchange": opening.exchange,
        "start_time": _milliseconds(start),
        "end_time": _milliseconds(end),
    }


async def holidays(call: Call) -> dict[str, Any]:
    year = call.data.get("year", call.ctx.clock.now().year)
    rows = [
        {
            "date": day.date.isoformat(),
            "description": day.description,
            "holiday_type": day.holiday_type,
            "closed_exchanges": list(day.closed),
            "open_exchanges": [_opening(call, day.date, opening) for opening in day.open],
        }
        for day in call.ctx.calendar.holidays(year)
    ]
    return {"status": "success", "year": year, "timezone": "Asia/Kolkata", "data": rows}


async def timings(call: Call) -> dict[str, Any]:
    text = call.data["date"]
    try:
        if not text.isascii():  # digits of other scripts would be read
            raise ValueError(text)
        day = datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007
    except ValueError:
        raise ApiError(400, "Invalid date format. Use YYYY-MM-DD") from None
    if not _FIRST <= day <= _LAST:
        raise ApiError(400, f"Date must be between {_FIRST} and {_LAST}")
    rows = [
        {
            "exchange": exchange,
            "start_time": _milliseconds(start),
            "end_time": _milliseconds(end),
        }
        for exchange, start, end in call.ctx.calendar.timings(day)
    ]
    return {"status": "success", "data": rows}
