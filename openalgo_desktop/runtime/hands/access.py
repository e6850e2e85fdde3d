"""Accounts, API keys, webhook strategies."""

from __future__ import annotations

from typing import Any

import msgspec

from openalgo_desktop.core.clock import api_timestamp
from openalgo_desktop.core.enums import AccountState, Exchange, KeyRights, Product
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.events import SettingChanged
from openalgo_desktop.core.near import did_you_mean
from openalgo_desktop.core.numbers import is_digits, whole
from openalgo_desktop.runtime.hands.ports import Owned, Result
from openalgo_desktop.runtime.strategy_names import check_webhook
from openalgo_desktop.storage.keys import DEFAULT_NAME
from openalgo_desktop.trading.webhooks import (
    SymbolMap,
    WebhookKind,
    WebhookMode,
    WebhookStore,
    WebhookStrategy,
)


# -- accounts -------------------------------------------------------------------------------
async def accounts_list(owned: Owned, data: dict[str, Any]) -> Result:
    """Open accounts, with state and roles."""
    accounts = owned.accounts
    rows = []
    for name in accounts.names():
        status = accounts[name].status
        roles = [role for role in ("data", "orders") if getattr(accounts, role) == name]
        rows.append(
            {
                "name": name,
                "client": status.client_id,
                "state": status.state.value,
                "roles": " + ".join(roles),
                "message": status.message,
                "until": api_timestamp(status.valid_until) if status.valid_until else "",
            }
        )
    return Result(rows=rows)


async def accounts_connect(owned: Owned, data: dict[str, Any]) -> Result:
    """Open an account."""
    name = data["name"]
    status = (await owned.accounts.open(name)).status
    if status.state is AccountState.LOGIN_NEEDED:
        return Result(f"{name} is open and needs a login: openalgo-desktop login {name}")
    return Result(f"{name}: {status.state.value}. {status.message}".strip())


async def accounts_disconnect(owned: Owned, data: dict[str, Any]) -> Result:
    """Close an account that has no role."""
    await owned.accounts.close(data["name"], forget=data["forget"])
    return Result(f"{data['name']} is closed.")


async def accounts_use(owned: Owned, data: dict[str, Any]) -> Result:
    """Give an account one role, or both."""
    name, both = data["name"], data["data"] == data["orders"]
    owned.accounts[name]  # says so when it is not open, before anything changes
    if both or data["data"]:
        await owned.accounts.use_for_data(name)
    if both or data["orders"]:
        await owned.accounts.use_for_orders(name)
    return await accounts_list(owned, data)


async def accounts_symbols(owned: Owned, data: dict[str, Any]) -> Result:
    """Download a symbol master anew."""
    name = data["name"]
    return Result(f"{name}: {await owned.accounts.renew_symbols(name)}")


async def accounts_sizes(owned: Owned, data: dict[str, Any]) -> Result:
    """Settle what the broker counts where its documentation leaves it open."""
    name = data["name"]
    answers = await owned.accounts[name].confirm_sizes()
    lines = [f"{answer.exchange}: {answer.text}" for answer in answers]
    return Result("\n".join(lines) or f"{name}: nothing is open.")


# -- API keys -------------------------------------------------------------------------------
async def keys_list(owned: Owned, data: dict[str, Any]) -> Result:
    """Keys that work, without their texts."""
    rows = [
        {
            "id": key.key_id,
            "name": key.name,
            "rights": key.rights.value,
            "account": key.account_id or "any",
            "strategy": key.strategy or "any",
            "mode": key.mode.value if key.mode is not None else "as the switch",
            "made": api_timestamp(key.created_at),
        }
        for key in await owned.keys.all()
    ]
    return Result(rows=rows)


async def keys_create(owned: Owned, data: dict[str, Any]) -> Result:
    """A new key. Its text is in the answer and nowhere else."""
    rights = KeyRights(data["rights"] or "trade")
    taken = {row.name for row in await owned.keys.all()}
    if data["name"] in taken:
        raise ConfigError(f"name: there is a key {data['name']!r} already; revoke it first.")
    key, secret = await owned.keys.create(data["name"], rights, data["account"])
    row = {"id": key.key_id, "name": key.name, "rights": key.rights.value, "key": secret.reveal()}
    return Result("Keep the key: it is not shown again.", [row])


async def keys_revoke(owned: Owned, data: dict[str, Any]) -> Result:
    """Make a key worthless, by number or name."""
    wanted = data["key"]
    found = [key for key in await owned.keys.all() if wanted in (str(key.key_id), key.name)]
    if len(found) != 1:
        problem = f"{len(found)} keys have that name; give the number" if found else "no such key"
        raise ConfigError(f"key: {wanted!r}: {problem} (openalgo-desktop keys list).")
    await owned.keys.revoke(found[0].key_id)
    text = f"Key {found[0].name!r} is revoked."
    if found[0].name == DEFAULT_NAME:
        text += " A new default key is made at the next start, or by openalgo-desktop api-key."
    return Result(text)


