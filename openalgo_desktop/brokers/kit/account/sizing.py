"""Keeps what was confirmed of a broker's counting (``kit.master.sizes``), beside its masters."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import msgspec

from openalgo_desktop.brokers.kit.master.contracts import table_size, unit_value
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.master.sizes import (
    Proof,
    Sizes,
    agreeing,
    load_proofs,
    prove,
    store_proofs,
)
from openalgo_desktop.core.gently import gently
from openalgo_desktop.core.model import Instrument


class SizeKeeper:
    """One account's :class:`Sizes` with the file that outlives it. A confirmation that the master
    of another day contradicts no longer counts."""

    def __init__(self, sizes: Sizes, path: Path) -> None:
        self._sizes = sizes
        self._path = path
        sizes.look_again = self._look_again
        #: What the account's master says of each doubted exchange, or why it says nothing.
        self.verdicts: Mapping[str, Proof | str] = {}

    async def taken(self, rows: list[Instrument], index: BrokerIndex) -> list[Instrument]:
        """The rows of a new master. Where contracts are counted, a lot of 1 in the file becomes
        the contract's units: everything above the adapter speaks units."""
        if not self._sizes.doubted:
            return rows
        self.verdicts = await asyncio.to_thread(prove, rows, self._sizes.doubted)
        stored = await asyncio.to_thread(load_proofs, self._path)
        self._sizes.proofs = agreeing(stored, self.verdicts)
        counted = {name for name, proof in self._sizes.proofs.items() if proof.contracts}
        if not counted:
            return rows
        rows = await asyncio.to_thread(_in_units, rows, counted)
        await asyncio.to_thread(index.load, rows)
        return rows

    async def confirm(self, exchange: str, proof: Proof) -> None:
        """Counts from now on, and after a restart."""
        self._sizes.proofs[exchange] = proof
        kept = await asyncio.to_thread(load_proofs, self._path)
        await asyncio.to_thread(store_proofs, self._path, kept | {exchange: proof})

    def _look_again(self) -> None:
        """Take up what ``doctor`` confirmed beside the running program. One that counts contracts
        waits for the next symbol master, whose lots then are in units."""
        for exchange, proof in agreeing(load_proofs(self._path), self.verdicts).items():
            if not proof.contracts:
                self._sizes.proofs.setdefault(exchange, proof)


def _in_units(rows: list[Instrument], counted: set[str]) -> list[Instrument]:
    return [
        _unit_lots(row) if row.exchange in counted and row.lot_size == 1 else row
        for row in gently(rows)
    ]


def _unit_lots(row: Instrument) -> Instrument:
    names = (row.name, row.brsymbol, row.symbol)
    lot = table_size(row.exchange, *names, expiry=row.expiry)
    value = unit_value(row.exchange, lot, *names)
    return msgspec.structs.replace(row, lot_size=lot, contract_value=value)
