"""DhanHQ v2: one protocol of two environments, the account and its sandbox."""

from openalgo_desktop.brokers.families.dhanhq.api import DhanApi
from openalgo_desktop.brokers.families.dhanhq.member import Member
from openalgo_desktop.brokers.families.dhanhq.spec import spec_of
from openalgo_desktop.brokers.kit.broker import Broker

__all__ = ["Member", "broker_of"]


def broker_of(member: Member) -> Broker:
    """The broker that a member's table describes."""
    return Broker(spec_of(member), DhanApi)
