"""What a member of the family says of itself."""

from __future__ import annotations

import msgspec

from openalgo_desktop.core.enums import Exchange

#: How one gets a trading session. ``direct``: the key pair alone. ``redirect``: the broker's page
#: in the browser gives an access token for the key pair. ``token``: the page gives the session.
DIRECT = "direct"
REDIRECT = "redirect"
TOKEN = "token"
#: Prefixes of market data. Servers of the second may send binary packets on the feed.
JSON_MARKET = "apimarketdata"
BINARY_MARKET = "apibinarymarketdata"
#: Exchanges of every member: shares and their derivatives; the indices of both.
EQUITY = (Exchange.NSE, Exchange.BSE, Exchange.NFO, Exchange.BFO)
INDICES = (Exchange.NSE_INDEX, Exchange.BSE_INDEX)


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One broker on an XTS server.

    ``base`` is its address without a path. ``market`` is the prefix of market data, ``feed`` that
    of the stream where it is another one: the stream then has a market session of its own.
    ``logins``: ways to log in, the usual one first. ``lookup``: address of the host lookup,
    where the broker offers a login through it. ``margin``: the server has the margin
    calculator. ``market_orders``: it takes market orders; else protected limits are sent.

    ``recorded``: groups of the contract that recordings of this member show; ``stands_for_all``:
    all cases of the contract run for it (see ``BrokerSpec.evidence``).
    """

    id: str
    title: str
    base: str
    exchanges: tuple[Exchange, ...]
    market: str = JSON_MARKET
    feed: str = ""
    logins: tuple[str, ...] = (DIRECT,)
    lookup: str = ""
    margin: bool = False
    market_orders: bool = True
    recorded: str = "LOBFE"
    stands_for_all: bool = False
    docs: str = "https://symphonyfintech.com/xts-trading-front-end-api-v2/"
