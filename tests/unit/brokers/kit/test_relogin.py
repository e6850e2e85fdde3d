"""A session that ends while the program runs is followed by a login without a human, if all that
it needs is stored."""

from __future__ import annotations

import json
from datetime import datetime, time, timedelta
from pathlib import Path

import httpx
import msgspec
import pytest

from openalgo_desktop.brokers.kit.account import account as kit_account
from openalgo_desktop.brokers.kit.account.account import KitAccount
from openalgo_desktop.brokers.kit.account.login import LoginRunner
from openalgo_desktop.brokers.kit.spec import (
    Ask,
    BrokerSpec,
    Call,
    Compute,
    Field,
    Hook,
    Login,
    Op,
)
from openalgo_desktop.brokers.zerodha import BROKER
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import AccountState
from openalgo_desktop.core.errors import BadCredentials, ProtocolError
from openalgo_desktop.core.secret import Secret
from openalgo_desktop.core.totp import totp
from tests.contract.rig import MemorySecrets
from tests.waiting import until

NOW = datetime(2026, 12, 1, 13, 30, tzinfo=IST)
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
TOTP_LOGIN = Login(
    id="totp",
    title="One-time code",
    steps=(
        Ask(
            (
                Field("client", "Client id", stored=True),
                Field("totp_secret", "TOTP secret", secret=True, stored=True),
            )
        ),
        Compute({"otp": "totp:{totp_secret}"}),
        Call(
            Op(
                method="POST",
                path="/login",
                encoding="json",
                public=True,
                body={"client": "$client", "otp": "$otp"},
            ),
            {"access_token": "token"},
        ),
    ),
    session=("access_token",),
    client_id="client",
)
GIVEN = {"client": "C1", "totp_secret": SECRET}


class Secrets(MemorySecrets):
    """Counts how often it was asked."""

    asked = 0

    async def get(self, name: str) -> Secret | None:
        self.asked += 1
        return await super().get(name)


async def looks(account: KitAccount, times: int = 3) -> None:
    """Wait until the watch has looked that often."""
    for _ in range(times):
        before = account.secrets.asked + 2  # client and secret; the third is the next look
        await until(lambda before=before: account.secrets.asked > before, "a look")


