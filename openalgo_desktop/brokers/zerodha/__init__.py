"""Zerodha through Kite Connect v3."""

from openalgo_desktop.brokers.kit.broker import Broker
from openalgo_desktop.brokers.zerodha.api import KiteApi
from openalgo_desktop.brokers.zerodha.spec import SPEC

BROKER = Broker(SPEC, KiteApi)
