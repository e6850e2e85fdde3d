"""What alert senders post, and what orders may come as."""

from __future__ import annotations

import codecs
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from openalgo_desktop.core.strategies.webhook import HookResult
from openalgo_desktop.core.webhook_log import hook_key
from openalgo_desktop.local_api.bodies import Body
from openalgo_desktop.local_api.hook_log import said
from openalgo_desktop.local_api.table import ApiError
from openalgo_desktop.trading.webhooks import SymbolMap, WebhookKind, WebhookStrategy
from tests.unit.local_api.rest_world import World, running
from tests.unit.local_api.test_made_webhooks import Log
from tests.waiting import until

SAYS = {"symbol": "SBIN", "action": "BUY"}
TEXT = json.dumps(SAYS)
FORM = "application/x-www-form-urlencoded"
PARTS = "multipart/form-data; boundary=xyz"
MULTI = "".join(
    f'--xyz\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
    for name, value in SAYS.items()
)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (TEXT.encode(), "application/json"),
        (TEXT.encode(), "text/plain; charset=utf-8"),
        (TEXT.encode(), FORM),  # curl -d
        (TEXT.encode(), ""),
        (b"  \r\n" + TEXT.encode() + b"\n", "text/plain"),
        (codecs.BOM_UTF8 + TEXT.encode(), "text/plain"),
        (TEXT.encode("utf-16"), "application/json"),
        (TEXT.encode("latin-1"), "text/plain; charset=ISO-8859-1"),
        (b"symbol=SBIN&action=BUY", FORM),
        (codecs.BOM_UTF8 + b"symbol=SBIN&action=BUY", FORM),
        ((MULTI + "--xyz--\r\n").encode(), PARTS),
    ],
)
def test_what_an_alert_may_come_as(raw: bytes, kind: str) -> None:
    assert Body(raw, kind).fields() == SAYS


@pytest.mark.parametrize(
    ("raw", "kind", "text"),
    [
        (b"BUY SBIN", "text/plain", "neither a JSON object nor a form"),
        (b"{'symbol': 'SBIN'}", "application/json", "cannot be read as JSON"),
        (b'{"symbol": ', "text/plain", "cannot be read as JSON"),
        (b"[1]", "application/json", "one JSON object, not a list"),
        (b"{" * 5000, "application/json", "cannot be read as JSON"),
        (b"symbol=SBIN&symbol=INFY", FORM, "the field 'symbol' twice"),
        (b"%ff=1", FORM, "The form cannot be read"),
        (b"&".join(b"a%d=1" % n for n in range(60)), FORM, "The form cannot be read"),
        (b"--xyz\r\nnothing", PARTS, "The form"),
        (b"a=" + b"b" * 70_000, FORM, "65,536 bytes"),
        (b'{"a": "' + b"b" * 70_000 + b'"}', "application/json", "65,536 bytes"),
        (b'{"a": "\xe9"}', "text/plain; charset=nonsense", "the charset that it names"),
        (b'{"a": "\xe9"}', "text/plain; charset=ascii", "the charset that it names"),
        (b'{"a": 1}', "text/plain; charset=undefined", "the charset that it names"),
        (b'{"a": 1}', "text/plain; charset=punycode", "the charset that it names"),
        (b'{"a": 1}', "text/plain; charset=\udce9", "the charset that it names"),
        (b'{"a": "\xe9"}', "text/plain", "its letters are no UTF-8"),
        (
            MULTI.replace('name="action"', 'name="action"; filename="x"').encode() + b"--xyz--",
            PARTS,
            "no files",
        ),
    ],
)
def test_what_cannot_be_read_gets_a_sentence(raw: bytes, kind: str, text: str) -> None:
    with pytest.raises(ApiError, match=text):
        Body(raw, kind).fields()


@pytest.mark.parametrize(
    "fields",
    [
        {"webhook_secret": "HIDE"},
        {"access-token": "HIDE"},
        {"X-API-Key": "HIDE"},
        {"Passwd": "HIDE"},
        {"data": {"auth": {"bearer": "HIDE"}}},
        {"rows": [{"a": [{"password": "HIDE"}]}]},
        {"text": "see https://x.example/strategy/webhook/oaws_HIDE" + "h" * 39},
        {"text": "key " + "0f" * 32 + "."},
    ],
)
def test_the_log_of_alerts_hides_secrets_wherever_they_stand(fields: dict[str, Any]) -> None:
    shown = said({"action": "BUY", "keyword": "seen", **fields})
    assert shown.startswith('{"action":"BUY","keyword":"seen",') and "***" in shown
    assert "HIDE" not in shown and "0f0f" not in shown


