"""Contract cases against a broker that is made of its recordings: for every adapter with vectors,
whether somebody wrote an emulator for it or not."""

from __future__ import annotations

import functools
import pickle
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from openalgo_desktop.brokers.kit.account.account import KitAccount
from openalgo_desktop.core.clock import IST, SystemClock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.ticks import Tick
from tests.contract.rig import REGISTRY, Rig, unlimited
from tests.emulators.replay import Replay
from tests.faces.face import Face
from tests.memory import MemorySecrets
from tests.sizes import proved
from tests.wire.folders import all_rules
from tests.wire.harness import names_of, session_values
from tests.wire.ops import chosen_login
from tests.wire.uniform import instrument
from tests.wire.vectors import ROOT, VectorFile, load_files, prepare

#: Added to a broker's id in the name of its replay.
REPLAY = "-replay"


@functools.cache
def recordings() -> dict[str, VectorFile]:
    """The project's recordings of adapters, by broker."""
    return {file.broker: file for file in load_files(ROOT) if file.broker in REGISTRY.ids()}


@functools.cache
def server(broker: str) -> Replay:
    """The recordings of a broker, read; each run has a copy of its own."""
    return new_server(broker)


@functools.cache
def _cases(broker: str) -> bytes:
    """Its recordings as new code must behave. They are made once: a run reads them much sooner."""
    names = names_of(REGISTRY.get(broker).spec)
    cases = recordings()[broker].section("cases")
    return pickle.dumps([prepare(names, case, all_rules(), "cases") for case in cases])


def new_server(broker: str) -> Replay:
    """A broker made of its recordings."""
    return Replay(
        recordings()[broker], pickle.loads(_cases(broker)), REGISTRY.get(broker).spec.hosts
    )


def equities(replay: Replay, *ops: str) -> list[str]:
    """Shares on NSE that these operations were recorded with."""
    symbols = {
        row["symbol"]
        for row in replay.file.section("symbols")
        if row["exchange"] == "NSE" and (row["instrumenttype"] or "EQ") == "EQ"
    }
    inputs = [case["input"] for case in replay.good(*ops)]
    return [i["symbol"] for i in inputs if i.get("exchange") == "NSE" and i["symbol"] in symbols]


def _orders(replay: Replay) -> bool:
    """Orders can be placed, and be found in the book."""
    placed = equities(replay, "place_order")
    return bool(placed and replay.good("order_book") and replay.shows("order_status", "open"))


def _changes(replay: Replay) -> bool:
    fields = {"quantity", "price"}
    return (
        _orders(replay)
        and bool(replay.good("modify_order"))
        and fields <= set(replay.requests["modify_order"].numbers)
    )


def _cancels(replay: Replay) -> bool:
    return _orders(replay) and replay.shows("order_status", "cancelled")


def quoted(replay: Replay, op: str) -> bool:
    """Whether the share of :meth:`ReplayRig.row` was recorded with a market on both sides."""
    share = chosen_share(replay)
    for case in replay.good(op):
        if (case["input"]["symbol"], case["input"]["exchange"]) == (share, "NSE"):
            got = case["expect"]
            sides = ("bids", "asks") if op == "depth" else ("bid", "ask")
            first = [got.get(side) for side in sides]
            prices = [
                side[0]["price"] if isinstance(side, list) and side else side for side in first
            ]
            return all(prices) and prices[0] < prices[1]
    return False


def chosen_share(replay: Replay) -> str:
    """The share on NSE of which most was recorded."""
    known = [equities(replay, op) for op in ("place_order", "depth", "quotes")]
    found = [symbol for symbols in known for symbol in symbols]
    return max(found, key=lambda symbol: sum(symbol in symbols for symbols in known), default="")


def _always(replay: Replay) -> bool:
    return True


