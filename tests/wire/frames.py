"""What left for a subscription or a connection against what was recorded."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from openalgo_desktop.brokers.kit.feed.codec import Frame, Message
from openalgo_desktop.brokers.kit.feed.links.base import Address
from openalgo_desktop.core.errors import AppError
from tests.wire.compare import differences, request_differences, same_text
from tests.wire.feed import MODES, Feed, Line, NoStream, Sent
from tests.wire.harness import names_of
from tests.wire.transports import plain
from tests.wire.vectors import Path_, Prepared, VectorFile

#: The actions of the recordings that open a connection, and what it carries.
OPENS = {"connect": "market", "order_connect": "orders"}
#: Kinds of what leaves; ``options`` are those with which a library logs in.
_KINDS = ("http", "url", "options", "frame")
#: The link sends its own, whatever the recording had.
_LINKS_OWN = frozenset({"user-agent"})


def kind_of(frame: Mapping[str, Any] | Sent) -> str:
    """One of http, url, options, frame."""
    if isinstance(frame, Mapping):
        return next((kind for kind in _KINDS if kind in frame), "frame")
    if isinstance(frame, httpx.Request):
        return "http"
    return "url" if isinstance(frame, Address) else "frame"


def frame_differences(
    wanted: Sequence[Mapping[str, Any]],
    got: Sequence[Sent],
    ready: Prepared | None = None,
    own_tags: Collection[str] = (),
) -> list[str]:
    """Recorded frames against those made, one by one and in order."""
    ready = ready or Prepared({})
    found = []
    if len(wanted) != len(got):
        found.append(f"{len(got)} frames instead of {len(wanted)}: {[*map(shown, got)]}")
    for index, (want, frame) in enumerate(zip(wanted, got, strict=False)):
        base: Path_ = ("frames", str(want.get("at", index)))
        if ready.skip(base):
            continue
        if isinstance(frame, httpx.Request):
            if "http" in want:
                path = (*base, "http")
                found += request_differences(want["http"], frame, ready, path, set(own_tags))
            else:
                found.append(f"a request instead of {want}: {shown(frame)}")
        elif isinstance(frame, Address):
            if "url" in want:
                found += address_differences(want, frame, own_tags)
            elif "options" in want:
                path = (*base, "options")
                found += differences(want["options"], dict(frame.options), path=path, wire=True)
            else:
                found.append(f"an address instead of {want}: {shown(frame)}")
        elif {"http", "url", "options"} & set(want):
            found.append(f"{shown(frame)} instead of {want}")
        else:
            found += _payload_differences(want, frame, ready, base, set(own_tags))
    return found


def shown(frame: Sent) -> str:
    """For messages."""
    if isinstance(frame, httpx.Request):
        return f"{frame.method} {frame.url} {frame.content!r}"
    return repr(frame)


def address_differences(
    want: Mapping[str, Any], got: Address, own_tags: Collection[str] = ()
) -> list[str]:
    """A recorded address, with the headers of its connection."""
    found = []
    parts, ours = urlsplit(want["url"]), urlsplit(got.url)
    where = [(p.scheme, p.netloc, p.path.rstrip("/")) for p in (parts, ours)]
    if not all(map(same_text, where[0], where[1])):
        found.append(f"/url: {got.url}, wanted {want['url']}")
    queries = [dict(parse_qsl(p.query, keep_blank_values=True)) for p in (parts, ours)]
    found += differences(*queries, path=("url",), wire=True)
    headers = {name.lower(): value for name, value in got.headers.items()}
    for name, value in (want.get("headers") or {}).items():
        low = name.lower()
        if low in _LINKS_OWN:
            continue
        if low not in headers:
            found.append(f"/headers/{low}: header missing, wanted {value!r}")
        elif low not in own_tags and not same_text(value, headers[low]):
            found.append(f"/headers/{low}: {headers[low]!r}, wanted {value!r}")
    return found


def _payload_differences(
    want: Mapping[str, Any], got: Frame, ready: Prepared, base: Path_, own_tags: set[str]
) -> list[str]:
    """A frame: its event or topic, its kind, its content. JSON is compared as JSON."""
    address = want.get("event") or want.get("topic")
    if isinstance(got, Message):
        if address is None:
            return [f"{got!r} has an address, wanted {want}"]
        if not same_text(address, got.topic):
            return [f"/{'/'.join(base)}: to {got.topic!r}, wanted {address!r}"]
        if not {"text", "hex"} & set(want):
            # A topic is asked for with no content, and ended with None.
            right = got.data is None if want.get("gone") else got.data == ""
            return [] if right else [f"/{'/'.join(base)}: {got!r}, wanted {want}"]
        got = got.data
    elif address is not None and {"text", "hex"} & set(want):
        return [f"{got!r} has no address, wanted {want}"]
    if "hex" in want:
        plain = got.encode() if isinstance(got, str) else got
        right = isinstance(got, bytes) and plain == bytes.fromhex(want["hex"])
        return [] if right else [f"/{'/'.join(base)}: {got!r}, wanted {want['hex']}"]
    text = want.get("text", address or "") + want.get("terminator", "")
    found = []
    if isinstance(got, bytes) != (want.get("opcode") == "binary"):
        found.append(f"/{'/'.join(base)}: {got!r} is in the wrong kind of frame")
    if not isinstance(got, (str, bytes)):
        got = json.dumps(got)
    plain_text = got.decode() if isinstance(got, bytes) else got
    ending = want.get("terminator", "")
    if not plain_text.endswith(ending):
        found.append(f"/{'/'.join(base)}: {plain_text!r} does not end with {ending!r}")
    try:
        parsed = json.loads(text), json.loads(plain_text)
    except ValueError:
        if not same_text(text, plain_text):
            found.append(f"/{'/'.join(base)}: {plain_text!r}, wanted {text!r}")
        return found
    path = (*base, "text")
    return found + differences(*parsed, case=ready, path=path, wire=True, own_tags=own_tags)


# -- one recorded case ----------------------------------------------------------------------
async def case_problems(feed: Feed, ready: Prepared) -> list[str]:
    """What is wrong with what the adapter sends for a case of the section ``subscribe``. The
    earlier cases of the file went over the same feed."""
    if ready.skip(("frames",)):
        return []
    try:
        return await _problems(feed, ready)
    except (NoStream, AppError) as error:
        return [str(error)]


async def _problems(feed: Feed, ready: Prepared) -> list[str]:
    case = ready.case
    own = feed.wire.steps.frames
    frames = own(feed, case) if own is not None else None
    if frames is not None:
        line = feed.line("market")
        return _compared(feed, ready, await feed.sent(line, frames))
    action = case["input"]["action"]
    if action in OPENS:
        return await _opening_problems(feed, ready, OPENS[action])
    if action == "heartbeat":
        return _heartbeat_problems(feed, ready)
    if action == "receive":
        return _receive_problems(feed, case)
    if action in ("subscribe", "unsubscribe") and case["input"]["symbols"]:
        return await _subscription_problems(feed, ready, action)
    if not case["frames"]:
        return []
    folders = " or ".join(f"tests/wire/{name}/steps.py" for name in names_of(feed.broker.spec))
    return [f"nobody says what the adapter sends for {action!r} here: {folders}, ``frames``"]


def _compared(feed: Feed, ready: Prepared, got: Sequence[Sent]) -> list[str]:
    frames = plain(feed.line("market").spec.transport, placed(ready.case["frames"]))
    return frame_differences(frames, got, ready, feed.file.own_tags)


def placed(frames: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Recorded frames with their place in the case, of which rules speak."""
    return [{**frame, "at": place} for place, frame in enumerate(frames)]


