"""NorenOMS: Shoonya, Flattrade, Zebu, TradeSmart and others run it."""

from openalgo_desktop.brokers.families.noren.api import NorenApi
from openalgo_desktop.brokers.families.noren.member import Member
from openalgo_desktop.brokers.families.noren.spec import spec
from openalgo_desktop.brokers.kit.broker import Broker

__all__ = ["Member", "noren"]


def noren(member: Member) -> Broker:
    """A broker of the family."""

    class Api(NorenApi):
        pass

    Api.member = member
    return Broker(spec(member), Api)
