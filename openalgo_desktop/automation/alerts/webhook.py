"""Posts of alerts to an address of the user's, none of which holds up the loop.

An address may lead into the user's own network by mistake: so names are looked up here, private
addresses are refused unless the setting ``alert.private_webhooks`` allows them, the connection
goes to the address that was looked at, and no redirect is followed. Secrets come from the vault and
appear in no message and no log; neither does the path of an address.
"""

from __future__ import annotations

import asyncio
import functools
import ipaddress
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol
from urllib.parse import quote

from openalgo_desktop.core.addresses import is_loopback
from openalgo_desktop.core.alert_acts import PostTo
from openalgo_desktop.core.errors import ConfigError, NetError
from openalgo_desktop.core.secret import Secret

log = logging.getLogger(__name__)

#: Time for one try, and pauses before the tries after the first; seconds.
TIMEOUT, PAUSES = 5.0, (1.0, 4.0)
#: Names of the vault where the secrets of posts are.
SCOPE = "alert-webhook."
#: What a setting may allow: never this machine under another name, link-local (the metadata of
#: clouds) or what is no host.
_PRIVATE = tuple(
    map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"))
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
#: What version 6 gives to the internet; the rest is of a site, of a translator or of nobody.
_GLOBAL = ipaddress.ip_network("2000::/3")
#: Tries under way at most: alerts that fire together leave descriptors to the feed and the broker.
AT_ONCE = 50
_HEADERS = {"content-type": "application/json", "user-agent": "openalgo-desktop"}

#: Looks a name up: the addresses of a host.
Lookup = Callable[[str, int], Awaitable[Sequence[str]]]


class Secrets(Protocol):
    """The vault."""

    async def get(self, name: str) -> Secret | None: ...


async def look_up(host: str, port: int) -> list[str]:
    """The addresses of a host. Raises :class:`NetError` when there is none."""
    loop = asyncio.get_running_loop()
    try:
        rows = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise NetError(f"{host} is not found.") from None
    return [str(row[4][0]) for row in rows]


class WebPoster:
    """:class:`Poster` over httpx, which is imported with the first post."""

    def __init__(
        self, secrets: Secrets, private: Callable[[], bool], lookup: Lookup = look_up
    ) -> None:
        self._secrets = secrets
        self._private = private
        self._lookup = lookup
        self._room = asyncio.Semaphore(AT_ONCE)

    async def post(self, act: PostTo, body: bytes, told_id: str) -> str:
        """Returns the status that was answered. Raises :class:`NetError` with the reason, without
        address and secret. A try that got no answer, or was told to come again, is repeated with
        the same ``Idempotency-Key``."""
        secret = await self._secret(act)
        last: NetError | None = None
        for pause in (0.0, *PAUSES):
            await asyncio.sleep(pause)
            try:
                async with self._room:
                    return await self._once(act, secret, body, told_id)
            except _Again as error:
                last = NetError(error.message)
        assert last is not None
        raise NetError(f"{last.message} It was tried {1 + len(PAUSES)} times.")

    async def _secret(self, act: PostTo) -> str:
        if not act.secret:
            return ""
        found = await self._secrets.get(SCOPE + act.secret)
        if found is None:
            raise ConfigError(f"The secret {act.secret} of the webhook is not in the vault.")
        return found.reveal()

    async def _once(self, act: PostTo, secret: str, body: bytes, told_id: str) -> str:
        context = await asyncio.to_thread(_tls)
        import httpx

        in_path = "{{secret}}" in act.url
        url = httpx.URL(act.url.replace("{{secret}}", quote(secret, safe="/")))
        headers = {**_HEADERS, "idempotency-key": told_id, "host": url.netloc.decode("ascii")}
        if secret and not in_path:
            headers[act.header.lower()] = secret
        port = url.port or (443 if url.scheme == "https" else 80)
        address = await self._address(url.host, port)
        request: dict[str, Any] = {"headers": headers, "content": body}
        if url.scheme == "https":
            request["extensions"] = {"sni_hostname": url.host}
        try:
            async with asyncio.timeout(TIMEOUT):
                async with (
                    httpx.AsyncClient(timeout=TIMEOUT, trust_env=False, verify=context) as client,
                    client.stream("POST", url.copy_with(host=address), **request) as answer,
                ):
                    status = answer.status_code
        except TimeoutError:
            raise _Again(f"{url.host} did not answer within {TIMEOUT:.0f} s.") from None
        except httpx.HTTPError as error:
            raise _Again(f"{url.host} cannot be reached ({type(error).__name__}).") from None
        if 200 <= status < 300:
            return str(status)
        if status in (408, 425, 429) or status >= 500:
            raise _Again(f"{url.host} answered {status}.")
        more = " Redirects are not followed." if 300 <= status < 400 else ""
        raise NetError(f"{url.host} answered {status}.{more}")

    async def _address(self, host: str, port: int) -> str:
        """The address to connect to. Raises :class:`NetError` for one that is not allowed."""
        try:
            found = await asyncio.wait_for(self._lookup(host, port), TIMEOUT)
        except TimeoutError:
            raise _Again(f"{host} is not found within {TIMEOUT:.0f} s.") from None
        if not found:
            raise NetError(f"{host} is not found.")
        for text in found:
            self._check(host, ipaddress.ip_address(text.partition("%")[0]))
        return next((text for text in found if ":" not in text), found[0])

    def _check(self, host: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
        if address.is_loopback and is_loopback(host):
            return  # this machine, and it was said so
        real = _carried(address) or address
        if real.is_global and not real.is_multicast and (real.version == 4 or real in _GLOBAL):
            return
        own = any(real in network for network in _PRIVATE if network.version == real.version)
        if not (self._private() and own):
            raise NetError(
                f"{host} is an address of a private network. Allow these in the settings "
                "(alert.private_webhooks) or give a public one."
            )


@functools.cache
def _tls() -> ssl.SSLContext:
    """The certificates that are trusted. Reading them takes tens of milliseconds, and so does the
    library: call it in a thread."""
    import httpx

    return httpx.create_ssl_context(trust_env=False)


def _carried(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | None:
    """The address of version 4 that one of version 6 stands for: mapped, 6to4 (RFC 3056), or
    translated on the way (NAT64, RFC 6052)."""
    match address:
        case ipaddress.IPv6Address():
            translated = None
            if address in _NAT64:
                translated = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
            return address.ipv4_mapped or address.sixtofour or translated
    return None


class _Again(NetError):
    """This try failed; the next may not."""
