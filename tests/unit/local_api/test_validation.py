"""Schemas of requests: imported when used, made once, a wrong field told."""

from __future__ import annotations

import asyncio
import threading

import pytest

from openalgo_desktop.local_api import validation
from openalgo_desktop.local_api.validation import InvalidFields, Validator, new_schema
from tests.unit.local_api.rest_world import running
from tests.waiting import until

KEY = {"apikey": "k"}


async def test_every_row_names_a_schema_that_exists() -> None:
    async with running() as world:
        named = [row.schema for row in world.api.endpoints() if row.schema is not None]
    assert len(named) > 40
    for name in named:
        assert new_schema(name).load_fields


async def test_requests_that_come_first_wait_for_the_schemas_without_holding_the_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[str] = []

    def slowly(name: str) -> object:
        assert let_go.wait(60)
        made.append(name)
        return new_schema(name)

    let_go = threading.Event()
    monkeypatch.setattr(validation, "new_schema", slowly)
    validator = Validator({"data.Key"})
    asked = [asyncio.create_task(validator.load("data.Key", dict(KEY))) for _ in range(3)]
    await asyncio.sleep(0)  # the loop goes on meanwhile
    assert not any(task.done() for task in asked)
    let_go.set()
    assert await asyncio.gather(*asked) == [KEY] * 3
    assert made == ["data.Key"] * 3
    made.clear()
    assert await validator.load("data.Key", dict(KEY)) == KEY
    assert made == []


async def test_a_wrong_field_is_told() -> None:
    with pytest.raises(InvalidFields) as told:
        await Validator(set()).load("data.Key", {})
    assert told.value.messages == {"apikey": ["Missing data for required field."]}


async def test_schemas_are_imported_soon_and_nobody_imports_after_the_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(validation, "WARM_AFTER", 0.0)
    imported: list[str] = []
    made: list[str] = []
    monkeypatch.setattr(validation, "import_module", imported.append)
    monkeypatch.setattr(validation, "new_schema", made.append)
    validator = Validator({"orders.PlaceOrder", "orders.Basket", "data.Key"})
    validator.start()
    await until(lambda: len(imported) == 2)
    assert [name.rpartition(".")[2] for name in imported] == ["data", "orders"]
    await until(lambda: len(made) == 3)
    assert made == ["data.Key", "orders.Basket", "orders.PlaceOrder"]
    await validator.stop()
    monkeypatch.setattr(validation, "WARM_AFTER", 60.0)
    other = Validator({"gtt.PlaceGtt"})
    other.start()
    await other.stop()
    assert len(imported) == 2
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "schemas of the API"]
