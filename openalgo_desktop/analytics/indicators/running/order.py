"""Which study of a chart stands on which, and in what order they are computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from openalgo_desktop.analytics.indicators.kit.params import SOURCES
from openalgo_desktop.core.charting.studies import ParamKind, StudySpec, StudyWish


def sources_of(wish: StudyWish, spec: StudySpec) -> dict[str, tuple[str, str]]:
    """By parameter, the study (its ident in the chart) and the output that it reads."""
    found = {}
    for param in spec.params:
        text = str(wish.params.get(param.name, param.default))
        if param.kind is ParamKind.SOURCE and text not in SOURCES and "." in text:
            ident, _, output = text.rpartition(".")
            found[param.name] = (ident, output)
    return found


def in_order(needs: Mapping[str, Sequence[str]]) -> tuple[list[str], dict[str, tuple[str, ...]]]:
    """Idents so that each comes after what it needs; and for those that stand on themselves the
    circle that they are in (they come where they can). What is not in ``needs`` is left out."""
    order: dict[str, None] = {}
    circles: dict[str, tuple[str, ...]] = {}
    for ident in needs:
        _visit(ident, needs, [], order, circles)
    return list(order), circles


def _visit(
    ident: str,
    needs: Mapping[str, Sequence[str]],
    under: list[str],
    order: dict[str, None],
    circles: dict[str, tuple[str, ...]],
) -> None:
    if ident in under:
        circle = tuple(under[under.index(ident) :])
        circles.update(dict.fromkeys(circle, circle))
        return
    if ident in order or ident not in needs:
        return
    under.append(ident)
    for other in needs[ident]:
        _visit(other, needs, under, order, circles)
    under.pop()
    order[ident] = None
