"""Raghunandan Money, an XTS server: its page gives the trading session itself, and the feed is on
the other market-data service than the quotes."""

from openalgo_desktop.brokers.families.xts import (
    BINARY_MARKET,
    EQUITY,
    INDICES,
    JSON_MARKET,
    TOKEN,
    Member,
    broker_of,
)

BROKER = broker_of(
    Member(
        id="rmoney",
        title="Raghunandan Money (XTS)",
        base="https://xts.rmoneyindia.co.in:3000",
        exchanges=(*EQUITY, *INDICES),
        market=BINARY_MARKET,
        feed=JSON_MARKET,
        logins=(TOKEN,),
        lookup="https://xts.rmoneyindia.co.in:4000",
        margin=True,
        recorded="LOBQF",
    )
)
