"""Firstock: Noren's OMS behind a JSON API."""

from openalgo_desktop.brokers.firstock.api import FirstockApi
from openalgo_desktop.brokers.firstock.spec import SPEC
from openalgo_desktop.brokers.kit.broker import Broker

BROKER = Broker(SPEC, FirstockApi)
