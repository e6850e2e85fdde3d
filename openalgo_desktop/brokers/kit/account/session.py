"""A login at a broker: credentials, the session's values and when it ends; kept as secrets."""

from __future__ import annotations

import base64
import contextlib
import logging
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from openalgo_desktop.brokers.kit.books.times import moment
from openalgo_desktop.brokers.kit.rest.values import OddValue
from openalgo_desktop.brokers.kit.spec import BrokerSpec
from openalgo_desktop.core.clock import IST, Clock
from openalgo_desktop.core.ports import SecretStore
from openalgo_desktop.core.secret import Secret

log = logging.getLogger(__name__)


class Session:
    """Values of one account for templates. They are secrets at rest here and in the store;
    :meth:`context` reveals them for one request."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values = {name: Secret(text) for name, text in (values or {}).items()}
        self.ends: datetime | None = None
        self.open = False

    def context(self) -> dict[str, Any]:
        """All values in plain text: at the wire only."""
        return {name: value.reveal() for name, value in self._values.items()}

    def update(self, values: Mapping[str, str]) -> None:
        """Add or replace values."""
        for name, text in values.items():
            self._values[name] = Secret(str(text))

    def forget(self, names: Iterable[str]) -> None:
        """Drop values."""
        for name in names:
            self._values.pop(name, None)

    def has(self, name: str) -> bool:
        """Whether a value is there and not empty."""
        return bool(self._values.get(name))

    def get(self, name: str) -> str:
        """One value in plain text, or ''."""
        value = self._values.get(name)
        return value.reveal() if value is not None else ""

    def redact(self, text: str) -> str:
        """``text`` without any of the values (those shorter than four characters excepted)."""
        for value in self._values.values():
            plain = value.reveal()
            if len(plain) >= 4:
                text = text.replace(plain, "***")
        return text

    def __repr__(self) -> str:
        return f"Session(open={self.open}, names={sorted(self._values)})"


def session_end(spec: BrokerSpec, clock: Clock, said: str = "") -> datetime | None:
    """When a session that begins now ends, IST; None = the broker says nothing.

    ``said`` is the value of ``spec.session_end_value``. It goes before ``session_hours`` and is
    never later than the daily ``session_ends``. What cannot be read, or is over already (the
    machine's clock may be wrong), says nothing.
    """
    now = clock.now().astimezone(IST)
    daily = None
    if spec.session_ends is not None:
        daily = datetime.combine(now.date(), spec.session_ends, IST)
        daily += timedelta(days=0 if daily > now else 1)
    if spec.session_end_value:
        told = said_end(said, clock)
        if told is not None and told > now:
            return min(told, daily) if daily is not None else told
        log.info("%s: the login says no end of the session that can be read", spec.title)
    if spec.session_hours:
        return now + timedelta(hours=spec.session_hours)
    return daily


def said_end(said: str, clock: Clock) -> datetime | None:
    """The time of an epoch, an ISO or other known text, or a JWT (its ``exp``); IST."""
    value: Any = said.strip()
    if len(parts := value.split(".")) == 3:
        with contextlib.suppress(ValueError, msgspec.DecodeError, AttributeError):
            body = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
            value = msgspec.json.decode(body).get("exp")
    try:
        at = moment(value, clock)
    except OddValue:
        return None
    return at.astimezone(IST) if at is not None else None


class SessionStore:
    """Keeps credentials and the session of one account slot in the :class:`SecretStore`.

    A slot is a place for one account of a broker; its client id is known after the first login.
    """

    def __init__(self, secrets: SecretStore, broker: str, slot: str) -> None:
        self._secrets = secrets
        self._prefix = f"broker/{broker}/{slot}"

    async def load(self, spec: BrokerSpec, session: Session) -> None:
        """Fill ``session`` with what is stored; it is not open yet. What came with a session and
        is stored no more was forgotten by a logout in another program, and is forgotten here."""
        for name in stored_fields(spec):
            if (value := await self._secrets.get(f"{self._prefix}/{name}")) is not None:
                session.update({name: value.reveal()})
            elif name in came_with_session(spec):
                session.forget([name])
        raw = await self._secrets.get(f"{self._prefix}/session")
        if raw is None:
            return
        try:
            kept = msgspec.json.decode(raw.reveal(), type=dict[str, str])
        except msgspec.DecodeError:
            return
        ends = kept.pop("ends", "")
        session.update(kept)
        session.ends = datetime.fromisoformat(ends) if ends else None

    async def save_credentials(self, spec: BrokerSpec, session: Session) -> None:
        """Keep the login fields that are marked ``stored``."""
        for name in stored_fields(spec):
            if session.has(name):
                await self._secrets.set(f"{self._prefix}/{name}", Secret(session.get(name)))

    async def save_session(self, session: Session, names: Iterable[str]) -> None:
        """Keep the values of an open session."""
        kept = {name: session.get(name) for name in names if session.has(name)}
        kept["ends"] = session.ends.isoformat() if session.ends else ""
        text = msgspec.json.encode(kept).decode()
        await self._secrets.set(f"{self._prefix}/session", Secret(text))

    async def drop_session(self, spec: BrokerSpec) -> None:
        """Forget the session, keep the credentials. What came with the session is none of them,
        also where another login may ask for it (a refresh token)."""
        for name in ("session", *came_with_session(spec).intersection(stored_fields(spec))):
            await self._secrets.delete(f"{self._prefix}/{name}")

    async def drop_all(self, spec: BrokerSpec) -> None:
        """Forget everything of this slot."""
        for name in (*stored_fields(spec), "session"):
            await self._secrets.delete(f"{self._prefix}/{name}")


def came_with_session(spec: BrokerSpec) -> set[str]:
    """Names of values that a login gave beside the session."""
    return {name for login in spec.logins for name in login.extras}


def stored_fields(spec: BrokerSpec) -> list[str]:
    """Names of login fields that are kept, each once."""
    names = [f.name for login in spec.logins for f in login.fields if f.stored]
    return list(dict.fromkeys(names))