async def _opening_problems(feed: Feed, ready: Prepared, carries: str) -> list[str]:
    """Requests before the connection, its address, its first frames. A kind of these that no
    such case of the file has was not looked at by the recorder, so only then may it be there."""
    case = ready.case
    line = feed.line(carries).fresh()
    frames = plain(line.spec.transport, placed(case["frames"]))
    wanted = {kind: [f for f in frames if kind_of(f) == kind] for kind in _KINDS}
    address = wanted["url"][0]["url"] if wanted["url"] else ""
    replies = (case.get("extra") or {}).get("http_response") or []
    got: dict[str, list[Sent]] = {"http": [*await feed.fetched(line, address, replies)]}
    if wanted["http"] and not got["http"]:
        got["http"] = _nearest(wanted["http"], await feed.login_requests())
    if wanted["url"]:
        got["url"] = [line.address()]
    if wanted["options"]:
        got["options"] = [line.address()]
    got["frame"] = await feed.sent(line, line.codec.opened())
    if len(wanted["frame"]) > len(got["frame"]):
        more = await feed.sent(line, feed.after_login(line))
        got["frame"] += more[: len(wanted["frame"]) - len(got["frame"])]
    recorded = {
        kind_of(frame)
        for other in feed.file.section("subscribe")
        if other["input"]["action"] == case["input"]["action"]
        for frame in plain(line.spec.transport, other["frames"])
    }
    found = []
    for kind in _KINDS:
        if wanted[kind]:
            found += frame_differences(wanted[kind], got.get(kind, []), ready, feed.file.own_tags)
        elif kind not in recorded and got.get(kind):
            found.append(f"nobody recorded this {kind}: {[*map(shown, got[kind])]}")
    return found


