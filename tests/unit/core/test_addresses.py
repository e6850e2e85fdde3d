"""Host names and addresses."""

from __future__ import annotations

import pytest

from openalgo_desktop.core.addresses import host_of_header, is_loopback


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("127.0.0.1:5000", "127.0.0.1"),
        ("LocalHost", "localhost"),
        ("[::1]", "::1"),
        ("[::1]:5000", "::1"),
        ("[0:0:0:0:0:0:0:1]:5000", "::1"),
        ("my-pc.lan:80", "my-pc.lan"),
    ],
)
def test_names(header: str, name: str) -> None:
    assert host_of_header(header) == name


@pytest.mark.parametrize(
    "header",
    [
        "",
        "localhost.",
        "localhost.:5000",
        "127.0.0.1:",
        "127.0.0.1:0",
        "127.0.0.1:65536",
        "127.0.0.1:5000:1",
        "127.0.0.1:٥",
        "127.0.0.1:+80",
        "127.0.0.1, evil.example",
        "user@localhost",
        "evil.example#@localhost",
        "evil.example/localhost",
        "localhost/",
        " localhost",
        "localhost\t",
        "[::1",
        "::1",
        "[::1]5000",
        "[::1]:",
        "[::1%eth0]",
        "[127.0.0.1]",
        "loca\u200blhost",
        "127.0.0.1\n",
    ],
)
def test_what_is_no_name(header: str) -> None:
    assert host_of_header(header) == ""


def test_loopback() -> None:
    assert all(map(is_loopback, ("localhost", "127.0.0.1", "127.8.8.8", "::1", "[::1]")))
    assert not any(map(is_loopback, ("", "0.0.0.0", "::", "10.0.0.1", "localhost.example", "::2")))
