"""TradeSmart, a member of the Noren family."""

from openalgo_desktop.brokers.families.noren import Member, noren
from openalgo_desktop.brokers.families.noren.master import zips
from openalgo_desktop.brokers.families.noren.member import CHUNKS
from openalgo_desktop.brokers.kit.spec import Rate
from openalgo_desktop.core.enums import Interval

_SITE = "https://v2api.tradesmartonline.in"

BROKER = noren(
    Member(
        id="tradesmart",
        title="TradeSmart",
        docs="https://v2api.tradesmartonline.in",
        root=f"{_SITE}/NorenWClientAPIv2",
        feed="wss://v2api.tradesmartonline.in/NorenWSAPI",
        site=_SITE,
        authorize=f"{_SITE}/OAuthlogin/authorize/oauth?client_id={{app_key}}",
        callback=("code", "request_token", "request-token"),
        pasted=True,
        master=zips(),
        limits={"all": (Rate(10), Rate(120, 60)), "orders": (Rate(10),)},
        protection=False,
        book_results=True,
        basket=False,
        asks_orders=False,
        intervals=tuple(interval for interval in CHUNKS if interval is not Interval.H4),
    )
)
