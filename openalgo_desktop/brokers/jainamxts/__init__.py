"""Jainam Duronto, an XTS server. Which of the two logins it takes is not documented."""

from openalgo_desktop.brokers.families.xts import (
    BINARY_MARKET,
    DIRECT,
    EQUITY,
    INDICES,
    REDIRECT,
    Member,
    broker_of,
)

BROKER = broker_of(
    Member(
        id="jainamxts",
        title="Jainam Duronto (XTS)",
        base="https://jtrade.jainam.in:5000",
        exchanges=(*EQUITY, *INDICES),
        market=BINARY_MARKET,
        logins=(REDIRECT, DIRECT),
        recorded="LOBQFE",
    )
)
