"""Settings of the local API: where it listens, its limits, the calendar it tells, webhooks."""

from __future__ import annotations

from openalgo_desktop.config.setting import Setting as S
from openalgo_desktop.config.setting_kinds import (
    holiday_list,
    host_address,
    public_url,
    rate_limit,
    session_list,
)
from openalgo_desktop.core.addresses import LOOPBACK_V4

API_SETTINGS: tuple[S, ...] = (
    S(
        "api.enabled",
        True,
        "Serve the local REST and WebSocket API",
        bool,
        group="Local API",
        restart=True,
    ),
    S(
        "api.host",
        LOOPBACK_V4,
        "Address the local API binds to; loopback (both families) unless you know why not",
        host_address,
        group="Local API",
        restart=True,
    ),
    S(
        "api.rest_port",
        5000,
        "REST port; 0 picks a free one",
        int,
        low=0,
        high=65535,
        group="Local API",
        grouped=False,
        restart=True,
    ),
    S(
        "api.ws_port",
        8765,
        "WebSocket port; 0 picks a free one",
        int,
        low=0,
        high=65535,
        group="Local API",
        grouped=False,
        restart=True,
    ),
    S(
        "api.allowed_hosts",
        "",
        "Host names accepted besides loopback, comma separated",
        group="Local API",
    ),
    S(
        "api.cors_origins",
        "",
        "Browser origins allowed to call the API, comma separated; empty = none",
        group="Local API",
    ),
    S(
        "api.ws_auth_timeout",
        15.0,
        "Seconds until an unauthenticated socket is closed (4401)",
        float,
        low=1,
        high=300,
        group="Local API",
    ),
    S("limits.api", "50 per second", "Rate limit of general endpoints", rate_limit, group="Limits"),
    S("limits.order", "10 per second", "Rate limit of order endpoints", rate_limit, group="Limits"),
    S("limits.smart", "10 per second", "Rate limit of placesmartorder", rate_limit, group="Limits"),
    S("limits.greeks", "30 per minute", "Rate limit of optiongreeks", rate_limit, group="Limits"),
    S("limits.webhook", "100 per minute", "Rate limit of webhooks", rate_limit, group="Limits"),
    S(
        "calendar.holidays",
        "",
        "Own holidays: 2027-03-12; 2027-03-15 NSE BSE (no exchange: all are closed)",
        holiday_list,
        group="Calendar",
    ),
    S(
        "calendar.special_sessions",
        "",
        "Own sessions: 2027-02-06 NSE NFO 09:15-10:00; 2027-02-06 NSE NFO 11:30-12:30",
        session_list,
        group="Calendar",
    ),
    S(
        "webhooks.public_url",
        "",
        "Address of your tunnel or relay, as alert senders reach it: https://my-host.example",
        public_url,
        group="Webhooks",
    ),
    S(
        "webhooks.sender_header",
        "",
        "Header in which your tunnel names the sender, for allow-lists; empty: none is believed",
        choices=("", "CF-Connecting-IP", "X-Forwarded-For", "X-Real-IP"),
        group="Webhooks",
    ),
    S(
        "webhooks.same_alert_seconds",
        20.0,
        "The same body to the same webhook within this time is one alert; 0 = each is its own",
        float,
        low=0,
        high=86_400,
        group="Webhooks",
    ),
)
