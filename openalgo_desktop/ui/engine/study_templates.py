"""Sets of studies under names, and what the user's new studies begin with."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from openalgo_desktop.analytics.indicators.running.library import Library
from openalgo_desktop.analytics.indicators.running.order import sources_of
from openalgo_desktop.core.charting.studies import StudyWish, Style, Value
from openalgo_desktop.core.errors import AppError, DataError

if TYPE_CHECKING:
    from openalgo_desktop.storage.state import KeyValueStore

log = logging.getLogger(__name__)
#: Scope of both; keys are a prefix and a name.
SCOPE: Final = "study-templates"
_SET, _FIRST = "set:", "first:"
_FAVOURITES = "favourites"


class StudyDefault(msgspec.Struct, frozen=True):
    """Parameters and styles that new studies of one kind begin with."""

    params: Mapping[str, Value] = {}
    styles: Mapping[str, Style] = {}


class StudyTemplates:
    """Read once (:meth:`load`), then in memory; what is saved reaches the disk by itself.
    ``changed`` is called when a list of them would be another one."""

    def __init__(self, state: KeyValueStore, library: Library, changed: Callable[[], None]) -> None:
        self._state, self._library, self._changed = state, library, changed
        self._put, self._forget = state.put_later(SCOPE), state.forget_later(SCOPE)
        self._sets: dict[str, tuple[StudyWish, ...]] = {}
        self._first: dict[str, StudyDefault] = {}
        self._favourites: tuple[str, ...] = ()

    async def load(self) -> None:
        """What was saved; a damaged one is left out and told in the log."""
        for key, value in (await self._state.all(SCOPE)).items():
            try:
                if key.startswith(_SET):
                    wishes = msgspec.convert(value, tuple[StudyWish, ...])
                    self._sets.setdefault(key.removeprefix(_SET), wishes)
                elif key.startswith(_FIRST):
                    first = msgspec.convert(value, StudyDefault)
                    self._first.setdefault(key.removeprefix(_FIRST), first)
                elif key == _FAVOURITES:
                    kept = msgspec.convert(value, tuple[str, ...])
                    self._favourites = tuple(dict.fromkeys((*kept, *self._favourites)))
            except msgspec.ValidationError as error:
                log.warning("study template %s cannot be read: %s", key, error)
        self._changed()

    # -- sets ---------------------------------------------------------------------------------
    @property
    def names(self) -> list[str]:
        """Of all sets, in alphabetical order."""
        return sorted(self._sets, key=str.lower)

    def save(self, name: str, wishes: Sequence[StudyWish]) -> None:
        """Keep these under ``name``, in place of what had it. Raises :class:`DataError`."""
        name = name.strip()
        if not name or not wishes:
            raise DataError("Template: give it a name, and have at least one study on the chart.")
        self._sets[name] = tuple(wishes)
        self._put(f"{_SET}{name}", msgspec.to_builtins(self._sets[name]))
        self._changed()

    def delete(self, name: str) -> None:
        """Forget a set."""
        if self._sets.pop(name, None) is not None:
            self._forget(f"{_SET}{name}")
            self._changed()

    def apply(self, name: str, present: Sequence[StudyWish] = ()) -> tuple[StudyWish, ...]:
        """What a chart that has ``present`` has with the set added: new idents, and sources that
        lead within the set follow them. Raises :class:`DataError` when there is no such set."""
        if name not in self._sets:
            raise DataError(f"Template {name} is not there any more.")
        fresh = {wish.ident: _ident() for wish in self._sets[name]}
        return (*present, *(self._renamed(wish, fresh) for wish in self._sets[name]))

    def _renamed(self, wish: StudyWish, fresh: Mapping[str, str]) -> StudyWish:
        params = dict(wish.params)
        try:
            spec = self._library.spec(wish.study)
        except AppError:  # a study that is gone: the chart says so
            return msgspec.structs.replace(wish, ident=fresh[wish.ident])
        for param, (ident, output) in sources_of(wish, spec).items():
            if ident in fresh:
                params[param] = f"{fresh[ident]}.{output}"
        return msgspec.structs.replace(wish, ident=fresh[wish.ident], params=params)

    # -- what new ones begin with -------------------------------------------------------------
    def new(self, study: str, params: Mapping[str, Value] | None = None) -> StudyWish:
        """A study for a chart, as the user likes them; ``params`` above that."""
        first = self._first.get(study, StudyDefault())
        return StudyWish(_ident(), study, {**first.params, **(params or {})}, first.styles)

    def keep_first(self, wish: StudyWish) -> None:
        """New ones of its kind begin like this one. Sources that are other studies of its chart
        are not kept: they mean nothing elsewhere."""
        spec = self._library.spec(wish.study)
        led = sources_of(wish, spec)
        params = {name: value for name, value in wish.params.items() if name not in led}
        self._first[wish.study] = StudyDefault(params, wish.styles)
        self._put(f"{_FIRST}{wish.study}", msgspec.to_builtins(self._first[wish.study]))

    def forget_first(self, study: str) -> None:
        """New ones begin as the study itself says."""
        if self._first.pop(study, None) is not None:
            self._forget(f"{_FIRST}{study}")

    # -- favourites ---------------------------------------------------------------------------
    @property
    def favourites(self) -> tuple[str, ...]:
        """Ids of the studies that the user likes, in the order in which they were chosen."""
        return self._favourites

    def turn_favourite(self, study: str) -> None:
        """Make it a favourite, or one no more."""
        rest = tuple(one for one in self._favourites if one != study)
        self._favourites = rest if study in self._favourites else (*rest, study)
        self._put(_FAVOURITES, list(self._favourites))
        self._changed()


def _ident() -> str:
    return f"s{uuid.uuid4().hex[:8]}"
