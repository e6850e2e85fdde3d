"""What the broker counts on exchanges where its documentation leaves that open.

An order of one lot may leave as units (100 barrels) or as contracts (1), and the wrong one of the
two is another order. On an exchange that the spec doubts (``BrokerSpec.doubted``) nothing that
opens or changes leaves until the symbol master of the user's own account has been compared with
the exchanges' contract sizes (``openalgo-desktop doctor``): a master whose lot is the contract's
size counts units, one whose lots are all 1 counts contracts. What closes a position leaves before
that too: read and sent back in the broker's own count, whatever that is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

import msgspec

from openalgo_desktop.brokers.kit.master.contracts import known_size
from openalgo_desktop.core.enums import Exchange
from openalgo_desktop.core.errors import InvalidOrder
from openalgo_desktop.core.gently import gently
from openalgo_desktop.core.leaving import is_leaving
from openalgo_desktop.core.model import Instrument


class Proof(msgspec.Struct, frozen=True):
    """What a master says of an exchange: whether the broker counts contracts, and the future that
    shows it best, with its lot in the master and the units of its contract."""

    contracts: bool
    symbol: str
    lot: int
    size: int

    def text(self) -> str:
        """``counts units: lot 100 of CRUDEOIL18DEC26FUT, contract of 100``."""
        what = "contracts" if self.contracts else "units"
        return f"counts {what}: lot {self.lot} of {self.symbol}, contract of {self.size}"


class Sizes:
    """How one account's broker counts quantities, by exchange. ``counted`` are the exchanges in
    contracts by the spec, ``doubted`` those that a proof has to settle first."""

    def __init__(
        self, broker: str, counted: Collection[Exchange], doubted: Collection[Exchange]
    ) -> None:
        self._broker = broker
        self._counted = frozenset(counted)
        self.doubted = frozenset(doubted)
        self.proofs: dict[str, Proof] = {}
        #: Asked before something is refused: it may have been confirmed meanwhile.
        self.look_again: Callable[[], None] = lambda: None

    def in_contracts(self, exchange: str) -> bool:
        """Whether the broker counts contracts there, as far as it is known."""
        proof = self.proofs.get(exchange)
        return exchange in self._counted or (proof is not None and proof.contracts)

    def open(self) -> list[str]:
        """Exchanges that nothing has settled yet."""
        return sorted(self.doubted - self.proofs.keys())

    def require_known(self, exchange: str) -> None:
        """Raises :class:`InvalidOrder` for what may not leave yet. What closes a position may: its
        quantity is the broker's own, sent back as it came."""
        if exchange not in self.doubted or exchange in self.proofs or is_leaving():
            return
        self.look_again()
        if exchange in self.proofs:
            return
        raise InvalidOrder(
            f"Whether {self._broker} counts {exchange} quantities in units or in contracts is not "
            "confirmed, and the wrong one is another order. Press Confirm sizes in the accounts "
            f"dialog or run 'openalgo-desktop doctor {self._broker}' once: it is read from your "
            "account's symbol master. Positions can be closed.",
            field="quantity",
        )


def prove(rows: Iterable[Instrument], doubted: Collection[Exchange]) -> dict[str, Proof | str]:
    """What a master says of each doubted exchange, or why it says nothing: its lots of futures
    whose contract size is known must all be that size, or all 1. Large masters: in a thread."""
    seen: dict[str, list[Proof]] = {exchange: [] for exchange in doubted}
    for row in gently(rows):
        found = seen.get(row.exchange)
        if found is None or row.instrument_type != "FUT":
            continue
        size = known_size(row.exchange, row.name, row.brsymbol, row.symbol, expiry=row.expiry)
        if size > 1:  # of a contract of one unit both counts are the same
            found.append(Proof(row.lot_size == 1, row.symbol, row.lot_size, size))
    return {exchange: _verdict(proofs) for exchange, proofs in seen.items()}


def _verdict(proofs: list[Proof]) -> Proof | str:
    if not proofs:
        return "the symbol master has no future whose contract size is known"
    odd = [proof for proof in proofs if proof.lot not in (1, proof.size)]
    if odd:
        return f"{odd[0].symbol} has lot {odd[0].lot}, its contract {odd[0].size}"
    if len({proof.contracts for proof in proofs}) > 1:
        return "some lots are contract sizes, others 1"
    return max(proofs, key=lambda proof: proof.size)


def agreeing(stored: Mapping[str, Proof], now: Mapping[str, Proof | str]) -> dict[str, Proof]:
    """The stored proofs that today's master does not contradict."""
    return {
        exchange: proof
        for exchange, proof in stored.items()
        if isinstance(found := now.get(exchange), Proof) and found.contracts == proof.contracts
    }


def load_proofs(path: Path) -> dict[str, Proof]:
    """What was confirmed; nothing where no file is or it cannot be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Proof])
    except (OSError, msgspec.MsgspecError):
        return {}


def store_proofs(path: Path, proofs: Mapping[str, Proof]) -> None:
    """Keep what was confirmed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_bytes(msgspec.json.encode(proofs))
    new.replace(path)
