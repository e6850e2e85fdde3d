"""Stores that forget at the end of the test."""

from __future__ import annotations

from openalgo_desktop.core.secret import Secret


class MemorySecrets:
    """The contract of :class:`SecretStore` in a dict."""

    def __init__(self) -> None:
        self.values: dict[str, Secret] = {}

    async def get(self, name: str) -> Secret | None:
        return self.values.get(name)

    async def set(self, name: str, value: Secret) -> None:
        self.values[name] = value

    async def delete(self, name: str) -> None:
        self.values.pop(name, None)
