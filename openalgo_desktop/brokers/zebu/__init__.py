"""Zebu (MYNT), a member of the Noren family."""

from openalgo_desktop.brokers.families.noren import Member, noren
from openalgo_desktop.brokers.families.noren.master import zips
from openalgo_desktop.brokers.kit.spec import Rate
from openalgo_desktop.core.enums import Exchange

BROKER = noren(
    Member(
        id="zebu",
        title="Zebu (MYNT)",
        docs="https://api.zebuetrade.com",
        root="https://go.mynt.in/NorenWClientAPI",
        feed="wss://go.mynt.in/NorenWSAPI",
        site="https://go.mynt.in",
        authorize="https://go.mynt.in/OAuthlogin/authorize/oauth?client_id={app_key}",
        master=zips(bse_indices=False),
        limits={"all": (Rate(10),), "orders": (Rate(10),)},
        indices=(Exchange.NSE_INDEX,),
    )
)
