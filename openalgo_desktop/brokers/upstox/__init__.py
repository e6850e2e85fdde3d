"""Upstox through its developer API (v3 where there is one)."""

from openalgo_desktop.brokers.kit.broker import Broker
from openalgo_desktop.brokers.upstox.api import UpstoxApi
from openalgo_desktop.brokers.upstox.spec import SPEC

BROKER = Broker(SPEC, UpstoxApi)
