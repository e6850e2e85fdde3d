"""What is wrong with the requests of a spec: each is rendered once with a full sample."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from openalgo_desktop.brokers.kit.rest.values import FUNCTIONS, NAME, VALUE, render
from openalgo_desktop.brokers.kit.spec.broker import BrokerSpec
from openalgo_desktop.brokers.kit.spec.logins import Ask, Browser, Call, Compute, Hook, Login
from openalgo_desktop.brokers.kit.spec.operations import ENCODINGS, FORMS, Envelope, Op, Pages
from openalgo_desktop.brokers.kit.spec.sample import (
    EVERYWHERE,
    Scope,
    any_of,
    group_values,
    operation_values,
    session_scope,
)
from openalgo_desktop.core.errors import AppError

Gives = Mapping[str, tuple[str, ...]]

_BRACES = re.compile(r"[{}]")
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
#: What may stand before a colon of a computed value and is no function.
_SCHEMES = ("http", "https", "ws", "wss")
_FUNCTION = re.compile(r"(\w+):")


# -- tables ---------------------------------------------------------------------------------
def template(where: str, text: str, scope: Scope) -> Iterator[str]:
    """What is wrong with a template."""
    yield from _names(where, ((name, False) for name in NAME.findall(text)), scope)
    if _BRACES.search(NAME.sub("", text)):
        yield f"{where}: {text!r} has a brace that belongs to no name"


def table(where: str, fields: Any, scope: Scope) -> Iterator[str]:
    """What is wrong with the fields of a query or a body."""
    wrong = []
    used: list[tuple[str, bool]] = []
    for text in texts(fields):
        if not text.startswith("$"):
            continue
        match = VALUE.fullmatch(text)
        if match is None:
            wrong.append(f"{where}: {text!r} is no value")
        else:
            used.append((match["name"], bool(match["optional"])))
    wrong += _names(where, used, scope)
    yield from wrong
    if not wrong:
        try:
            render(fields, scope.values)
        except (AppError, ValueError, TypeError) as error:
            yield f"{where}: {error}"


def names_of(op: Op) -> frozenset[str]:
    """The values that a request cannot do without."""
    found = set(NAME.findall(op.path))
    for text in op.headers.values():
        found |= set(NAME.findall(text))
    for text in (*texts(op.query), *texts(op.body)):
        match = VALUE.fullmatch(text)
        if match is not None and not match["optional"]:
            found.add(match["name"])
    return frozenset(found)


def texts(fields: Any) -> Iterator[str]:
    """All texts of a table of fields."""
    if isinstance(fields, str):
        yield fields
    elif isinstance(fields, Mapping):
        for value in fields.values():
            yield from texts(value)
    elif isinstance(fields, (list, tuple)):
        for value in fields:
            yield from texts(value)


def _names(where: str, used: Iterable[tuple[str, bool]], scope: Scope) -> Iterator[str]:
    for name, optional in used:
        if name not in scope.values:
            yield f"{where}: {name!r} is no known value"
        elif name in scope.maybe and not optional:
            yield f"{where}: {name!r} is not there after every login"


def patterns(where: str, texts: Iterable[str]) -> Iterator[str]:
    """Regular expressions that are none."""
    for text in texts:
        try:
            re.compile(text)
        except re.error as error:
            yield f"{where}: pattern {text!r}: {error}"


def said(where: str, problems: Mapping[str, object]) -> Iterator[str]:
    """The sentences whose condition holds."""
    yield from (f"{where}: {text}" for text, wrong in problems.items() if wrong)


def used(spec: BrokerSpec, host: str, renew: str) -> Iterator[str]:
    """A host or a second session that nobody declared."""
    if host not in spec.hosts:
        yield f"hosts: {host!r} is used but not declared"
    if renew and renew not in spec.renewals:
        yield f"renewals: {renew!r} is used but not declared"


def _no_word(word: str, kind: str, words: Iterable[str]) -> str:
    return f"{word!r} is no {kind}; they are {', '.join(words)}"


# -- requests -------------------------------------------------------------------------------
class Requests:
    """Checks whatever a spec sends, with the values that are there."""

    def __init__(self, spec: BrokerSpec, gives: Gives) -> None:
        self.spec = spec
        self.gives = gives
        self._values = operation_values(spec)
        self._groups = group_values(spec)

    def all(self) -> Iterator[str]:
        """Everything of the spec but streams and masters."""
        for name, op in self.spec.ops.items():
            yield from self.shape(f"ops.{name}", op)
            for login in self.spec.logins:
                scope = session_scope(self.spec, login, op.renew).plus(self._given(name))
                yield from self.values(f"ops.{name}", op, scope)
        for name, call in self.spec.renewals.items():
            yield from self.shape(f"renewals.{name}", call.op)
            for login in self.spec.logins:
                yield from self.values(f"renewals.{name}", call.op, session_scope(self.spec, login))
        for login in self.spec.logins:
            yield from self.login(login)

    def _given(self, name: str) -> dict[str, Any]:
        declared = (*self.gives.get(EVERYWHERE, ()), *self.gives.get(name, ()))
        values = any_of(each for each in declared if each not in self._groups)
        for group in self._groups.keys() & set(declared):
            values |= self._groups[group]
        return values | self._values.get(name, {})

    def shape(self, where: str, op: Op) -> Iterator[str]:
        """What is wrong with an operation whatever the values."""
        yield from said(
            where,
            {
                f"{op.method!r} is no method": op.method not in _METHODS,
                _no_word(op.encoding, "encoding", ENCODINGS): op.encoding not in ENCODINGS,
                _no_word(op.form, "form", FORMS): op.form not in FORMS,
                "it has a body and no encoding": op.body and op.encoding == "none",
                "a form is a table of fields": op.encoding == "form"
                and not isinstance(op.body, Mapping),
                "only JSON has a reply path or pages": op.form != "json"
                and (op.reply or op.pages is not None),
                "only CSV has a header": op.header and op.form != "csv",
                "a write is sent once": op.write and (op.each or op.pages is not None or op.renew),
                "a write is never answered with nothing": op.write
                and (op.empty or (op.envelope is not None and op.envelope.empty)),
                f"a timeout of {op.timeout:g} s": op.timeout <= 0,
            },
        )
        yield from used(self.spec, op.host, op.renew)
        yield from self._limit(where, op)
        yield from _empties(where, op.empty)
        if op.pages is not None:
            yield from pages(where, op.pages)
        if op.envelope is not None:
            yield from envelope(where, op.envelope)

    def _limit(self, where: str, op: Op) -> Iterator[str]:
        limits = self.spec.limits
        for name in op.limit.split():
            if name not in limits:
                yield f"limits: {name!r} is used but not declared"
        most = min((r.count for b in op.buckets for r in limits.get(b, ())), default=op.cost)
        if not 1 <= op.cost <= most:
            yield f"limits: {where}: a cost of {op.cost} does not fit in {most} grants"

    def values(self, where: str, op: Op, scope: Scope) -> Iterator[str]:
        """What is wrong with its texts and tables where these values are there."""
        if op.pages is not None:
            scope = scope.plus({op.pages.value: op.pages.first or 1})
        for part in op.each or ({},):
            full = scope.plus(part)
            yield from template(where, op.path, full)
            yield from template(f"hosts.{op.host}", self.spec.hosts.get(op.host, ""), full)
            headers = {**({} if op.public else self.spec.headers), **op.headers}
            for name, text in headers.items():
                yield from template(f"{where}: header {name}", text, full)
            yield from table(f"{where}: query", op.query, full)
            yield from table(f"{where}: body", op.body, full)

    # -- logins -----------------------------------------------------------------------------
    def login(self, login: Login) -> Iterator[str]:
        """The steps one after the other, each with what those before it gave."""
        where = f"logins.{login.id}"
        scope = Scope({})
        for number, step in enumerate(login.steps, 1):
            at = f"{where}: step {number}"
            if isinstance(step, Ask):
                asked = any_of(field.name for field in step.fields)
                scope = scope.plus(asked, (f.name for f in step.fields if f.optional))
            elif isinstance(step, Browser):
                state = scope.plus(any_of(["state", "redirect_url"]))
                yield from template(at, step.url, state)
                scope = scope.plus(any_of(step.gives.values()))
            elif isinstance(step, Compute):
                for name, text in step.values.items():
                    yield from _computed(f"{at}: {name}", text, scope)
                    scope = scope.plus(any_of([name]))
            elif isinstance(step, Call):
                yield from self.shape(at, step.op)
                yield from self.values(at, step.op, scope)
                scope = scope.plus(any_of(step.gives))
            elif isinstance(step, Hook):
                scope = scope.plus(any_of(self.gives.get(step.method, ())))
        for name in (*login.session, login.client_id):
            if name not in scope.values:
                yield f"{where}: nothing gives {name!r}"
        end = self.spec.session_end_value
        if end and not any(end in _known(one, self.gives) for one in self.spec.logins):
            yield f"session_end_value: no login gives {end!r}"


def _known(login: Login, gives: Gives) -> set[str]:
    """Names that are there at the end of a login."""
    found: set[str] = set()
    for step in login.steps:
        if isinstance(step, Ask):
            found |= {field.name for field in step.fields}
        elif isinstance(step, Browser):
            found |= set(step.gives.values())
        elif isinstance(step, Compute):
            found |= set(step.values)
        elif isinstance(step, Call):
            found |= set(step.gives)
        else:
            found |= set(gives.get(step.method, ()))
    return found


def _computed(where: str, text: str, scope: Scope) -> Iterator[str]:
    match = _FUNCTION.match(text)
    if match is not None and match[1] not in (*FUNCTIONS, *_SCHEMES):
        yield f"{where}: {_no_word(match[1], 'function', FUNCTIONS)}"
    # What is made of something that was not given is left open.
    yield from template(where, text, Scope(scope.values))


def pages(where: str, found: Pages) -> Iterator[str]:
    """What is wrong with the pages of an answer."""
    if not found.value:
        yield f"{where}: pages without the name of their value"
    if found.most < 1:
        yield f"{where}: pages need a bound"


def envelope(where: str, found: Envelope) -> Iterator[str]:
    """What is wrong with an envelope."""
    if bool(found.state) != bool(found.ok):
        yield f"{where}: an envelope has a state and the texts that mean good, or neither"
    if set(found.ok) & set(found.bad):
        yield f"{where}: a state is good or bad, not both"
    yield from _empties(where, found.empty)


def _empties(where: str, texts: Iterable[str]) -> Iterator[str]:
    """What is wrong with patterns of messages that mean "nothing there"."""
    yield from patterns(where, texts)
    for text in texts:
        if not text.endswith("$"):  # "no data received from the exchange" is trouble
            yield f"{where}: pattern {text!r} does not say how the message ends ($)"
