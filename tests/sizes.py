"""What ``doctor`` would confirm of the sizes of contracts."""

from __future__ import annotations

from collections.abc import Iterable

from openalgo_desktop.brokers.kit.master.sizes import Proof, prove
from openalgo_desktop.brokers.kit.spec import BrokerSpec
from openalgo_desktop.core.model import Instrument


def proved(rows: Iterable[Instrument], spec: BrokerSpec) -> dict[str, Proof]:
    """What these rows say of the exchanges that the spec doubts."""
    found = prove(rows, spec.doubted)
    return {exchange: proof for exchange, proof in found.items() if isinstance(proof, Proof)}