def _nearest(wanted: Sequence[Mapping[str, Any]], requests: list[httpx.Request]) -> list[Sent]:
    """Of the requests of a login those to the recorded addresses, in their order."""
    paths = [urlsplit(frame["http"]["url"]).path.strip("/") for frame in wanted]
    near = {shown(r): r for r in requests if r.url.path.strip("/") in paths}
    return list(near.values())  # several logins begin alike


def _heartbeat_problems(feed: Feed, ready: Prepared) -> list[str]:
    """The heartbeat of every stream that has one; the market's must have it."""
    found = _compared(feed, ready, feed.line("market").heartbeat())
    for stream in feed.broker.spec.streams:
        if not stream.market and stream.orders and (frames := feed.line("orders").heartbeat()):
            found += _compared(feed, ready, frames)
    return found


def _receive_problems(feed: Feed, case: Mapping[str, Any]) -> list[str]:
    """A frame of the server: it must be understood."""
    line = feed.line("market")
    before = len(feed.failures)
    events = feed.play(line, case["frames"])
    found = [f"not understood: {text}" for text in feed.failures[before:]]
    return found if events or found else [f"not understood: {case['frames']}"]


async def _subscription_problems(feed: Feed, ready: Prepared, action: str) -> list[str]:
    """Frames of a subscription, and the address where it has a connection of its own."""
    given = ready.case["input"]
    line = feed.line("market", given.get("depth"))
    problems = []
    before = [
        frame for other in history(feed.file, "subscribe", ready.case) for frame in other["frames"]
    ]
    recorded = plain(line.spec.transport, placed(ready.case["frames"]), before)
    wanted = [frame for frame in recorded if kind_of(frame) != "url"]
    for frame in ready.case["frames"]:
        if "url" in frame:
            problems += address_differences(frame, line.address(), feed.file.own_tags)
    by_mode = _by_mode(feed, given)
    if action == "unsubscribe":
        frames = _unsubscribed(line, given, by_mode)
        got = await feed.sent(line, frames)
        return problems + frame_differences(wanted, got, ready, feed.file.own_tags)
    frames, moved = [], []
    for keys in by_mode:
        if given.get("depth") and len(line.spec.levels) > 1:
            line.codec.deepen(dict.fromkeys(keys, given["depth"]))
        moved += [{k: line.modes[k]} for k, mode in keys.items() if line.modes.get(k, mode) != mode]
        frames += line.subscribe(keys)
    got = await feed.sent(line, frames)
    found = frame_differences(wanted, got, ready, feed.file.own_tags)
    for keys_of_end in (moved, _joined(moved)):
        ends = await _endings(feed, line, keys_of_end)
        if found and moved and _without_endings(wanted, got, ends, feed):
            found = []
    return problems + found


