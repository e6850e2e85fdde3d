"""Indiabulls Securities, an XTS server that takes no market orders."""

from openalgo_desktop.brokers.families.xts import BINARY_MARKET, EQUITY, INDICES, Member, broker_of
from openalgo_desktop.core.enums import Exchange

BROKER = broker_of(
    Member(
        id="ibulls",
        title="Indiabulls Securities (XTS)",
        base="https://xts.ibullssecurities.com",
        exchanges=(*EQUITY, Exchange.MCX, *INDICES),
        market=BINARY_MARKET,
        market_orders=False,
    )
)
