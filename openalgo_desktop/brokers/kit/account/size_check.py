"""Confirms what a broker counts on the exchanges that its spec doubts (``kit.master.sizes``).

The master of the account says it. Where the broker calculates margins, that of one lot must also
be the margin of one contract: a count that is wrong by the size of a contract (100 barrels, 1,000
dollars) is far outside. Nothing here writes anything at the broker.
"""

from __future__ import annotations

from msgspec.structs import replace

from openalgo_desktop.brokers.kit.account.api import BrokerApi
from openalgo_desktop.brokers.kit.account.sizing import SizeKeeper
from openalgo_desktop.brokers.kit.master.contracts import contract_size
from openalgo_desktop.brokers.kit.master.sizes import Proof
from openalgo_desktop.core.enums import Action, PriceType, Product
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import OrderRequest, SizeAnswer

#: The least and the most that the margin of one lot is of its value.
_SHARE = (0.005, 1.5)


async def confirm_sizes(api: BrokerApi, keeper: SizeKeeper) -> list[SizeAnswer]:
    """What was confirmed of each doubted exchange, or why its orders stay refused."""
    answers = []
    for exchange, verdict in sorted(keeper.verdicts.items()):
        if isinstance(verdict, str):
            answers.append(SizeAnswer(exchange, False, f"Orders stay refused: {verdict}."))
            continue
        good, note = await _compared(api, exchange, verdict)
        if good:
            await keeper.confirm(exchange, verdict)
        text = f"{verdict.text()}; {note}"
        answers.append(SizeAnswer(exchange, good, text if good else f"Orders stay refused: {text}"))
    return answers


async def _compared(api: BrokerApi, exchange: str, proof: Proof) -> tuple[bool, str]:
    """Whether the margin of one lot allows a count, and what it is."""
    if not api.spec.capabilities.margin:
        return True, "the broker tells no margin to compare with"
    known = api.sizes.proofs
    before = known.get(exchange)
    known[exchange] = proof  # for the request below: the margin of what would leave
    try:
        share = await _share(api, exchange, proof)
    except AppError as error:
        return True, f"the margin of one lot is not known ({error.message})"
    finally:
        known.pop(exchange)
        known.update({exchange: before} if before is not None else {})
    if share <= 0:
        return True, "the margin of one lot is not known"
    least, most = _SHARE
    return least <= share <= most, f"the margin of one lot is {share:.1%} of its value"


async def _share(api: BrokerApi, exchange: str, proof: Proof) -> float:
    """The margin of one contract by that count, as part of its value."""
    row = api.index.require(proof.symbol, exchange)
    answer = (await api.quotes([row.key]))[row.key]
    if isinstance(answer, AppError):
        raise answer
    units = contract_size(row, exchange)  # 1 of a currency whose master says so
    order = OrderRequest(row.symbol, exchange, Action.BUY, units, product=Product.NRML)
    order = replace(order, price_type=PriceType.LIMIT, price=answer.ltp)
    worth = row.lot_size * row.contract_value * answer.ltp
    return (await api.margin([order])).total / worth if worth > 0 else 0.0
