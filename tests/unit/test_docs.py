"""Pages that must not fall behind: links lead somewhere, the keys are those of the window, and what
they tell people to type exists."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from openalgo_desktop.brokers.registry import Registry
from openalgo_desktop.config.settings import SETTINGS
from openalgo_desktop.shell.parser import build_parser
from openalgo_desktop.ui.shell.actions import ACTIONS

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "examples/*.md", "packaging/*.md", "bench/*.md")
    for path in ROOT.glob(pattern)
)
_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    broken = [link[1] for link in _LINK.finditer(text) if not (page.parent / link[1]).exists()]
    assert not broken


def test_every_page_of_the_docs_is_in_their_index() -> None:
    text = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    names = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert names <= set(re.findall(r"\(([\w-]+\.md)\)", text))


def test_the_window_guide_has_every_key() -> None:
    text = (ROOT / "docs" / "window.md").read_text(encoding="utf-8")
    keys = dict(re.findall(r"^\| (\S+(?:, \S+)*) \| (.+) \|$", text, re.MULTILINE))
    for row in ACTIONS:
        if row.shortcut and not row.name.startswith("workspace-"):
            told = keys.get(", ".join((row.shortcut, *row.also)), "")
            assert row.text.lower() in told.lower(), row.name
    assert "Ctrl+1 to Ctrl+9" in text


# -- what a page tells people to type ---------------------------------------------------------
_COMMAND = re.compile(r"(?:openalgo-desktop|python3 run\.py) ([a-z][^`\n#|)]*)")
_SETTING = re.compile(r"`([a-z]+\.[a-z_]+)`|--set ([a-z]+\.[a-z_]+)=")


def _children(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def _unknown(typed: str) -> str:
    """What of a typed command the program does not know; empty when it knows everything."""
    words = typed.split()
    if words[0] in ("test", "is"):  # run.py's own; a sentence
        return ""
    parser = _children(build_parser()).get(words[0])
    if parser is None:
        return words[0]
    if len(words) > 1 and (verbs := _children(parser)) and words[1].isalpha():
        if words[1] not in verbs:
            return words[1]
        parser = verbs[words[1]]
    options = set(parser._option_string_actions)
    return next((word for word in words if word.startswith("--") and word not in options), "")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_and_settings_of_a_page_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    wrong = {typed: _unknown(typed) for typed in _COMMAND.findall(text)}
    assert not {typed: word for typed, word in wrong.items() if word}
    groups = {key.partition(".")[0] for key in SETTINGS}
    files = {"py", "json", "md", "db", "js", "xlsx", "txt"}
    named = [first or second for first, second in _SETTING.findall(text)]
    named = [key for key in named if key.partition(".")[0] in groups]
    assert not [key for key in named if key not in SETTINGS and key.partition(".")[2] not in files]


def test_the_addresses_of_the_readme_are_the_defaults() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    ports = set(re.findall(r"127\.0\.0\.1:(\d+)", text))
    assert ports == {str(SETTINGS["api.rest_port"].default), str(SETTINGS["api.ws_port"].default)}
    assert SETTINGS["api.host"].default == "127.0.0.1"
    assert SETTINGS["trading.start_mode"].default == "sandbox"


def test_the_readme_names_every_broker() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    brokers = text[text.index("## Brokers") : text.index("## Without a window")]
    for broker in Registry().all().values():
        assert broker.spec.title.split()[0] in brokers
