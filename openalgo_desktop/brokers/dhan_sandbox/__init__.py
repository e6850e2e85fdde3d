"""Dhan's sandbox: paper orders over the API. It has no market data of its own."""

from openalgo_desktop.brokers.families.dhanhq import Member, broker_of

BROKER = broker_of(
    Member(id="dhan_sandbox", title="Dhan Sandbox", rest="https://sandbox.dhan.co", live=False)
)
