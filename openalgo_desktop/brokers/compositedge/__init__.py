"""CompositEdge, an XTS server."""

from openalgo_desktop.brokers.families.xts import EQUITY, INDICES, REDIRECT, Member, broker_of
from openalgo_desktop.core.enums import Exchange

BROKER = broker_of(
    Member(
        id="compositedge",
        title="CompositEdge (XTS)",
        base="https://xts.compositedge.com",
        exchanges=(*EQUITY, Exchange.CDS, Exchange.MCX, *INDICES),
        logins=(REDIRECT,),
    )
)
