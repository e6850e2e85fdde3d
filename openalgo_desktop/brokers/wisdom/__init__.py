"""Wisdom Capital, an XTS server."""

from openalgo_desktop.brokers.families.xts import EQUITY, INDICES, Member, broker_of
from openalgo_desktop.core.enums import Exchange

BROKER = broker_of(
    Member(
        id="wisdom",
        title="Wisdom Capital (XTS)",
        base="https://trade.wisdomcapital.in",
        exchanges=(*EQUITY, Exchange.CDS, Exchange.MCX, *INDICES),
    )
)
