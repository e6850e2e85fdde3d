"""Pages that must not fall behind: links lead somewhere, the keys are those of the window."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from openalgo_desktop.ui.actions import ACTIONS

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
    keys = dict(re.findall(r"^\| (\S+) \| (.+) \|$", text, re.MULTILINE))
    for row in ACTIONS:
        if row.shortcut:
            assert row.text.lower() in keys.get(row.shortcut, "").lower(), row.name
