"""Shoonya (Finvasia), a member of the Noren family."""

from openalgo_desktop.brokers.families.noren import Member, noren
from openalgo_desktop.brokers.families.noren.master import zips
from openalgo_desktop.brokers.kit.spec import Rate

BROKER = noren(
    Member(
        id="shoonya",
        title="Shoonya (Finvasia)",
        docs="https://shoonya.com/api-documentation",
        root="https://api.shoonya.com/NorenWClientAPI",
        feed="wss://api.shoonya.com/NorenWSAPI",
        site="https://api.shoonya.com",
        authorize="https://api.shoonya.com/OAuthlogin/authorize/oauth?client_id={app_key}",
        master=zips(),
        limits={"all": (Rate(20),), "orders": (Rate(10),)},
        chart_key=True,  # TPSeries and EODChartData take no Bearer header
        chart_names=True,
        quotes_at_once=20,
        stands_for_all=True,
    )
)
