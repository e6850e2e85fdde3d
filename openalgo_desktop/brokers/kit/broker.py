"""A broker as the registry knows it: its tables and its hooks."""

from __future__ import annotations

import msgspec

from openalgo_desktop.brokers.kit.account.api import BrokerApi
from openalgo_desktop.brokers.kit.spec import BrokerSpec


class Broker(msgspec.Struct, frozen=True):
    """What an adapter module (or a third-party package) offers."""

    spec: BrokerSpec
    api: type[BrokerApi] = BrokerApi
