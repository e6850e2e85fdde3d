"""Real margins and charges for the window's paper account."""

from __future__ import annotations

from typing import Any

import pytest

from openalgo_desktop.config.settings import Settings
from openalgo_desktop.sandbox.realism import REAL, Realism


class Store:
    """What was remembered."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str], Any] = {}

    async def get(self, scope: str, key: str) -> Any:
        return self.values.get((scope, key))

    async def put(self, scope: str, key: str, value: Any) -> None:
        self.values[scope, key] = value


def realism(settings: Settings, store: Store, *, used: bool) -> Realism:
    typed: Any = store
    return Realism(settings, typed, lambda: used)


def is_real(settings: Settings) -> bool:
    return all(settings[key] == value for key, value in REAL.items())


def test_the_settings_keep_the_defaults_of_clients() -> None:
    assert not is_real(Settings())


async def test_a_fresh_account_is_real_without_a_question_and_only_once() -> None:
    settings, store = Settings(), Store()
    assert not await realism(settings, store, used=False).begin()
    assert is_real(settings)
    settings.set("sandbox.charges", False)
    assert not await realism(settings, store, used=False).begin()
    assert settings["sandbox.charges"] is False


@pytest.mark.parametrize("answer", [True, False])
async def test_the_owner_of_an_older_account_is_asked_until_he_answers(answer: bool) -> None:
    settings, store = Settings(), Store()
    old = realism(settings, store, used=True)
    assert await old.begin() and await old.begin()
    assert not is_real(settings)
    await old.answer(answer)
    assert is_real(settings) is answer
    assert not await realism(settings, store, used=True).begin()


@pytest.mark.parametrize("used", [True, False])
async def test_who_set_it_himself_is_left_alone(used: bool) -> None:
    settings, store = Settings({"sandbox.margin_model": "leverage"}), Store()
    assert not await realism(settings, store, used=used).begin()
    assert not is_real(settings)
