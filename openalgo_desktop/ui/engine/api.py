"""The part of the bridge that shows the local API: addresses, keys, requests, clients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openalgo_desktop.core.api_rows import ApiKey, ApiRequest
from openalgo_desktop.core.enums import KeyRights
from openalgo_desktop.core.secret import Secret

if TYPE_CHECKING:
    from openalgo_desktop.local_api.table import Endpoint
    from openalgo_desktop.local_api.ws import ClientInfo
    from openalgo_desktop.runtime.terminal import Terminal

__all__ = ["SAMPLES", "ApiDoor", "ApiEndpoint", "ClientInfo"]

#: What the request builder puts into a field of this name; others get an empty text.
SAMPLES: Mapping[str, Any] = {
    "symbol": "RELIANCE",
    "exchange": "NSE",
    "strategy": "Request builder",
    "action": "BUY",
    "quantity": 1,
    "product": "MIS",
    "pricetype": "MARKET",
    "price": 0,
    "trigger_price": 0,
    "disclosed_quantity": 0,
    "position_size": 1,
    "interval": "5m",
    "query": "NIFTY",
    "instrumenttype": "futures",
    "mode": True,
    "symbols": [{"symbol": "RELIANCE", "exchange": "NSE"}],
    "underlying": "NIFTY",
    "strike_count": 10,
}


@dataclass(frozen=True, slots=True)
class ApiEndpoint:
    """One row of the endpoint table, as the request builder needs it."""

    name: str
    method: str
    route: str
    doc: str
    group: str
    trades: bool
    example: Mapping[str, Any]


class ApiDoor:
    """What the window may ask the local API and the key store."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def state(self) -> tuple[str, str, int]:
        """REST address (empty when the API is off), WebSocket address, connected clients."""
        api = self._terminal.api
        if api is None:
            return "", "", 0
        return api.rest_url, api.ws_url, api.clients

    def exposure(self) -> str:
        """A warning while other machines can reach the API, else empty."""
        return "" if self._terminal.api is None else self._terminal.api.exposure

    def listening(self) -> str:
        """The address that REST is really bound to, as ``host:port``; empty when it is off."""
        return "" if self._terminal.api is None else self._terminal.api.bound

    # -- keys -------------------------------------------------------------------------------
    async def default_key(self) -> Secret | None:
        """The default API key, to show or copy."""
        return await self._terminal.keys.default()

    async def keys(self) -> list[ApiKey]:
        """The API keys that work."""
        return await self._terminal.keys.all()

    async def create_key(
        self, name: str, rights: KeyRights, account_id: str
    ) -> tuple[ApiKey, Secret]:
        """A new key and its text; raises :class:`ConfigError` for a bad name."""
        return await self._terminal.keys.create(name, rights, account_id)

    async def revoke_key(self, key_id: int) -> None:
        """Make a key worthless at once."""
        await self._terminal.keys.revoke(key_id)

    # -- monitor ----------------------------------------------------------------------------
    def serial(self) -> int:
        """Number of requests answered so far."""
        return 0 if self._terminal.api is None else self._terminal.api.monitor.serial

    def recent(self, count: int) -> list[ApiRequest]:
        """The last requests, newest first."""
        return [] if self._terminal.api is None else self._terminal.api.monitor.recent(count)

    def clients(self) -> list[ClientInfo]:
        """Connected WebSocket clients."""
        return [] if self._terminal.api is None else self._terminal.api.ws.client_list()

    def endpoints(self) -> list[ApiEndpoint]:
        """The endpoints that are served, in the order of their table."""
        if self._terminal.api is None:
            return []
        return [
            ApiEndpoint(
                row.name,
                row.method,
                row.route,
                row.doc,
                row.group,
                row.need.value == "trade",
                row.example or self._sample(row),
            )
            for row in self._terminal.api.endpoints()
        ]

    def _sample(self, row: Endpoint) -> dict[str, Any]:
        """A body from the required fields of the schema."""
        from openalgo_desktop.local_api.validation import new_schema  # marshmallow, when used

        if row.schema is None:
            return {}
        today = self._terminal.clock.now().date().isoformat()
        dates = {"start_date": today, "end_date": today}
        fields = new_schema(row.schema).declared_fields
        return {
            name: dates.get(name, SAMPLES.get(name, ""))
            for name, field in fields.items()
            if field.required and name != "apikey"
        }
