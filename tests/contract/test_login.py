"""L: logging in and out."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from openalgo_desktop.brokers.kit.account.account import KitAccount
from openalgo_desktop.brokers.kit.rest.values import NAME
from openalgo_desktop.brokers.kit.spec import Compute, Login
from openalgo_desktop.core.enums import AccountState
from openalgo_desktop.core.errors import AppError, AuthError, BadCredentials
from tests.contract.replayed import recordings
from tests.contract.rig import REGISTRY, Rig
from tests.faces.face import face_names
from tests.waiting import until


def test_every_adapter_has_an_emulator_or_recordings() -> None:
    assert {*face_names(whole=False), *recordings()} >= set(REGISTRY.ids())
    assert set(REGISTRY.all()) == set(REGISTRY.ids()), "an adapter does not load"


def by_itself(rig: Rig) -> bool:
    """Whether the broker needs no human for a login with the keys that are stored now."""
    kept = {name.rpartition("/")[2] for name in rig.secrets.values}

    def needs_nobody(login: Login) -> bool:
        made = {
            name
            for step in login.steps
            if isinstance(step, Compute)
            for name, template in step.values.items()
            if kept.issuperset(NAME.findall(template))
        }
        return all(f.optional or f.name in kept | made for f in login.fields)

    return any(
        not (login.needs_browser or login.by_hand) and needs_nobody(login)
        for login in rig.account.spec.logins
    )


async def test_l01_login(fresh: Rig) -> None:
    assert fresh.account.status.state is AccountState.LOGIN_NEEDED
    await fresh.login()
    status = fresh.account.status
    assert status.state is AccountState.CONNECTED
    assert status.client_id and status.account_id == f"{fresh.broker}:{status.client_id}"
    assert len(fresh.rows) >= fresh.least_rows
    assert (await fresh.account.gateway.funds()).available_cash > 0


async def test_l02_bad_credentials(fresh: Rig) -> None:
    with pytest.raises(AuthError) as caught:
        await fresh.account.login(fresh.face.bad)
    assert len(caught.value.message) > 5
    assert fresh.account.status.state is AccountState.LOGIN_NEEDED
    with pytest.raises(AppError):
        await fresh.account.gateway.orders()


async def test_l02_missing_field_is_named(fresh: Rig) -> None:
    with pytest.raises(BadCredentials) as caught:
        await fresh.account.login({})
    fields = {f.name for login in fresh.account.spec.logins for f in login.fields}
    assert caught.value.field in fields


async def test_l03_expired_session_is_a_state(rig: Rig) -> None:
    """The broker ends the session; the account asks for a login and takes a new one."""
    client = rig.account.status.client_id
    rig.emulator.expire_sessions()  # type: ignore[attr-defined]
    with pytest.raises(AppError):
        await rig.account.gateway.orders()
    assert rig.account.status.state is AccountState.LOGIN_NEEDED
    with pytest.raises(AppError) as caught:
        await rig.account.gateway.funds()
    assert isinstance(caught.value, AuthError)
    await rig.login()
    assert rig.account.status.state is AccountState.CONNECTED
    assert rig.account.status.client_id == client
    assert await rig.account.gateway.orders() == []


async def test_l03_session_of_yesterday_is_not_used(rig: Rig) -> None:
    """A stored session past its end is not even tried."""
    ends = rig.account.session.ends
    if ends is None:
        assert rig.account.spec.session_ends is None and not rig.account.spec.session_hours
        return
    await rig.account.disconnect()
    rig.clock.jump(ends + timedelta(minutes=1))
    before = len(rig.emulator.log)
    await rig.account.connect()
    if by_itself(rig):
        assert rig.account.status.state is AccountState.CONNECTED
        assert rig.emulator.log[before][0] == "POST"  # a new one, before anything else
        return
    assert rig.account.status.state is AccountState.LOGIN_NEEDED
    assert len(rig.emulator.log) == before


async def test_l04_session_survives_a_restart(rig: Rig, tmp_path: object) -> None:
    account = rig.account
    await account.disconnect()
    again = KitAccount(
        account.broker,
        rig.clock,
        rig.secrets,
        tmp_path,  # type: ignore[arg-type]
        hosts=rig.emulator.hosts(),
    )
    try:
        await again.connect()
        assert again.status.state is AccountState.CONNECTED
        assert again.status.account_id == account.status.account_id
        assert (await again.gateway.funds()).available_cash > 0
    finally:
        await again.disconnect()


async def test_l06_logout(rig: Rig) -> None:
    came = {name for login in rig.account.spec.logins for name in ("session", *login.extras)}
    await rig.account.logout()
    assert rig.account.status.state is AccountState.LOGIN_NEEDED
    assert not came & {name.rpartition("/")[2] for name in rig.secrets.values}
    await rig.account.disconnect()
    await rig.account.connect()
    wanted = AccountState.CONNECTED if by_itself(rig) else AccountState.LOGIN_NEEDED
    assert rig.account.status.state is wanted


async def test_e03_secrets_stay_out_of_logs_and_errors(
    fresh: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await fresh.login()
    token = fresh.account.session.get(fresh.account.login_of().session[0])
    fresh.emulator.faults.status.extend([403, 500])
    texts = []
    for call in (fresh.account.gateway.orders, fresh.account.gateway.funds):
        try:
            await call()
        except AppError as error:
            texts.append(f"{error!r} {error.message} {error.detail}")
    await until(lambda: len(texts) == 2)
    seen = caplog.text + " ".join(texts) + repr(fresh.account.session)
    for secret in (*fresh.face.secrets, token):
        assert secret and secret not in seen