#: Cases of the contract that a replay shows, and what must have been recorded for it.
SHOWN: Mapping[str, Callable[[Replay], bool]] = {
    "test_l01_login": lambda replay: bool(replay.good("funds")),
    "test_l02_bad_credentials": lambda replay: bool(replay.refused("login")),
    "test_l02_missing_field_is_named": _always,
    "test_l03_session_of_yesterday_is_not_used": _always,
    "test_l04_session_survives_a_restart": lambda replay: bool(replay.good("funds")),
    "test_l06_logout": _always,
    "test_b05_holdings": lambda replay: bool(replay.good("holdings")),
    "test_q01_quote": lambda replay: quoted(replay, "quotes"),
    "test_q03_depth_has_five_levels": lambda replay: quoted(replay, "depth"),
    "test_q06_no_such_interval_or_symbol": lambda replay: bool(
        REGISTRY.get(replay.file.broker).spec.capabilities.quote_batch
    ),
    "test_o02_modify": _changes,
    "test_o03_cancel_and_cancel_twice": _cancels,
    "test_o04_unknown_order_is_refused": _orders,
    "test_o05_what_cannot_be_is_refused_before_it_leaves": lambda replay: (
        _orders(replay)
        and any(row["exchange"] == "NSE_INDEX" for row in replay.file.section("symbols"))
    ),
    "test_o06_refusal_has_the_broker_s_words": _orders,
    "test_o15_a_change_leaves_with_every_field": lambda replay: (
        _changes(replay)
        and {"disclosed_quantity", "trigger_price"} <= set(replay.requests["modify_order"].numbers)
    ),
    "test_o16_an_emulator_takes_what_it_is_given": lambda replay: (
        _changes(replay) and _cancels(replay)
    ),
}

#: Cases of the contract that recordings cannot show: they are left to emulators, and why.
LEFT: Mapping[str, tuple[str, ...]] = {
    "fills: nothing trades in a recording": (
        "test_o01_each_price_type_product_exchange",
        "test_o10_updates_are_pushed",
        "test_o13_one_lot_of_mcx_out_and_back_and_the_profit_of_one_tick",
        "test_o17_a_position_becomes_another_product",
        "test_o18_a_lost_answer_of_a_conversion_is_unknown",
        "test_o14_what_is_no_whole_contract_does_not_leave",
        "test_b02_a_status_of_each_kind",
        "test_b03_trades_positions_and_their_sign",
    ),
    "money: funds and margins are those of the recording": (
        "test_b01_empty_books",
        "test_b04_funds_follow_orders",
        "test_b06_margin",
    ),
    "faults: a replay has none": (
        "test_e03_secrets_stay_out_of_logs_and_errors",
        "test_o07_a_lost_answer_is_unknown_and_never_sent_again",
        "test_o08_too_many_requests_is_not_unknown",
        "test_o09_cannot_be_reached_is_not_unknown",
        "test_o11_double_and_late_pushes_change_nothing",
    ),
    "sessions: the broker's end of one is not recorded": (
        "test_l03_expired_session_is_a_state",
        "test_l05_the_session_ends_at_its_time_and_the_workspace_stays",
        "test_l07_the_broker_ends_it_between_two_calls",
    ),
    "masters: rows are recorded one by one (tests/wire/test_streams.py)": (
        "test_m01_kinds_of_rows",
        "test_m02_symbols_read_and_format_back",
        "test_m03_names_are_unique_and_found_both_ways",
        "test_m04_indices_have_unified_names",
        "test_m05_lots_and_ticks",
    ),
    "many instruments and days: a recording has a few (see test_replays.py)": (
        "test_q02_many_quotes_with_errors_of_their_own",
        "test_q04_history_of_each_interval",
        "test_q05_long_ranges_are_asked_in_pieces",
    ),
    "triggers: there is no book of them that follows": ("test_o12_good_till_triggered",),
}


def replays_of(case: str) -> list[str]:
    """Names of the replays that show a case of the contract."""
    shown = SHOWN.get(case)
    if shown is None:
        return []
    return [f"{broker}{REPLAY}" for broker in sorted(recordings()) if shown(server(broker))]