class Server:
    """Takes logins with a right code; every other answer depends on the token."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.logins: list[str] = []
        self.refuse = False
        self.down = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != "/login":
            return httpx.Response(200, json={"status": "success", "data": {}})
        code = json.loads(request.content)["otp"]
        self.logins.append(code)
        if self.down:
            return httpx.Response(502, text="maintenance")
        if self.refuse or code != totp(SECRET, self.clock.time()):
            return httpx.Response(403, json={"status": "error", "message": "Wrong code."})
        data = {"token": f"TOKEN-{len(self.logins)}"}
        return httpx.Response(200, json={"status": "success", "data": data})


@pytest.fixture
async def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kit_account, "WATCH_INTERVAL", 0.01)
    clock = ManualClock(NOW)
    server = Server(clock)
    spec = msgspec.structs.replace(BROKER.spec, logins=(TOTP_LOGIN,), session_ends=time(3, 0))
    account = KitAccount(
        msgspec.structs.replace(BROKER, spec=spec),
        clock,
        Secrets(),
        tmp_path,
        transport=httpx.MockTransport(server),
        passive=True,
    )
    await account.connect()
    await account.login(GIVEN)
    yield clock, server, account
    await account.disconnect()


def test_three_in_the_morning_unless_the_table_says_otherwise() -> None:
    default = next(f for f in msgspec.structs.fields(BrokerSpec) if f.name == "session_ends")
    assert default.default == time(3, 0)
    assert BROKER.spec.session_ends == time(6, 0)


async def test_the_session_is_renewed_at_its_end(rig) -> None:
    clock, server, account = rig
    assert account.session.ends == datetime(2026, 12, 2, 3, 0, tzinfo=IST)
    clock.jump(account.session.ends + timedelta(seconds=1))
    await until(lambda: len(server.logins) == 2, "the second login")
    await until(lambda: account.status.state is AccountState.CONNECTED, "the new session")
    assert account.session.get("access_token") == "TOKEN-2"
    assert account.session.ends == datetime(2026, 12, 3, 3, 0, tzinfo=IST)


async def test_a_refused_renewal_is_not_tried_again(rig) -> None:
    clock, server, account = rig
    server.refuse = True
    clock.jump(account.session.ends + timedelta(seconds=1))
    await until(lambda: len(server.logins) == 2, "the second login")
    clock.advance(kit_account.RELOGIN_INTERVAL + 1)
    await looks(account)
    assert len(server.logins) == 2
    assert account.status.state is AccountState.LOGIN_NEEDED


async def test_a_broker_that_does_not_answer_is_asked_again_later(rig) -> None:
    """At three in the morning brokers are often down."""
    clock, server, account = rig
    server.down = True
    clock.jump(account.session.ends + timedelta(seconds=1))
    await until(lambda: len(server.logins) == 2, "the second login")
    await looks(account)
    assert len(server.logins) == 2  # not at once
    server.down = False
    clock.advance(kit_account.RELOGIN_INTERVAL + 1)
    await until(lambda: account.status.state is AccountState.CONNECTED, "the new session")
    assert len(server.logins) == 3


async def test_nobody_is_logged_in_again_after_a_logout(rig) -> None:
    _, server, account = rig
    await account.logout()
    await looks(account)
    assert len(server.logins) == 1
    assert account.status.state is AccountState.LOGIN_NEEDED


async def test_nor_when_the_session_had_ended_before_it(rig) -> None:
    clock, server, account = rig
    server.down = True
    clock.jump(account.session.ends + timedelta(seconds=1))
    await until(lambda: len(server.logins) == 2, "a login that fails")
    server.down = False
    await account.logout()
    clock.advance(kit_account.RELOGIN_INTERVAL + 1)
    await looks(account)
    assert len(server.logins) == 2
    assert account.status.state is AccountState.LOGIN_NEEDED


async def test_a_late_answer_does_not_undo_a_logout(rig) -> None:
    clock, server, account = rig
    await account.logout()
    account._expired("A feed noticed it.")
    clock.advance(kit_account.RELOGIN_INTERVAL + 1)
    await looks(account)
    assert len(server.logins) == 1
    assert account.status.message == "Logged out."


RENEWAL = Login(
    id="renewal",
    title="A new token for the last session",
    steps=(
        Ask((Field("refresh", "Refresh token", secret=True, stored=True),)),
        Call(
            Op(
                method="POST", path="/login", encoding="json", public=True,
                body={"otp": "$refresh"},
            ),
            {"access_token": "token", "refresh": "next"},
        ),
    ),
    extras=("refresh",),
)  # fmt: skip


async def test_a_logout_forgets_what_would_renew_the_session(tmp_path: Path) -> None:
    sent: list[str] = []

    def serve(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/login":
            sent.append(json.loads(request.content)["otp"])
        data = {"token": f"T{len(sent)}", "next": f"R{len(sent)}"}
        return httpx.Response(200, json={"status": "success", "data": data})

    spec = msgspec.structs.replace(BROKER.spec, logins=(RENEWAL,))
    broker, secrets = msgspec.structs.replace(BROKER, spec=spec), MemorySecrets()
    clock = ManualClock(NOW)

    def account() -> KitAccount:
        transport = httpx.MockTransport(serve)
        return KitAccount(broker, clock, secrets, tmp_path, transport=transport, passive=True)

    first = account()
    await first.login({"refresh": "R0"})
    await first.disconnect()
    clock.jump(first.session.ends + timedelta(seconds=1))
    second = account()
    await second.connect()  # nobody logged out: the next morning needs no human
    assert second.status.state is AccountState.CONNECTED and sent == ["R0", "R1"]
    await second.logout()
    assert not second.session.has("refresh")
    assert "R2" not in [value.reveal() for value in secrets.values.values()]
    await second.disconnect()
    third = account()
    await third.connect()
    assert third.status.state is AccountState.LOGIN_NEEDED and len(sent) == 2
    await third.disconnect()


async def test_nor_when_another_program_logged_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``login --logout`` beside a running engine: that has the refresh token in memory."""
    monkeypatch.setattr(kit_account, "WATCH_INTERVAL", 0.01)
    sent: list[str] = []

    def serve(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/login":
            sent.append(json.loads(request.content)["otp"])
        data = {"token": f"T{len(sent)}", "next": f"R{len(sent)}"}
        return httpx.Response(200, json={"status": "success", "data": data})

    spec = msgspec.structs.replace(BROKER.spec, logins=(RENEWAL,))
    broker, secrets = msgspec.structs.replace(BROKER, spec=spec), Secrets()
    engine, other = (
        KitAccount(
            broker, ManualClock(NOW), secrets, tmp_path,
            transport=httpx.MockTransport(serve), passive=True,
        )
        for _ in range(2)
    )  # fmt: skip
    await engine.connect()
    await engine.login({"refresh": "R0"})
    await other.connect()
    await other.logout()
    await other.disconnect()
    engine._expired("Invalid Token")
    await looks(engine)
    assert sent == ["R0"] and engine.status.state is AccountState.LOGIN_NEEDED
    await engine.disconnect()


async def test_a_login_whose_answer_lacks_the_session_says_so(rig) -> None:
    _, server, account = rig
    server.login = lambda: httpx.Response(200, json={"status": "success", "data": None})
    account.api.after = lambda known: pytest.fail("a step after the answer ran")
    spec = msgspec.structs.replace(TOTP_LOGIN, steps=(*TOTP_LOGIN.steps, Hook("after")))
    account.rest._transport.handler = lambda request: server.login()
    await account.rest.close()
    runner = LoginRunner(
        account.spec, account.rest, account.session, account.clock, account.api.login_hook
    )
    with pytest.raises(ProtocolError, match="gave no access_token"):
        await runner.run(spec, GIVEN, None)


@pytest.mark.parametrize("said", ["", "Wrong code"])
async def test_a_refusal_with_a_good_status_is_one_by_its_words(rig, said: str) -> None:
    """Else it would be tried again and again, and the account be blocked."""
    _, _, account = rig
    words = f"{said} of {SECRET}" if said else ""
    account.rest._transport.handler = lambda request: httpx.Response(
        200, json={"status": "success", "data": {"message": words}}
    )
    await account.rest.close()
    with pytest.raises(BadCredentials if said else ProtocolError) as caught:
        await account.login(GIVEN)
    assert said in caught.value.message and SECRET not in caught.value.message


async def test_the_next_login_without_anything_given_is_no_refusal(rig) -> None:
    """A broker that was down is asked again though another way to log in could not be tried."""
    clock, server, account = rig
    pasted = Login(
        id="token",
        title="Token",
        steps=(Ask((Field("client", "Client id", stored=True), Field("access_token", "Token"))),),
        client_id="client",
    )
    account.spec = msgspec.structs.replace(account.spec, logins=(TOTP_LOGIN, pasted))
    server.down = True
    clock.jump(account.session.ends + timedelta(seconds=1))
    await until(lambda: len(server.logins) == 2, "the second login")
    server.down = False
    clock.advance(kit_account.RELOGIN_INTERVAL + 1)
    await until(lambda: account.status.state is AccountState.CONNECTED, "the new session")
