"""What the makers' own libraries need in their side environments. They are installed without
their dependencies (``deps=False``): web frameworks and data frames that no decoder uses. Brokers
share an environment by naming the same list."""

from __future__ import annotations

#: Upstox, Angel One, Dhan. Angel's websocket module is loaded by path: the package calls out on
#: import.
MAKERS = (
    "upstox-python-sdk==2.30.0",
    "smartapi-python==1.5.5",
    "dhanhq==2.3.0",
    "logzero==1.7.0",
    "websocket-client==1.9.2",
    "websockets==17.4",
    "protobuf==7.36.2",
    "six==1.17.0",
)
#: Fyers pins old versions of what it shares with the others.
FYERS = ("fyers-apiv3==3.2.0", "protobuf==5.29.5", "websocket-client==1.9.2")
