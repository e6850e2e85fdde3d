"""Near misses of a mistyped name."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`` Did you mean a or b?`` with the nearest of ``known``, or nothing when none is near.

    The last part of a dotted name counts too, so that ``rest_port`` finds ``api.rest_port``.
    """
    import difflib

    names = list(known)
    wanted = word.lower()
    near = difflib.get_close_matches(wanted, names, n=3, cutoff=0.75)
    ends = {name.rpartition(".")[2]: name for name in names}
    near += [ends[end] for end in difflib.get_close_matches(wanted.rpartition(".")[2], ends, n=2)]
    near += [name for name in names if len(wanted) > 2 and wanted in name]
    found = list(dict.fromkeys(near))[:3]
    return f" Did you mean {' or '.join(found)}?" if found else ""
