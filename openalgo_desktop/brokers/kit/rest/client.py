"""The one HTTP client of a broker account: executes :class:`Op` rows of its spec."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import msgspec

from openalgo_desktop.brokers.kit.account.session import Session
from openalgo_desktop.brokers.kit.rest.answers import Reply, in_words, joined, judge
from openalgo_desktop.brokers.kit.rest.bodies import content_of, pairs
from openalgo_desktop.brokers.kit.rest.errors import DoubtfulSession, error_of, means_empty
from openalgo_desktop.brokers.kit.rest.limits import Limiter
from openalgo_desktop.brokers.kit.rest.receiving import LARGE, unpacked, whole
from openalgo_desktop.brokers.kit.rest.second import SecondSessions
from openalgo_desktop.brokers.kit.rest.values import fill, render
from openalgo_desktop.brokers.kit.spec import BrokerSpec, Op
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.errors import (
    AppError,
    AuthError,
    DataError,
    NetError,
    NetTimeout,
    NotConnected,
    NotSupported,
    OrderStateUnknown,
    ProtocolError,
    RateLimited,
    RejectedByBroker,
    SessionExpired,
)
from openalgo_desktop.core.leaving import is_leaving
from openalgo_desktop.core.proxies import is_loopback, proxy_problem
from openalgo_desktop.core.skew import Skew

log = logging.getLogger(__name__)
# httpx logs each address at INFO, and addresses carry keys.
logging.getLogger("httpx").setLevel(logging.WARNING)
logging.getLogger("httpcore").setLevel(logging.WARNING)

#: Failures before a byte of the request left: nothing can have happened at the broker.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)

#: Longest wait of an order write for its rate limit, seconds: shorter than the desk waits for an
#: answer, long enough for a basket or a "cancel all" at ten orders a second.
WRITE_WAIT = 8.0
#: Two reads that are refused by the status alone within so many seconds end a session that cannot
#: be asked about.
DOUBT = 60.0
#: Operations that take something out of the market.
CANCELS = ("cancel", "gtt_cancel", "oco_cancel")
_HEADERS = {
    "user-agent": "openalgo-desktop",
    "accept": "*/*",
    "accept-encoding": "gzip, deflate",
}
_MAX_DOWNLOAD = 512 << 20
_BLOCK = 1 << 20
#: A longer file is no error answer.
_MAX_ANSWER = 1 << 14


class Timing(msgspec.Struct, frozen=True):
    """One call: seconds waited for the limiter, seconds on the wire, HTTP status (0 = none)."""

    op: str
    queued: float
    wire: float
    status: int


class RestClient:
    """One pooled client per account. Close it with :meth:`close`.

    ``hosts`` overrides addresses of the spec (emulators, corporate proxies). ``on_expired`` is
    called when the broker says that the session is over.
    """

    def __init__(
        self,
        spec: BrokerSpec,
        session: Session,
        clock: Clock,
        *,
        hosts: Mapping[str, str] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        on_expired: Callable[[str], None] | None = None,
    ) -> None:
        self.spec = spec
        self.session = session
        self.overrides = {name: url for name, url in (hosts or {}).items() if url}
        self.hosts = {**spec.hosts, **self.overrides}
        self.limiter = Limiter(spec.limits, clock.monotonic)
        self.timings: deque[Timing] = deque(maxlen=200)
        self.clock = clock
        self.skew = Skew()
        self._saving: httpx.Response | None = None  # the download under way
        self._on_expired = on_expired
        self._transport = transport
        self._pools: dict[bool, httpx.AsyncClient] = {}  # by whether they go past all proxies
        self._opening = asyncio.Lock()
        self._doubted_at = float("-inf")  # a session of a broker that has no profile; monotonic
        self.second = SecondSessions(spec, session, self.call, clock.monotonic)

    async def _client(self, url: httpx.URL) -> httpx.AsyncClient:
        """The connection pool for an address, opened by its first request and by the first after
        a :meth:`close`. Made beside the loop: reading the certificates takes tens of
        milliseconds. This machine is never reached through a proxy."""
        direct = is_loopback(url.host)
        async with self._opening:
            pool = self._pools.get(direct)
            if pool is None:
                pool = self._pools[direct] = await asyncio.to_thread(self._new_pool, direct)
            return pool

    def _new_pool(self, direct: bool) -> httpx.AsyncClient:
        transport = self._transport
        try:
            return httpx.AsyncClient(
                http2=self.spec.http2 and transport is None,
                transport=transport,
                trust_env=not direct,
                timeout=httpx.Timeout(10.0, connect=5.0, pool=5.0),
                limits=httpx.Limits(
                    max_connections=20, max_keepalive_connections=10, keepalive_expiry=20.0
                ),
                follow_redirects=False,
            )
        except (ImportError, ValueError) as error:
            raise NotConnected(proxy_problem(str(error))) from None

    async def close(self) -> None:
        """Close the connections."""
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            await pool.aclose()

    async def op(self, name: str, context: Mapping[str, Any] | None = None) -> Any:
        """Run the spec's operation ``name``; its payload. See :meth:`call` for errors."""
        op = self.spec.ops.get(name)
        if op is None:
            raise NotSupported(f"{self.spec.title} has no {name.replace('_', ' ')}.")
        if op.renew and not op.write:  # a write is never sent twice
            return await self.second.run(op.renew, lambda: self.call(op, context, name))
        return await self.call(op, context, name)

    async def call(self, op: Op, context: Mapping[str, Any] | None = None, name: str = "") -> Any:
        """Send one request (or those of its parts and pages) and give the payload of the answer.

        Raises the error of the spec's table for a bad answer; :class:`NetError` when a read
        failed on the way; :class:`OrderStateUnknown` when an order write may have arrived.
        An answer that means "empty" gives None.
        """
        name = name or op.path
        if op.each or op.pages is not None:
            return await joined(op, context or {}, lambda values: self._ask(op, values, name))
        return (await self._ask(op, context or {}, name)).payload

    async def _ask(self, op: Op, context: Mapping[str, Any], name: str) -> Reply:
        """One request and its answer."""
        began = self.clock.monotonic()
        # An order that has to wait long is refused: a late one is worse than none.
        longest = WRITE_WAIT if op.write else op.timeout
        await self.limiter.acquire(op.buckets, longest, op.cost, urgent=self._urgent(op))
        values = {**self.session.context(), **context}  # the session may have changed meanwhile
        sent_at = self.clock.monotonic()
        status, wall = 0, self.clock.time()
        try:
            response = await self._send(op, values)
            status = response.status_code
            self.skew.add(response.headers.get("date", ""), wall, self.clock.time())
        finally:
            ended = self.clock.monotonic()
            self.timings.append(Timing(name, sent_at - began, ended - sent_at, status))
        try:
            return await self._read(op, response, values)
        except DoubtfulSession as error:
            raise await self._confirmed(op, error, values) from None

    async def _confirmed(
        self, op: Op, error: DoubtfulSession, values: Mapping[str, Any]
    ) -> AppError:
        """What a bare 401 or 403 means: the end of the session only if a read says so too."""
        verifiable = op is not self.spec.ops.get("profile") and not op.public and not op.renew
        if verifiable and self.session.open:
            if op.write and not error.sure and "profile" not in self.spec.ops:
                return RejectedByBroker(error.message)  # more often the order than the session
            return await self.doubted(error, RejectedByBroker if op.write else DataError)
        sure = SessionExpired(error.message, detail=error.detail)
        return self._judged(op, sure, values)

    async def doubted(self, error: AuthError, otherwise: type[AppError]) -> AppError:
        """Ask the broker whether the session is over: :class:`SessionExpired` when it says so,
        else ``otherwise`` with the words of ``error``. Where nothing can be asked, a 401 and what
        is said in so many words is the end, and so is a second doubt within :data:`DOUBT`
        seconds."""
        profile = self.spec.ops.get("profile")
        if profile is None:
            now = self.clock.monotonic()
            again, self._doubted_at = now - self._doubted_at <= DOUBT, now
            sure = error.sure if isinstance(error, DoubtfulSession) else True
            if not (sure or again):
                return otherwise(error.message)
            self._doubted_at = float("-inf")
            if self.session.open and self._on_expired:
                self._on_expired(error.message)
            return SessionExpired(error.message, detail=error.detail)
        try:
            await self.call(profile, name="profile")
        except SessionExpired as ended:
            return ended
        except AppError as unclear:
            log.info("%s: session not verified: %s", self.spec.title, unclear.message)
        return otherwise(error.message)

    async def download(self, op: Op, path: Path, context: Mapping[str, Any] | None = None) -> None:
        """Stream the body of an answer into a file, which is whole or not there.

        Raises like :meth:`op`, and :class:`ProtocolError` for a body without end.
        """
        if op.renew:
            await self.second.run(op.renew, lambda: self._download(op, path, context))
        else:
            await self._download(op, path, context)

    def downloaded(self) -> float | None:
        """Share of the download under way that is here, 0 to 1; None without one, or where the
        server does not tell how long it is."""
        length = "" if self._saving is None else self._saving.headers.get("content-length", "")
        if self._saving is None or not length.isdecimal() or not int(length):
            return None
        return min(1.0, self._saving.num_bytes_downloaded / int(length))

    async def _download(self, op: Op, path: Path, context: Mapping[str, Any] | None = None) -> None:
        values = {**self.session.context(), **(context or {})}
        await self.limiter.acquire(op.buckets, op.timeout, op.cost)
        part = path.with_name(path.name + ".part")
        try:
            request = self.request(op, values)
            client = await self._client(request.url)
            self._sign(op, request, values)
            response = await client.send(request, stream=True, follow_redirects=op.public)
            try:
                if response.status_code >= 300:
                    await self._read(op, await whole(response), values)
                    raise NetError(f"{self.spec.title}: HTTP {response.status_code}")
                self._saving = response
                await _save(response, part)
                saved = await asyncio.to_thread(_short, part)
                if in_words(op.envelope or self.spec.envelope, saved):
                    short = httpx.Response(response.status_code, content=saved)
                    await self._read(op, short, values)
            finally:
                self._saving = None
                await response.aclose()
        except httpx.HTTPError as error:
            name = type(error).__name__
            raise NetError(f"The download from {self.spec.title} broke ({name}).") from None
        await asyncio.to_thread(part.replace, path)

    def request(self, op: Op, values: Mapping[str, Any]) -> httpx.Request:
        """The HTTP request of ``op``; what the wire tests look at."""
        url = fill(op.path, values, quoted=True)
        if not url.startswith(("https://", "http://")):
            # A server of the user's own is a value.
            url = fill(self.hosts[op.host], values).rstrip("/") + url
        headers = dict(_HEADERS)
        if not op.public:
            headers.update({k: fill(v, values) for k, v in self.spec.headers.items()})
        headers.update({k: fill(v, values) for k, v in op.headers.items()})
        if query := render(op.query, values):
            url += ("&" if "?" in url else "?") + urlencode(pairs(query), quote_via=quote)
        content = content_of(op, values, headers)
        limits = httpx.Timeout(op.timeout).as_dict()
        return httpx.Request(
            op.method, url, headers=headers, content=content, extensions={"timeout": limits}
        )

    def _sign(self, op: Op, request: httpx.Request, values: Mapping[str, Any]) -> None:
        """Add the broker's signature. It holds for seconds, so this comes after all waiting."""
        if self.spec.sign is None or not op.sign:
            return
        path, now = request.url.raw_path.decode(), self.clock.time()
        signed = self.spec.sign(op, request.method, path, request.content, values, now)
        request.headers.update(signed)

    async def _send(self, op: Op, values: Mapping[str, Any]) -> httpx.Response:
        title = self.spec.title
        request = self.request(op, values)
        client = await self._client(request.url)
        self._sign(op, request, values)
        try:
            return await whole(await client.send(request, stream=True))
        except _NOT_SENT as error:
            raise NotConnected(
                f"{title} cannot be reached ({type(error).__name__}). Nothing was sent."
            ) from None
        except httpx.TimeoutException:
            problem: AppError = NetTimeout(f"{title} did not answer within {op.timeout:g} s.")
        except httpx.HTTPError as error:
            problem = NetError(f"The connection to {title} broke ({type(error).__name__}).")
        except ProtocolError as error:
            problem = ProtocolError(f"{title}: {error.message}")
        if op.write:
            raise OrderStateUnknown(problem.message, tag=str(values.get("tag", "")))
        raise problem

    async def _read(self, op: Op, response: httpx.Response, values: Mapping[str, Any]) -> Reply:
        try:
            if len(response.content) > LARGE:
                answer = await asyncio.to_thread(judge, self.spec, op, response)
            else:
                answer = judge(self.spec, op, response)
        except AppError as error:
            raise self._judged(op, error, values) from None
        if answer.good:
            return Reply(answer.data, answer.body)
        after = _retry_after(response)
        bad = error_of(self.spec, answer, order=op.write, retry_after=after)
        if not op.write and means_empty(answer, bad):
            return Reply(None, answer.body)
        raise self._judged(op, bad, values)

    def _urgent(self, op: Op) -> bool:
        """Whether it takes an order or a trigger out of the market, or somebody out of a
        position."""
        return op.write and (is_leaving() or any(op is self.spec.ops.get(name) for name in CANCELS))

    def _judged(self, op: Op, error: AppError, values: Mapping[str, Any]) -> AppError:
        """Side effects of an error, and what it means for an order write."""
        if isinstance(error, DoubtfulSession):
            return error
        ours = self.session.open and not op.renew and not op.public  # the account's session
        if isinstance(error, SessionExpired) and ours and self._on_expired:
            self._on_expired(error.message)
        if isinstance(error, RateLimited):
            # A refused write says nothing of reads, and never delays a cancellation.
            held = [name for name in op.buckets if name != "all"] if op.write else op.buckets
            self.limiter.hold(held or op.buckets, error.retry_after, urgent=self._urgent(op))
        elif op.write and isinstance(error, NetError):
            return OrderStateUnknown(error.message, tag=str(values.get("tag", "")))
        return error


async def _save(response: httpx.Response, path: Path) -> None:
    """The body to disk, in blocks that a thread writes."""
    size, block = 0, bytearray()
    with await asyncio.to_thread(path.open, "wb") as file:
        async for chunk in unpacked(response):
            block += chunk
            size += len(chunk)
            if size > _MAX_DOWNLOAD:
                raise ProtocolError(f"The download is larger than {_MAX_DOWNLOAD >> 20} MiB.")
            if len(block) >= _BLOCK:
                await asyncio.to_thread(file.write, bytes(block))
                block.clear()
        await asyncio.to_thread(file.write, bytes(block))


def _short(path: Path) -> bytes:
    """A downloaded file that is short enough to be an answer in words; else nothing."""
    return path.read_bytes() if path.stat().st_size <= _MAX_ANSWER else b""


def _retry_after(response: httpx.Response) -> float:
    try:
        return max(0.1, float(response.headers.get("retry-after", "1")))
    except ValueError:
        return 1.0