# -- webhook strategies ---------------------------------------------------------------------
async def _find(owned: Owned, wanted: str) -> WebhookStrategy:
    rows = await WebhookStore(owned.state).all()
    found = [row for row in rows if wanted in (row.name, row.webhook_id)]
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigError(f"name: {len(found)} strategies are called {wanted!r}; give the id.")
    near = did_you_mean(wanted, [row.name for row in rows])
    raise ConfigError(f"name: there is no webhook strategy {wanted!r}.{near}")


def _webhook_row(row: WebhookStrategy) -> dict[str, Any]:
    hours = f"{row.start}-{row.end}, square-off {row.square_off}" if row.intraday else "positional"
    symbols = ", ".join(f"{s.exchange}:{s.symbol}:{s.quantity}:{s.product}" for s in row.symbols)
    return {
        "name": row.name,
        "active": "on" if row.active else "off",
        "kind": row.kind.value,
        "side": row.mode.value,
        "hours": hours,
        "symbols": symbols,
    }


def _address(owned: Owned, row: WebhookStrategy) -> str:
    kind = "chartink" if row.kind is WebhookKind.CHARTINK else "strategy"
    base = owned.api.rest_url if owned.api is not None else ""
    return f"{base}/{kind}/webhook/{row.webhook_id}"


def _told(owned: Owned, name: str, value: str) -> None:
    """For the audit trail: by name, for the id is a secret."""
    owned.bus.publish(SettingChanged(key=f"webhook.{name}", value=value))


async def webhooks_list(owned: Owned, data: dict[str, Any]) -> Result:
    """All strategies, without their ids."""
    rows = [_webhook_row(row) for row in await WebhookStore(owned.state).all()]
    return Result("" if rows else "There is no webhook strategy.", rows)


async def webhooks_show(owned: Owned, data: dict[str, Any]) -> Result:
    """One strategy with its secret address."""
    row = await _find(owned, data["name"])
    return Result(rows=[_webhook_row(row) | {"address": _address(owned, row)}])


def _units(text: str) -> int:
    if not is_digits(text):
        raise ValueError(text)
    return whole(text)


def _symbol(text: str) -> SymbolMap:
    parts = text.split(":")
    try:
        exchange, symbol, quantity, *product = parts
        return SymbolMap(
            symbol.strip().upper(),
            Exchange(exchange.upper()),
            _units(quantity),
            Product(product[0].upper()) if product else Product.MIS,
        )
    except (ValueError, IndexError):
        raise ConfigError(
            f"symbol: {text!r} must be EXCHANGE:SYMBOL:QUANTITY[:PRODUCT], such as NSE:SBIN:10:MIS."
        ) from None


async def webhooks_create(owned: Owned, data: dict[str, Any]) -> Result:
    """A new strategy."""
    store = WebhookStore(owned.state)
    if any(row.name == data["name"] for row in await store.all()):
        raise ConfigError(f"name: there is a webhook strategy {data['name']!r} already.")
    await check_webhook(owned, data["name"])
    symbols = tuple(_symbol(text) for text in data["symbol"])
    for at, one in enumerate(symbols):
        if any(other.symbol == one.symbol for other in symbols[:at]):
            raise ConfigError(f"symbol: {one.symbol} is there twice; an alert names no exchange.")
    hours = {name: data[name] for name in ("start", "end", "square_off") if data[name]}
    row = WebhookStrategy(
        store.new_id(),
        data["name"],
        WebhookKind(data["kind"] or "strategy"),
        WebhookMode(data["side"] or "LONG"),
        symbols,
        intraday=not data["positional"],
        **hours,
    )
    await store.save(row)
    _told(owned, row.name, "on")
    return Result("Its address is its only credential.", [{"address": _address(owned, row)}])


async def webhooks_adopt(owned: Owned, data: dict[str, Any]) -> Result:
    """A strategy of an OpenAlgo server under its own id, so that alerts keep their address."""
    try:
        row = msgspec.json.decode(data["row"], type=WebhookStrategy)
    except msgspec.DecodeError as error:
        raise ConfigError(f"row: {error}.") from None
    store = WebhookStore(owned.state)
    if await store.get(row.webhook_id) is not None:
        raise ConfigError(f"{row.name}: a strategy with this id is here already.")
    await check_webhook(owned, row.name)
    await store.save(row)
    _told(owned, row.name, "on" if row.active else "off")
    return Result(f"{row.name} is here.")


async def _switch(owned: Owned, name: str, active: bool) -> Result:
    row = msgspec.structs.replace(await _find(owned, name), active=active)
    await WebhookStore(owned.state).save(row)
    _told(owned, row.name, "on" if active else "off")
    return Result(f"Alerts of {row.name!r} are {'followed' if active else 'refused'} from now on.")


async def webhooks_enable(owned: Owned, data: dict[str, Any]) -> Result:
    """Follow its alerts."""
    return await _switch(owned, data["name"], True)


async def webhooks_disable(owned: Owned, data: dict[str, Any]) -> Result:
    """Refuse its alerts."""
    return await _switch(owned, data["name"], False)


async def webhooks_delete(owned: Owned, data: dict[str, Any]) -> Result:
    """Forget a strategy."""
    row = await _find(owned, data["name"])
    await WebhookStore(owned.state).delete(row.webhook_id)
    _told(owned, row.name, "deleted")
    return Result(f"Webhook strategy {row.name!r} is deleted.")
