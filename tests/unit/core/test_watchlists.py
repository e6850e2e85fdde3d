"""Lists of instruments: order, headings, notes, and what earlier versions stored."""

from __future__ import annotations

import json

from openalgo_desktop.core import watchlists
from openalgo_desktop.core.watchlists import WatchGroup, WatchItem

A, B, C, D = (WatchItem("NSE", name) for name in "ABCD")
HEAD = watchlists.heading("Banks")


def names(items: watchlists.Items) -> str:
    return "".join(item.symbol[0] for item in items)


def test_what_is_put_goes_where_it_fell_and_is_there_once() -> None:
    items = (A, B, C)
    assert names(watchlists.put(items, [D])) == "ABCD"
    assert names(watchlists.put(items, [D], 1)) == "ADBC"
    assert names(watchlists.put(items, [C], 0)) == "CAB"
    assert names(watchlists.put(items, [A], 2)) == "BAC"
    assert names(watchlists.put(items, [A, D], 3)) == "BCAD"
    assert names(watchlists.put(items, [A], 99)) == "BCA"


def test_a_row_that_moves_keeps_its_note_and_flag() -> None:
    items = watchlists.marked((A, B), B.key, note="  results on Friday ", flag=2)
    moved = watchlists.put(items, [B], 0)
    assert moved[0] == WatchItem("NSE", "B", "results on Friday", 2)
    assert watchlists.marked(moved, B.key, note="")[0] == WatchItem("NSE", "B", "", 2)


def test_shifting_stops_at_the_ends() -> None:
    items = (A, HEAD, B)
    assert names(watchlists.shifted(items, B.key, -1)) == "ABB"
    assert watchlists.shifted(items, B.key, -1)[1] == B
    assert watchlists.shifted(items, A.key, -1) == items
    assert watchlists.shifted(items, B.key, 9) == items
    assert watchlists.shifted(items, D.key, 1) == items


def test_headings_are_no_instruments() -> None:
    group = WatchGroup("Core", (A, HEAD, B))
    assert group.keys == [A.key, B.key]
    assert watchlists.without(group.items, {HEAD.key}) == (A, B)


def test_stored_lists_come_back() -> None:
    groups = [
        WatchGroup("Core", (A, HEAD, WatchItem("NSE", "B", "note", 3))),
        WatchGroup("F&O"),
    ]
    stored = json.loads(json.dumps({"groups": watchlists.to_json(groups)}))
    assert watchlists.from_json(stored) == groups


def test_the_list_of_an_earlier_version_becomes_the_first_group() -> None:
    former = {"symbols": [["NSE", "A"], ["NSE", "B"], ["NSE", "A"]]}
    assert watchlists.from_json(former) == [WatchGroup(watchlists.FIRST, (A, B))]
    assert watchlists.from_json({}) is None


def test_what_cannot_be_read_is_left_out() -> None:
    state = {"groups": [3, {"name": "X", "items": [["NSE"], "no", ["NSE", "A", 5, 77]]}, {}]}
    assert watchlists.from_json(state) == [WatchGroup("X", (WatchItem("NSE", "A", "5"),))]
    assert watchlists.from_json({"groups": []}) == [WatchGroup(watchlists.FIRST)]
    twice = {"groups": [{"name": "X", "items": []}, {"name": "X", "items": []}]}
    assert [group.name for group in watchlists.from_json(twice) or ()] == ["X", "X 2"]