def _joined(moved: list[dict[Any, Any]]) -> list[dict[Any, Any]]:
    """The same for codecs that end those of one mode in one frame."""
    by_mode: dict[Any, dict[Any, Any]] = {}
    for keys in moved:
        for key, mode in keys.items():
            by_mode.setdefault(mode, {})[key] = mode
    return list(by_mode.values())


def _by_mode(feed: Feed, given: Mapping[str, Any]) -> list[dict[Any, Any]]:
    """The recorded subscriptions mode by mode, the lowest first: the recordings count each mode
    of an instrument by itself."""
    rows = given["symbols"]
    names = {row.get("mode") or given["mode"] or "quote" for row in rows}
    return [
        feed.wanted([r for r in rows if (r.get("mode") or given["mode"] or "quote") == name], name)
        for name in sorted(names, key=lambda name: MODES[name])
    ]


def _unsubscribed(line: Line, given: Mapping[str, Any], by_mode: list[dict[Any, Any]]) -> list[Any]:
    """What ends these. The recordings count each mode of an instrument by itself: where the case
    names one, it is a connection that has exactly this."""
    named = given["mode"] or any(row.get("mode") for row in given["symbols"])
    if not named:
        return line.unsubscribe([key for keys in by_mode for key in keys])
    frames = [frame for keys in by_mode for frame in line.ending(keys)]
    for keys in by_mode:
        if gone := [key for key, mode in keys.items() if line.modes.get(key) == mode]:
            line.unsubscribe(gone)
    return frames


async def _endings(feed: Feed, line: Line, moved: list[dict[Any, Any]]) -> list[list[Sent]]:
    return [await feed.sent(line, line.ending(keys)) for keys in moved]


def _without_endings(
    wanted: Sequence[Mapping[str, Any]], got: list[Sent], endings: list[list[Sent]], feed: Feed
) -> bool:
    """Whether what was sent is what was recorded and, before or after it, the end of the mode
    that an instrument had: ours has one mode, the recordings keep both."""
    ends = [frame for part in endings for frame in part]
    if not ends or len(got) != len(wanted) + len(ends):
        return False
    tags = feed.file.own_tags
    cuts = ((got[: len(ends)], got[len(ends) :]), (got[len(wanted) :], got[: len(wanted)]))
    return any(
        [_untagged(frame, tags) for frame in end] == [_untagged(frame, tags) for frame in ends]
        and not frame_differences(wanted, rest, None, tags)
        for end, rest in cuts
    )


def _untagged(frame: Sent, tags: Collection[str]) -> str:
    """A frame for comparing, without our own tags."""
    with contextlib.suppress(ValueError, TypeError):
        fields = json.loads(frame)  # type: ignore[arg-type]
        if isinstance(fields, dict):
            return json.dumps({n: v for n, v in fields.items() if n.lower() not in tags})
    return shown(frame)


# -- the run up to a case -------------------------------------------------------------------
def history(file: VectorFile, section: str, case: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The earlier cases that the decoder or connection of ``case`` has seen: those of the file
    while their subscriptions stay the same, or none where each case is by itself."""
    cases = file.section(section)
    place = next(i for i, other in enumerate(cases) if other["id"] == case["id"])
    if section != "subscribe" and file.data.get("stream_state") != "continuous":
        return []
    groups = [_group(other) for other in cases[: place + 1]]
    start = place
    for later, earlier in pairwise(reversed(range(place + 1))):
        if groups[later] != groups[earlier]:
            break
        start = earlier
    return cases[start:place]


def _group(case: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        sorted(
            (s["exchange"], s["symbol"], s.get("mode") or "") for s in case.get("subscribed") or ()
        )
    )
