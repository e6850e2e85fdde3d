"""The reference that users read is what the program answers."""

from __future__ import annotations

import json
from pathlib import Path

from tests.api import reference


def test_examples_and_the_page_are_those_of_the_program(tmp_path: Path) -> None:
    stored = json.loads(reference.ANSWERS.read_text(encoding="utf-8"))
    with reference.program(tmp_path) as running:
        asker = reference.Asker(running)
        answers = asker.answers()
    again = "run python -m tests.api.reference"
    assert stored.keys() == answers.keys(), again
    changed = [n for n in stored if reference.form(stored[n]) != reference.form(answers[n])]
    assert not changed, f"answers have another form than the examples: {changed}; {again}"
    page = reference.PAGE.read_text(encoding="utf-8")
    assert page == reference.page(asker.document, stored), again


def test_every_endpoint_that_needs_a_body_has_an_example(tmp_path: Path) -> None:
    with reference.program(tmp_path) as running:
        document = reference.Asker(running).document
    bare = [
        path
        for path, methods in document["paths"].items()
        for operation in methods.values()
        if not operation.get("x-stub")
        and set(
            operation.get("requestBody", {})
            .get("content", {})
            .get("application/json", {})
            .get("schema", {})
            .get("required", ())
        )
        - {"apikey"}
        and "example" not in operation["requestBody"]["content"]["application/json"]
    ]
    assert not bare
