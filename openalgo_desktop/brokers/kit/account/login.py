"""Runs the declared steps of a login, in a dialog or a terminal alike."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from openalgo_desktop.brokers.kit.account.session import Session, session_end
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.brokers.kit.rest.errors import sentence
from openalgo_desktop.brokers.kit.rest.values import compute, fill, pick
from openalgo_desktop.brokers.kit.spec import (
    Ask,
    BrokerSpec,
    Browser,
    Call,
    Compute,
    Hook,
    Login,
)
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.errors import (
    BadCredentials,
    ConfigError,
    DataError,
    ProtocolError,
    SessionExpired,
)
from openalgo_desktop.core.logins import REDIRECT, LoginHelper
from openalgo_desktop.core.numbers import is_digits

#: A hook step: takes the values so far, returns new ones.
HookCall = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, str]]]


class LoginRunner:
    """One login of one account. Values that are given or stored are not asked for."""

    def __init__(
        self,
        spec: BrokerSpec,
        rest: RestClient,
        session: Session,
        clock: Clock,
        hooks: Callable[[str], HookCall],
    ) -> None:
        self._spec = spec
        self._rest = rest
        self._session = session
        self._clock = clock
        self._hooks = hooks

    async def run(
        self, login: Login, given: Mapping[str, str], helper: LoginHelper | None
    ) -> dict[str, str]:
        """Run all steps; the session is open afterwards. Returns the values of the session.

        :class:`BadCredentials` names the field that is missing or wrong. A one-time code is
        used once: the steps are never repeated here.
        """
        known = {**self._stored(login), **{k: v for k, v in given.items() if v}}
        for step in login.steps:
            if isinstance(step, Ask):
                known.update(await self._ask(step, known, helper))
            elif isinstance(step, Browser):
                known.update(await self._browse(step, known, helper))
            elif isinstance(step, Compute):
                known.update(self._computed(step, known))
            elif isinstance(step, Call):
                known.update(await self._call(step, known, login))
                self._require(known, [name for name in login.session if name in step.gives])
            elif isinstance(step, Hook):
                known.update(await self._hooks(step.method)(known))
        names = (*login.session, *login.extras)
        result = {name: str(known[name]) for name in names if known.get(name)}
        self._require(result, login.session)
        if client := known.get(login.client_id):
            result["client_id"] = str(client)
        kept = {field.name: known[field.name] for field in login.fields if known.get(field.name)}
        self._session.update({**kept, **result})
        self._session.forget(f.name for f in login.fields if not f.stored and f.name not in result)
        said = str(known.get(self._spec.session_end_value) or "")
        self._session.ends = session_end(self._spec, self._clock, said)
        self._session.open = True
        return result

    def _require(self, values: Mapping[str, str], names: Iterable[str]) -> None:
        if missing := [name for name in names if not values.get(name)]:
            raise ProtocolError(f"{self._spec.title}: the login gave no {', '.join(missing)}.")

    def _stored(self, login: Login) -> dict[str, str]:
        return {
            field.name: self._session.get(field.name)
            for field in login.fields
            if field.stored and self._session.has(field.name)
        }

    async def _ask(
        self, step: Ask, known: Mapping[str, str], helper: LoginHelper | None
    ) -> dict[str, str]:
        wanted = [field for field in step.fields if not known.get(field.name)]
        answers: Mapping[str, str] = {}
        if wanted and helper is not None:
            answers = await helper.ask(wanted)
        values = {name: text.strip() for name, text in answers.items() if text.strip()}
        for field in step.fields:
            value = values.get(field.name) or known.get(field.name, "")
            if not value and not field.optional:
                raise BadCredentials(f"{field.label} is missing.", field=field.name)
            if value and field.digits and not (is_digits(value) and len(value) == field.digits):
                raise BadCredentials(
                    f"{field.label} must have {field.digits} digits.", field=field.name
                )
        return values

    async def _browse(
        self, step: Browser, known: Mapping[str, str], helper: LoginHelper | None
    ) -> dict[str, str]:
        if all(known.get(name) for name in step.gives.values()):
            return {}
        if helper is None:
            raise ConfigError(
                f"{self._spec.title} needs a login in the browser: use the window, or "
                f"`openalgo-desktop login {self._spec.id}`."
            )
        state = secrets.token_urlsafe(16) if "{state}" in step.url else ""
        values = {**known, "state": state, "redirect_url": REDIRECT}
        url = fill(step.url, values, quoted=True)
        answer = await helper.browse(url, self._spec.id, state)
        values = {ours: answer[theirs] for theirs, ours in step.gives.items() if answer.get(theirs)}
        missing = [theirs for theirs, ours in step.gives.items() if ours not in values]
        if missing:
            reason = answer.get("message") or answer.get("error") or f"no {missing[0]} came back"
            raise BadCredentials(f"{self._spec.title} did not log you in: {reason}.")
        return values

    def _computed(self, step: Compute, known: Mapping[str, str]) -> dict[str, str]:
        now = self._clock.time()
        result: dict[str, str] = {}
        for name, template in step.values.items():
            if known.get(name):
                continue
            try:
                result[name] = compute(template, {**known, **result}, now)
            except ConfigError:
                continue  # made of something that was not given: a later step asks for it
        return result

    async def _call(self, step: Call, known: Mapping[str, str], login: Login) -> dict[str, str]:
        try:
            data = await self._rest.call(step.op, known, "login")
        except (SessionExpired, DataError) as error:
            # There is no session yet, and nothing but credentials that could be refused.
            raise BadCredentials(error.message, detail=error.detail) from None
        found = {
            name: str(value)
            for name, path in step.gives.items()
            if (value := pick(data, path)) is not None
        }
        if not all(found.get(name) for name in login.session if name in step.gives):
            # Some refuse with a good status, in words alone.
            said = sentence(data, (step.op.envelope or self._spec.envelope).message)
            for field in login.fields:
                if field.secret and known.get(field.name):
                    said = said.replace(known[field.name], "***")
            if said:
                raise BadCredentials(f"{self._spec.title} did not log you in: {said}")
        return found
