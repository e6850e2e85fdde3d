"""Dhan (DhanHQ v2)."""

from openalgo_desktop.brokers.families.dhanhq import Member, broker_of

BROKER = broker_of(Member(id="dhan", title="Dhan", rest="https://api.dhan.co", live=True))