def test_an_empty_alert_says_nothing() -> None:
    assert Body(b" \n", "text/plain").fields() == {}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with running(webhook_log=Log()) as world:
        store = world.api.dispatcher.services.webhooks
        row = (SymbolMap("SBIN", "NSE", 7),)
        await store.save(WebhookStrategy("id-1", "alerts", symbols=row, intraday=False))
        scan = WebhookStrategy("id-2", "scan", WebhookKind.CHARTINK, symbols=row, intraday=False)
        await store.save(scan)
        yield world


async def post(world: World, path: str, content: bytes, kind: str) -> tuple[int, Any]:
    answer = await world.http.post(path, content=content, headers={"Content-Type": kind})
    return answer.status_code, answer.json()


async def test_webhooks_take_text_and_forms_and_their_log_says_what_came_of_it(
    world: World,
) -> None:
    log = world.ctx.webhook_log
    assert isinstance(log, Log)
    hook, scan = "/strategy/webhook/id-1", "/chartink/webhook/id-2"
    for content, kind in ((TEXT.encode(), "text/plain"), (b"symbol=SBIN&action=SELL", FORM)):
        assert await post(world, hook, content, kind) == (
            200,
            {"message": "Order queued successfully for SBIN"},
        )
    assert (await post(world, hook, TEXT.encode(), "text/plain"))[1]["duplicate"] is True
    status, answer = await post(world, scan, b"stocks=SBIN&scan_name=my+BUY+scan", FORM)
    assert (status, answer["message"]) == (200, "Orders queued for symbols: SBIN")
    status, answer = await post(world, hook, b"hello", "text/plain")
    assert (status, "neither a JSON object nor a form" in answer["error"]) == (400, True)
    assert await post(world, "/strategy/webhook/id-9", TEXT.encode(), "text/plain") == (
        404,
        {"error": "Invalid webhook ID"},
    )
    await world.api.dispatcher.services.hook_log.stop()
    rows = await log.recent(hook_key("id-1"), 10)
    assert [row.result for row in rows] == [
        HookResult.REFUSED,
        HookResult.DUPLICATE,
        HookResult.QUEUED,
        HookResult.QUEUED,
    ]
    first = rows[-1]
    assert (first.name, first.action, first.mode, first.first_order) == (
        "alerts",
        "BUY",
        "sandbox",
        1,
    )
    assert [row.result for row in await log.recent(hook_key("id-2"), 10)] == [HookResult.QUEUED]
    assert [row.result for row in await log.recent("", 10)] == [HookResult.TOKEN]
    assert "id-1" not in str(log.rows)
    await until(lambda: len(world.desk.placed) >= 2)


async def test_orders_come_as_forms_where_they_have_a_key(world: World) -> None:
    form = (
        b"apikey=good&strategy=s&symbol=SBIN&exchange=NSE&action=buy&quantity=7&product=MIS"
        b"&pricetype=MARKET"
    )
    status, answer = await post(world, "/api/v1/placeorder", form, FORM)
    assert (status, answer["status"]) == (200, "success")
    assert world.desk.placed[0][0].quantity == 7
    smart = form + b"&position_size=7"
    assert (await post(world, "/api/v1/placesmartorder", smart, FORM))[0] == 200
    twice = form + b"&quantity=70"
    status, answer = await post(world, "/api/v1/placeorder", twice, FORM)
    assert (status, "twice" in answer["message"]) == (400, True)
    assert (await post(world, "/api/v1/placeorder", b"a=b", FORM))[0] == 415
    assert (await post(world, "/api/v1/ping", b"apikey=good", FORM))[0] == 415
    evil = {"Content-Type": FORM, "Origin": "https://evil.example"}
    answer = await world.http.post("/api/v1/placeorder", content=form, headers=evil)
    assert answer.status_code == 415
    assert len(world.desk.placed) == 2
