"""Undo and redo, and the book of drawings that they work on."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from openalgo_desktop.core.charting.drawings.book import Document, DrawingBook, DrawingPart
from openalgo_desktop.core.charting.drawings.model import Anchor, Drawing
from openalgo_desktop.core.charting.history import Change, History, Step

KEY, OTHER = ("NSE", "SBIN"), ("NFO", "NIFTY27NOV2624500CE")


def drawing(ident: str, price: float = 1.0) -> Drawing:
    return Drawing(ident, "horizontal", (Anchor(0, price),))


def act(book: DrawingBook, history: History, wanted, place=None, joins: str = "") -> None:
    changes = book.changes(KEY, wanted, place)
    book.apply(changes)
    history.note(Step("act", tuple(changes), KEY, joins))


ACTS = st.lists(
    st.tuples(
        st.lists(st.sampled_from("abcde"), min_size=1, max_size=3, unique=True),
        st.sampled_from([None, 1.0, 2.0]),
        st.sampled_from([None, 0, 1]),
        st.sampled_from(["", "", "nudge"]),
    ),
    max_size=12,
)


@settings(max_examples=60)
@given(ACTS)
def test_undoing_all_is_the_beginning_and_redoing_all_is_the_end(acts):
    book = DrawingBook()
    book.apply(book.changes(KEY, [(c, drawing(c)) for c in "abc"]))
    history = History(book.apply)
    states = [book.of(KEY)]
    for idents, price, place, joins in acts:
        wanted = [(i, None if price is None else drawing(i, price)) for i in idents]
        act(book, history, wanted, place if len(idents) == 1 else None, joins)
        states.append(book.of(KEY))
    while history.undo(KEY):
        assert book.of(KEY) in states
    assert book.of(KEY) == states[0]
    while history.redo(KEY):
        assert book.of(KEY) in states
    assert book.of(KEY) == states[-1]


def test_a_step_leaves_alone_what_another_window_did():
    book = DrawingBook()
    mine, theirs = History(book.apply), History(book.apply)
    act(book, mine, [("a", drawing("a"))])
    act(book, theirs, [("b", drawing("b"))])
    mine.undo(KEY)
    assert [row.ident for row in book.of(KEY)] == ["b"]


def test_steps_of_another_symbol_are_not_taken_back():
    values = {}
    history = History(lambda changes: values.update({c.part: c.after for c in changes}))
    history.note(Step("one", (Change("one", None, 1),), KEY))
    history.note(Step("kind", (Change("kind", "candles", "line"),)))  # of the chart, any symbol
    assert history.next_undo(OTHER) == "kind"
    history.undo(OTHER)
    assert values == {"kind": "candles"} and history.next_undo(OTHER) == ""
    assert history.undo(KEY).text == "one" and values["one"] is None
    assert [history.redo(KEY).text, history.redo(KEY).text] == ["one", "kind"]


def test_depth_is_bounded_and_a_new_step_ends_redo():
    history = History(lambda changes: None, depth=3)
    for number in range(10):
        history.note(Step(str(number), (Change("n", number, number + 1),)))
    assert [history.undo().text for _ in range(3)] == ["9", "8", "7"]
    assert history.undo() is None
    history.note(Step("new", (Change("n", 7, 70),)))
    assert history.redo() is None and history.next_undo() == "new"
    history.note(Step("none", (Change("n", 5, 5),)))
    assert history.next_undo() == "new"


def test_a_book_tells_saves_and_keeps_what_it_cannot_read():
    saved = {
        "NSE:SBIN": msgspec.json.encode(Document((drawing("a"), drawing("b")))),
        "NFO:NIFTY27NOV2624500CE": b'{"drawings": [{"ident": 5}]}',
    }
    aside, written, told = {}, {}, []
    book = DrawingBook(saved, written.__setitem__, aside.__setitem__)
    book.listen(told.append)
    assert [row.ident for row in book.of(KEY)] == ["a", "b"]
    assert book.of(OTHER) == () and aside == {
        "NFO:NIFTY27NOV2624500CE": saved["NFO:NIFTY27NOV2624500CE"]
    }
    book.apply(book.changes(KEY, [("b", drawing("b", 5.0)), ("a", None)]))
    assert told == [KEY]
    assert [row.anchors[0].price for row in written["NSE:SBIN"].drawings] == [5.0]
    again = DrawingBook({name: msgspec.json.encode(doc) for name, doc in written.items()})
    assert again.of(KEY) == book.of(KEY)
    assert DrawingPart(KEY, "a") == DrawingPart(KEY, "a")


def test_an_unknown_tool_or_missing_points_cost_that_drawing():
    """What is left is drawn and watched: one row without its points would break each paint."""
    one, three = (Anchor(0, 1.0),), tuple(Anchor(n, 1.0) for n in range(3))
    rows = (
        drawing("a"),
        Drawing("x", "from-the-future", ()),
        Drawing("none", "horizontal", ()),
        Drawing("few", "trend", one),
        Drawing("many", "trend", three),
        Drawing("position", "long-position", three[:2]),
    )
    book = DrawingBook({"NSE:SBIN": msgspec.json.encode(Document(rows))})
    assert book.of(KEY) == (rows[0],)


def test_what_is_forgotten_can_be_neither_undone_nor_redone() -> None:
    history = History(lambda changes: None)
    history.note(Step("Draw", (Change("a", None, 1),)))
    history.note(Step("Move both", (Change("a", 1, 2), Change("b", 1, 2))))
    history.note(Step("Style", (Change("a", 2, 3),)))
    history.forget(["a"])
    assert history.next_undo() == "Move both"  # it is about the other one, too
    assert history.undo() is not None and history.undo() is None
