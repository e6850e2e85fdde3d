"""What members of the family differ in, as one small table each."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from openalgo_desktop.brokers.kit.spec import (
    Call,
    Envelope,
    MasterSpec,
    Op,
    Rate,
)
from openalgo_desktop.core.enums import Exchange, Interval

CASH = (Exchange.NSE, Exchange.BSE)
DERIVATIVES = (Exchange.NFO, Exchange.BFO, Exchange.CDS, Exchange.MCX)
INDICES = (Exchange.NSE_INDEX, Exchange.BSE_INDEX)

#: Days of one request by interval, where the server gives up (504) on more.
CHUNKS: Mapping[Interval, int] = {
    Interval.M1: 5,
    Interval.M3: 10,
    Interval.M5: 20,
    Interval.M10: 40,
    Interval.M15: 60,
    Interval.M30: 90,
    Interval.H1: 180,
    Interval.H2: 180,
    Interval.H4: 365,
    Interval.DAY: 730,
}


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One broker of the family.

    ``root`` is the REST address, ``feed`` that of the WebSocket, ``site`` that of the symbol
    files, ``authorize`` the page of the browser login. ``token_call`` asks for the session where
    that is not ``GenAcsTok``, with ``checksum``; ``callback`` are the parameters that may carry
    the code. ``body_key``: the session goes as ``jKey`` in every body, not as a Bearer header;
    ``chart_key``: in those of the charts only. ``chart_names``: daily charts have names of
    indices of their own. ``data_account``: requests of market data carry ``actid`` too.
    ``protection``: orders carry the field ``mkt_protection``. ``book_results``: profit and loss
    of the day are summed over the position book, where the limits do not have them. ``basket``:
    the margin calculator takes baskets; else the margins of the legs are added. ``asks_orders``:
    order updates must be asked for. ``pasted``: a token may be pasted. ``quotes_at_once``: quote
    requests sent together. ``stands_for_all``: all cases of the contract run for it.
    """

    id: str
    title: str
    docs: str
    root: str
    feed: str
    site: str
    authorize: str
    master: MasterSpec
    limits: Mapping[str, tuple[Rate, ...]]
    hosts: Mapping[str, str] = {}
    token_call: Call | None = None
    checksum: str = "sha256:{app_key}{api_secret}{code}"
    callback: tuple[str, ...] = ("code",)
    body_key: bool = False
    chart_key: bool = False
    chart_names: bool = False
    data_account: bool = False
    protection: bool = True
    book_results: bool = False
    basket: bool = True
    asks_orders: bool = True
    pasted: bool = False
    quotes_at_once: int = 10
    indices: tuple[Exchange, ...] = INDICES
    intervals: tuple[Interval, ...] = tuple(CHUNKS)
    stands_for_all: bool = False

    @property
    def evidence(self) -> dict[str, tuple[str, ...]]:
        """What each group of the contract rests on; triggers were not recorded."""
        shown = "emulator" if self.stands_for_all else "family"
        return {**dict.fromkeys("LMOBQFPE", (shown, "vectors")), "G": (shown,)}


#: How replies to triggers say that they are good, in the spellings of the documentation.
TRIGGERS = Envelope(
    state="stat",
    ok=(
        "Ok", "Oi created", "OI created", "Oi Replaced", "Oi Replacedt", "Oi replaced",
        "OI replaced", "Oi delete success", "OI delete success", "OI deleted",
    ),
    bad=("Not_Ok",),
    message="emsg|stat",
)  # fmt: skip


#: The usual exchange of the browser's code for a session.
TOKEN_CALL = Call(
    Op(
        method="POST",
        path="/GenAcsTok",
        encoding="jdata",
        headers={"Content-Type": "text/plain"},
        public=True,
        body={"code": "$code", "checksum": "$checksum"},
    ),
    {
        "access_token": "access_token|accesstoken|token|susertoken",
        "client_id": "actid|USERID|uid",
    },
)
