"""What is said of a study beside its figures. No Qt here."""

from __future__ import annotations

from collections.abc import Sequence

from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.charting.studies import Draw, Param, ParamKind, StudySpec, StudyWish
from openalgo_desktop.core.model import Instrument

#: Instruments that have open interest.
_WITH_INTEREST = ("FUT", "CE", "PE")
_NEEDS = {
    "volume": "volume",
    "oi": "open interest",
    "intraday": "bars within a day",
    "chain": "figures of the option chain, recorded while the program runs",
}
#: Kinds of drawing by their names in the form.
DRAWS = {
    Draw.LINE: "Line",
    Draw.STEP: "Steps",
    Draw.DOTS: "Dots",
    Draw.CROSSES: "Crosses",
    Draw.HISTOGRAM: "Histogram",
    Draw.COLUMNS: "Columns",
    Draw.AREA: "Area",
}


def one_line(told: str) -> str:
    """What went wrong, for a legend: of a file of the user there is a line for each call."""
    return "; ".join(told.splitlines())


def lack(spec: StudySpec, instrument: Instrument | None, span: Span) -> str:
    """Why a study has no values on this chart, in a few words; empty where nothing is missing.
    Where the chart is no instrument, nothing is said of volume and open interest."""
    for need in spec.needs:
        if need == "intraday" and not span.is_intraday:
            return "needs bars within a day"
        if instrument is None:
            continue
        if need == "volume" and instrument.is_index:
            return "an index has no volume"
        if need == "oi" and instrument.instrument_type not in _WITH_INTEREST:
            return "only futures and options have open interest"
    return ""


def about(spec: StudySpec) -> str:
    """Where it comes from, what it needs, and whether it changes what is past."""
    parts = [spec.source.rstrip(".")] if spec.source else []
    needs = [_NEEDS.get(need, need) for need in spec.needs]
    if needs:
        parts.append(f"Needs {' and '.join(needs)}")
    if spec.repaints:
        parts.append(f"Repaints: {spec.repaints.rstrip('.')}")
    return ". ".join(part[:1].upper() + part[1:] for part in parts) + ("." if parts else "")


def title_of(spec: StudySpec, wish: StudyWish) -> str:
    """The legend's name with the parameters that matter: ``EMA 20``."""
    told = [spec.short]
    for param in spec.params:
        value = wish.params.get(param.name, param.default)
        if param.kind in (ParamKind.INT, ParamKind.FLOAT) and isinstance(value, int | float):
            told.append(f"{value:g}")
        elif param.kind is ParamKind.SPAN and value:
            told.append(str(value))
    return " ".join(told)


def source_title(spec: StudySpec, wish: StudyWish, label: str) -> str:
    """An output of a study as a source: ``RSI 14 · Signal``; one of only one output has no name."""
    title = title_of(spec, wish)
    return title if len(spec.outputs) == 1 else f"{title} · {label}"


def first_source(spec: StudySpec) -> Param | None:
    """The parameter by which a study stands on another; None where it takes none."""
    return next((param for param in spec.params if param.kind is ParamKind.SOURCE), None)


def families(specs: Sequence[StudySpec]) -> list[str]:
    """In the order in which the registry gives them, each once."""
    return list(dict.fromkeys(spec.family for spec in specs))
