"""What a change of a trigger cannot say does not leave as a yes to something else."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from openalgo_desktop.core.enums import Action, GttType, Product
from openalgo_desktop.core.errors import InvalidOrder
from openalgo_desktop.core.gtt import GttRequest
from tests.contract.rig import open_rig


@pytest.mark.parametrize("broker", ["dhan", "upstox"])
async def test_a_product_that_the_request_has_no_word_for(broker: str, tmp_path: Path) -> None:
    async with open_rig(broker, tmp_path) as rig:
        await rig.login()
        row = rig.row("NFO", "FUT")
        price = round(100 * row.tick_size, 2)
        asked = GttRequest(
            GttType.SINGLE, row.symbol, "NFO", Action.BUY, row.lot_size, Product.NRML,
            price=price, trigger_below=price,
        )  # fmt: skip
        ack = await rig.account.gateway.gtt_place(asked, "Otest1")
        (before,) = await rig.account.gateway.gtt_orders()
        other = msgspec.structs.replace(asked, product=Product.MIS, quantity=2 * row.lot_size)
        with pytest.raises(InvalidOrder, match="product"):
            await rig.account.gateway.gtt_modify(ack.order_id, other)
        assert await rig.account.gateway.gtt_orders() == [before]
        same = msgspec.structs.replace(asked, quantity=2 * row.lot_size)
        await rig.account.gateway.gtt_modify(ack.order_id, same)
        (after,) = await rig.account.gateway.gtt_orders()
        assert (after.quantity, after.product) == (2 * row.lot_size, Product.NRML)
