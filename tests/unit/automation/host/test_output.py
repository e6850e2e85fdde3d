"""The log of a run as its keeper writes it, without processes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from openalgo_desktop.automation.host.keeper import output
from openalgo_desktop.automation.host.keeper.output import LogFile, Output, segment
from openalgo_desktop.automation.host.logs import parse, segments


def made(folder: Path, rate: int = 10**9, clean: Callable[[str], str] = str) -> Output:
    return Output(LogFile(str(folder)), rate, clean, 0.0)


def texts(folder: Path) -> list[tuple[str, str]]:
    found = []
    for path in segments(folder):
        for line in path.read_text().splitlines():
            entry = parse(line)
            assert entry is not None, line
            found.append((entry.stream, entry.text))
    return found


def test_both_streams_are_told_apart_and_lines_are_put_together(tmp_path: Path):
    log = made(tmp_path)
    log.take("O", b"one\ntw", 1.0)
    log.take("E", b"wrong\n", 2.0)
    log.take("O", b"o\nhalf", 3.0)
    assert log.heard == 3.0
    assert log.finish(4.0) == ("one", "wrong", "two", "half")
    assert texts(tmp_path) == [("out", "one"), ("err", "wrong"), ("out", "two"), ("out", "half")]
    assert (log.lines, log.left_out) == (4, 0)


def test_a_heartbeat_is_heard_and_not_written(tmp_path: Path):
    log = made(tmp_path)
    log.take("O", b"#hb\n#hb \n", 5.0)
    assert log.heard == 5.0
    assert log.finish(6.0) == ("#hb ",)
    assert texts(tmp_path) == [("out", "#hb ")]


def test_secrets_and_controls_do_not_reach_the_disk(tmp_path: Path):
    log = made(tmp_path, clean=lambda text: text.replace("hush", "***"))
    log.take("O", b"a hush b\n\x1b[31mred\x07\n10%\r50%\r90%\r\n\xff\xfe\n", 1.0)
    assert log.finish(2.0) == ("a *** b", "[31mred", "90%", "\ufffd\ufffd")
    assert b"hush" not in (tmp_path / segment(1)).read_bytes()


def test_a_line_without_an_end_is_broken(tmp_path: Path):
    log = made(tmp_path)
    log.take("O", b"x" * (output.LONGEST * 2 + 10), 1.0)
    log.finish(2.0)
    assert [len(text) for _, text in texts(tmp_path)] == [output.LONGEST, output.LONGEST, 10]


def test_a_whole_line_that_is_long_is_broken_too(tmp_path: Path):
    log = made(tmp_path)
    log.take("O", b"x" * (output.LONGEST + 5) + b"\n", 1.0)
    log.finish(2.0)
    assert [len(text) for _, text in texts(tmp_path)] == [output.LONGEST, 5]


def test_too_much_is_counted_and_the_last_lines_are_kept(tmp_path: Path):
    log = made(tmp_path, rate=1000)  # a burst of 4000 bytes
    lines = [f"line {number:04d}" for number in range(1000)]
    log.take("O", "".join(f"{line}\n" for line in lines).encode(), 0.0)
    assert log.finish(0.0) == tuple(lines[-20:])
    found = [text for stream, text in texts(tmp_path) if stream == "out"]
    written = len(found) - 20
    assert 4000 // 36 <= written <= 4000 // 36 + 1
    assert found == lines[:written] + lines[-20:]
    assert log.left_out == 1000 - written - 20
    (note,) = [text for stream, text in texts(tmp_path) if stream == "note"]
    assert note.startswith(f"{log.left_out:,} lines (")


def test_it_goes_on_after_a_flood(tmp_path: Path):
    log = made(tmp_path, rate=1000)
    log.take("O", b"flood flood\n" * 1000, 0.0)
    log.take("O", b"too soon\n", 0.5)
    log.take("O", b"quiet again\n", 10.0)
    log.finish(10.0)
    found = texts(tmp_path)
    assert found[-1] == ("out", "quiet again")
    assert found[-2][0] == "note" and "left out here" in found[-2][1]
    assert ("out", "too soon") not in found


def test_a_log_is_bounded_and_keeps_its_beginning(tmp_path: Path):
    log = made(tmp_path)
    chunk = b"y" * 999 + b"\n"
    log.take("O", b"first\n", 0.0)
    for _ in range(output.SEGMENT * (output.SEGMENTS + 2) // (1000 * 1024)):
        log.take("O", chunk * 1024, 1.0)
    log.take("O", b"last\n", 2.0)
    log.finish(3.0)
    files = segments(tmp_path)
    assert len(files) == output.SEGMENTS
    assert files[0].name == segment(1) and files[1].name != segment(2)
    assert sum(path.stat().st_size for path in files) <= output.SEGMENT * output.SEGMENTS
    found = texts(tmp_path)
    assert found[0] == ("out", "first") and found[-1] == ("out", "last")


def test_a_full_disk_loses_lines_and_not_the_run(tmp_path: Path):
    log = made(tmp_path / "missing")
    log.take("O", b"one\ntwo\n", 1.0)
    assert log.left_out == 2
    assert log.finish(2.0) == ("one", "two")
