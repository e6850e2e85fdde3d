"""Symphony's XTS: one server software of several brokers. A member is a table of a few lines."""

from openalgo_desktop.brokers.families.xts.api import XtsApi
from openalgo_desktop.brokers.families.xts.member import (
    BINARY_MARKET,
    DIRECT,
    EQUITY,
    INDICES,
    JSON_MARKET,
    REDIRECT,
    TOKEN,
    Member,
)
from openalgo_desktop.brokers.families.xts.spec import spec_of
from openalgo_desktop.brokers.kit.broker import Broker

__all__ = [
    "BINARY_MARKET",
    "DIRECT",
    "EQUITY",
    "INDICES",
    "JSON_MARKET",
    "REDIRECT",
    "TOKEN",
    "Member",
    "broker_of",
]


def broker_of(member: Member) -> Broker:
    """The broker that a member's table describes."""
    return Broker(spec_of(member), XtsApi)
