"""Logins of an XTS server: Symphony's xts-pythonclient-api-sdk (``interactive_login``,
``marketdata_login``), its xts-pythonclient-hostlookup-api (``hostlookup_login``), and the page
``/interactive/thirdparty`` of brokers that want the user to log in at theirs."""

from __future__ import annotations

from typing import Final

from openalgo_desktop.brokers.families.xts.member import DIRECT, REDIRECT, TOKEN, Member
from openalgo_desktop.brokers.kit.spec import (
    Ask,
    Browser,
    Call,
    Field,
    Hook,
    Login,
    LoginStep,
    Op,
)

JSON: Final = {"Content-Type": "application/json"}
_SOURCE: Final = "WebAPI"

_KEYS = Ask(
    (
        Field("api_key", "Trading API key", stored=True),
        Field("api_secret", "Trading API secret", secret=True, stored=True),
        Field("market_api_key", "Market data API key", stored=True),
        Field("market_api_secret", "Market data API secret", secret=True, stored=True),
        Field(
            "dealer_client",
            "Client code",
            stored=True,
            optional=True,
            help="Of dealers only: the client that orders are for.",
        ),
    )
)
#: Values of a login beside the trading token; the market session may begin later.
_EXTRAS = ("feed_token", "feed_user")


def market_login(prefix_host: str, token: str, user: str, *, source: bool = True) -> Call:
    """The call that begins a market-data session; ``token`` and ``user`` name its values."""
    body = {"appKey": "$market_api_key", "secretKey": "$market_api_secret"}
    if source:
        body["source"] = _SOURCE
    op = Op(
        method="POST",
        path="/auth/login",
        host=prefix_host,
        encoding="json",
        public=True,
        headers=JSON,
        body=body,
    )
    return Call(op, {token: "token", user: "userID"})


def _session(**body: str) -> Call:
    """The call that begins a trading session."""
    return Call(
        Op(
            method="POST",
            path="/user/session",
            encoding="json",
            public=True,
            headers=JSON,
            body={"appKey": "$api_key", "secretKey": "$api_secret", **body},
        ),
        {"access_token": "token", "client_id": "userID"},
    )


def logins_of(member: Member) -> tuple[Login, ...]:
    """The logins of a member, each with the market session at its end."""
    made = {DIRECT: _direct, REDIRECT: _redirect, TOKEN: _token}
    logins = [made[kind](member) for kind in member.logins]
    return (*logins, _lookup(member)) if member.lookup else tuple(logins)


def _login(name: str, title: str, *steps: LoginStep, by_hand: bool = False) -> Login:
    return Login(
        id=name,
        title=title,
        steps=(_KEYS, *steps, Hook("begin_market")),
        session=("access_token",),
        extras=_EXTRAS,
        by_hand=by_hand,
    )


def _direct(member: Member) -> Login:
    return _login(DIRECT, "API keys", _session(source=_SOURCE))


def _browser(member: Member) -> Browser:
    """The broker's page. It comes back with ``session``: a JSON text, by GET or as a form."""
    page = f"{member.base}/interactive/thirdparty?appKey={{api_key}}&returnURL={{redirect_url}}"
    return Browser(page, {"session": "request_token"})


def _redirect(member: Member) -> Login:
    return _login(
        REDIRECT,
        "Browser login",
        _browser(member),
        Hook("read_access"),
        _session(accessToken="$access"),
    )


def _token(member: Member) -> Login:
    return _login(TOKEN, "Browser login", _browser(member), Hook("read_session"))


def _lookup(member: Member) -> Login:
    """The key pair with the key of the host lookup."""
    session = _session(source=_SOURCE, uniqueKey="$unique_key")
    title = "API keys with a host lookup"
    return _login("lookup", title, Hook("find_host"), session, by_hand=True)


#: The request of the host lookup; the values are the same for everybody.
HOST_LOOKUP = Op(
    method="POST",
    path="/hostlookup",
    host="lookup",
    encoding="json",
    public=True,
    headers=JSON,
    body={"AccessPassword": "2021HostLookUpAccess", "version": "interactive_1.0.1"},
)
