"""Lotus, a broker that does not exist: what a further member of the family takes."""

from openalgo_desktop.brokers.families.xts import EQUITY, INDICES, REDIRECT, Member, broker_of
from openalgo_desktop.core.enums import Exchange

BROKER = broker_of(
    Member(
        id="lotus",
        title="Lotus (XTS)",
        base="https://xts.lotus.example",
        exchanges=(*EQUITY, Exchange.CDS, Exchange.MCX, *INDICES),
        logins=(REDIRECT,),
    )
)
