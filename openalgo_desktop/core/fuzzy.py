"""How well a few typed letters name something: for the command palette."""

from __future__ import annotations

#: Points of one typed word, by the way in which it is found.
_WHOLE, _START, _WORD, _INSIDE, _LETTERS = 100.0, 80.0, 60.0, 40.0, 10.0


def score(query: str, text: str) -> float:
    """Points of ``text`` for ``query``; 0 when one of the typed words is not in it.

    A word counts most when it begins the text, less at the beginning of another word, less inside
    one, least when only its letters follow each other (``rlm`` in *risk limits*). Of texts that
    are found alike the shorter is better. An empty query finds everything alike.
    """
    wanted = query.lower().split()
    if not wanted:
        return 1.0
    found = text.lower()
    total = 0.0
    for word in wanted:
        points = _points(word, found)
        if not points:
            return 0.0
        total += points
    return total / len(wanted) + 5.0 / (5.0 + len(found))


def _points(word: str, text: str) -> float:
    if word == text:
        return _WHOLE
    if text.startswith(word):
        return _START
    at = text.find(word)
    while at > 0:
        if not text[at - 1].isalnum():
            return _WORD
        at = text.find(word, at + 1)
    if word in text:
        return _INSIDE
    return _LETTERS if len(word) > 1 and _follows(word, text) else 0.0


def _follows(letters: str, text: str) -> bool:
    """Whether ``letters`` stand in ``text`` in this order, the first at the start of a word."""
    starts = [i for i, c in enumerate(text) if c == letters[0] and (not i or text[i - 1] in " -/")]
    for at in starts:
        rest = iter(text[at + 1 :])
        if all(letter in rest for letter in letters[1:]):
            return True
    return False
