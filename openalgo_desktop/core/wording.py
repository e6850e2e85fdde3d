"""Refusals in a trader's words. Pure.

The corridor's texts are those that clients of the API match; the window says the same in sentences.
What a broker says is repeated as it is, with a hint of ours beside it.
"""

from __future__ import annotations

import re

from openalgo_desktop.core.errors import AppError

#: Whole texts, as (pattern, sentence).
_SENTENCES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), sentence)
    for pattern, sentence in (
        (r"Missing required field: quantity", "Enter a quantity."),
        (r"Missing required field: symbol", "Choose a symbol."),
        (r"Quantity must be positive", "The quantity must be above 0."),
        (r"Price must be positive", "The price must be above 0."),
        (r"Trigger price must be positive", "The trigger price must be above 0."),
        (r"(SL-M|SL) orders require trigger_price", r"Enter a trigger price: \1 waits for it."),
        (r"(LIMIT|SL) orders require price", r"Enter a price: \1 has a limit."),
        (r"(\S+) orders do not accept a price", r"A \1 order has no price."),
        (r"(\S+) orders do not accept a trigger_price", r"A \1 order has no trigger price."),
        (
            r"Quantity must be in multiples of lot size (\d+)",
            r"The quantity must be a multiple of the lot size, \1.",
        ),
        (
            r"Quantity \d+ is above the freeze quantity of \S+\. Send at most (\d+) per order, "
            r"or use a split order\.",
            r"One order takes at most \1. Send less, or switch on slicing (Settings, Trading).",
        ),
        (
            r"disclosed_quantity must be from 0 to the quantity, (\d+)",
            r"The disclosed quantity must be from 0 to the quantity, \1.",
        ),
    )
)
#: Names of fields inside other texts.
_WORDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), word)
    for pattern, word in (
        (r"\btrigger_price\b", "trigger price"),
        (r"\b(?:price_type|pricetype)\b", "price type"),
        (r"\bdisclosed_quantity\b", "disclosed quantity"),
        (r"\btriggerprice_sl\b", "trigger below"),
        (r"\btriggerprice_tg\b", "trigger above"),
    )
)
#: What brokers and exchanges say when they refuse, and what to do about it; the first that fits.
_HINTS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), hint)
    for pattern, hint in (
        (
            r"margin|insufficient|shortfall|funds",
            "There is not enough free money: send less, or free margin first.",
        ),
        (
            r"circuit|price range|daily price|dpr|band",
            "The price is outside today's circuit limits: choose one inside.",
        ),
        (r"freeze|max(?:imum)?.{0,12}quantity", "Too large for one order: send it in slices."),
        (
            r"(?:no(?:t)?|dis)\s*allow.{0,20}market|market\s+order.{0,30}(?:not|block)",
            "Market orders are not taken here: send a limit order.",
        ),
        (
            r"trigger\s*price",
            "The trigger must be above the last price for a BUY stop, below it for a SELL.",
        ),
        (r"tick", "The price must be a multiple of the tick size."),
        (r"lot|multiple", "The quantity must be a multiple of the lot size."),
        (r"market.{0,20}clos|after market|outside.{0,20}hours", "The market is closed now."),
        (
            r"ban\b|banned|asm|gsm|t2t|trade to trade|be series",
            "The exchange restricts this share today: intraday and new positions may be refused.",
        ),
        (r"holding|cdsl|edis|tpin", "The shares to sell must be there and authorised (CDSL)."),
        (
            r"session|token|log\s?in|unauthori[sz]ed",
            "The session at the broker is over: log in again.",
        ),
        (r"\bip\b|whitelist|static", "The broker takes orders from your registered address only."),
        (
            r"rate|too many|throttl",
            "The broker counts orders a second: wait a moment before the next one.",
        ),
    )
)


def plain_words(text: str) -> str:
    """A refusal of the corridor as a sentence without names of API fields."""
    for pattern, sentence in _SENTENCES:
        match = pattern.fullmatch(text.strip())
        if match is not None:
            return match.expand(sentence)
    for pattern, word in _WORDS:
        text = pattern.sub(word, text)
    return text


def in_words(error: AppError) -> str:
    """What the window says about an error of the corridor."""
    return plain_words(error.message)


def hint_for(rejection: str) -> str:
    """What to do about a broker's rejection; empty when its text is unknown to us."""
    return next((hint for pattern, hint in _HINTS if pattern.search(rejection)), "")
