"""What the environments of DhanHQ differ in."""

from __future__ import annotations

import msgspec


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One environment. ``rest`` is its address. ``live``: a real account, with logins, market
    data, feeds, triggers and order updates; else orders and books of a paper account whose token
    is pasted, all fields in every order, and times in UTC."""

    id: str
    title: str
    rest: str
    live: bool
    docs: str = "https://dhanhq.co/docs/v2/"
