"""Angel One (SmartAPI)."""

from openalgo_desktop.brokers.angel.api import AngelApi
from openalgo_desktop.brokers.angel.spec import SPEC
from openalgo_desktop.brokers.kit.broker import Broker

BROKER = Broker(SPEC, AngelApi)