class ReplayRig(Rig):
    """A :class:`Rig` over recordings. Its market stands at the recorded prices."""

    least_rows = 1
    login_id = ""

    @property
    def server(self) -> Replay:
        """The recordings."""
        replay: Any = self.emulator
        assert isinstance(replay, Replay)
        return replay

    async def login(self) -> None:
        """Log in as recorded; the instruments are those of the recording."""
        await self.account.login(self.face.good(self.emulator), login_id=self.login_id)
        rows = [instrument(row) for row in self.server.file.section("symbols")]
        self.account.index.load(rows)
        self.account.api.sizes.proofs = proved(rows, self.account.spec)
        self.rows = {row.key: row for row in rows}

    def row(self, exchange: str, kind: str = "EQ") -> Instrument:
        """An instrument of that kind; of shares one that most was recorded of."""
        if (exchange, kind) == ("NSE", "EQ"):
            return self.rows[exchange, chosen_share(self.server)]
        if kind == "INDEX":  # not every recording calls it so
            return next(row for row in self.rows.values() if row.exchange == exchange)
        return super().row(exchange, kind)

    def tick_of(self, row: Instrument) -> float:
        """The tick of an instrument, as recorded."""
        return row.tick_size

    async def price(self, row: Instrument) -> Tick:
        """The price that an order for it was recorded with."""
        prices = [
            float(case["input"]["price"])
            for case in self.server.good("place_order")
            if case["input"]["symbol"] == row.symbol and case["input"]["price"]
        ]
        return Tick(row.symbol, row.exchange, prices[0] if prices else 100.0, FeedMode.LTP, 0)


@asynccontextmanager
async def open_replay(name: str, folder: Path) -> AsyncIterator[ReplayRig]:
    """An account that is not logged in yet, and the recordings of its broker as a server."""
    broker_id = name.removesuffix(REPLAY)
    known = REGISTRY.get(broker_id)
    # A feed is not to be had here; the books are asked instead.
    spec = msgspec.structs.replace(known.spec, streams=())
    broker = unlimited(msgspec.structs.replace(known, spec=spec))
    emulator = new_server(broker_id)
    recorded = emulator.file.data.get("clock")
    # The day of the recording; without one ten in the morning.
    now = datetime.now(IST).replace(hour=10, minute=0)
    clock = SystemClock(datetime.fromisoformat(recorded) if recorded else now)
    await emulator.start()
    secrets = MemorySecrets()
    account = KitAccount(broker, clock, secrets, folder, hosts=emulator.hosts())
    face, login_id = _face(emulator, broker_id)
    rig = ReplayRig(broker_id, account, emulator, face, clock, secrets)  # type: ignore[arg-type]
    rig.login_id = login_id
    account.gateway.set_listener(rig.updates.append)
    try:
        await account.connect()
        yield rig
    finally:
        await account.disconnect()
        await emulator.stop()


def _face(replay: Replay, broker_id: str) -> tuple[Face, str]:
    """How the recordings log in, and with what they are refused."""
    broker = REGISTRY.get(broker_id)
    session = session_values(broker, replay.file.data.get("session") or {})
    case = replay.good("login")[0]
    login, good = chosen_login(broker, case["input"], session)
    bad = {name: "wrong" if name in _secret(login) else text for name, text in good.items()}
    for refused in replay.refused("login"):
        if refused.case["http"] != case["http"][: len(refused.case["http"])]:
            bad = chosen_login(broker, refused.case["input"], session)[1]
    face = Face(
        emulator=lambda clock: replay,  # type: ignore[arg-type, return-value]
        good=lambda emulator: {k: str(v) for k, v in good.items()},
        bad={k: str(v) for k, v in bad.items()},
    )
    return face, login.id


def _secret(login: Any) -> set[str]:
    return {field.name for field in login.fields if field.secret}
