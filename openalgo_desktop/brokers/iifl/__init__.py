"""IIFL Blaze, an XTS server. (IIFL Capital's own API is another broker.)"""

from openalgo_desktop.brokers.families.xts import EQUITY, INDICES, Member, broker_of
from openalgo_desktop.core.enums import Exchange

BROKER = broker_of(
    Member(
        id="iifl",
        title="IIFL Blaze (XTS)",
        base="https://ttblaze.iifl.com",
        exchanges=(*EQUITY, Exchange.CDS, Exchange.MCX, *INDICES),
        recorded="LMOBQFE",
        stands_for_all=True,
    )
)
