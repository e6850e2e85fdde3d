"""Telegram as a channel of the alerts engine."""

from __future__ import annotations

from openalgo_desktop.automation.telegram.service import Telegram
from openalgo_desktop.core.alerts import PriceAlert, ToldAlert


class TelegramChannel:
    """A :class:`~openalgo_desktop.automation.alerts.ports.Channel`: all linked chats. Taken is
    what is queued; it leaves in its turn, and after quiet hours."""

    name = "telegram"
    title = "Telegram"

    def __init__(self, telegram: Telegram) -> None:
        self._telegram = telegram

    async def tell(self, alert: PriceAlert, told: ToldAlert) -> None:
        """Queue it. Raises :class:`AppError` when the bot is off or no chat is linked."""
        note = f"\n{told.note}" if told.note else ""
        self._telegram.alert(f"Alert {told.at:%H:%M:%S}: {told.text}{note}")
