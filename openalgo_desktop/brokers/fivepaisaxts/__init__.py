"""5paisa's XTS server. (5paisa's own API is another broker.)"""

from openalgo_desktop.brokers.families.xts import EQUITY, INDICES, Member, broker_of

BROKER = broker_of(
    Member(
        id="fivepaisaxts",
        title="5paisa (XTS)",
        base="https://xtsmum.5paisa.com",
        exchanges=(*EQUITY, *INDICES),
    )
)
