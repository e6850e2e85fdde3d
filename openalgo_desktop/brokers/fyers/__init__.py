"""Fyers through its API v3."""

from openalgo_desktop.brokers.fyers.api import FyersApi
from openalgo_desktop.brokers.fyers.spec import SPEC
from openalgo_desktop.brokers.kit.broker import Broker

BROKER = Broker(SPEC, FyersApi)
