"""The one error hierarchy. REST maps class to status code, the window maps class to a place."""

from __future__ import annotations


class AppError(Exception):
    """Base of every error that the program raises on purpose.

    ``message`` is fit for the user: it names the field and the fix. ``retryable`` says whether
    asking again can help (never used for order writes).
    """

    retryable = False
    http_status = 500
    #: Ids of orders that had gone out before the failure (slices of one order).
    sent: tuple[str, ...] = ()

    def __init__(self, message: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail


class ConfigError(AppError):
    """A setting, option or environment value that cannot be used."""


class StorageError(AppError):
    """The database or the vault did not do what was asked."""

    @classmethod
    def unchanged(cls, error: StorageError) -> StorageError:
        """In a trader's words: what was asked for did not happen."""
        why = error.detail or error.message
        return cls(f"It could not be stored, so nothing is changed: {why}.", detail=why)


class AuthError(AppError):
    """The caller or the account is not who it should be."""

    http_status = 403


class BadCredentials(AuthError):
    """Wrong key, password, PIN or one-time code. ``field`` names the login field if known."""

    def __init__(self, message: str, *, field: str = "", detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.field = field


class SessionExpired(AuthError):
    """The broker session is over: log in again."""


class NetError(AppError):
    """The way to the broker failed; reading again may help."""

    retryable = True
    http_status = 503


class NetTimeout(NetError):
    """No answer in time."""


class RateLimited(NetError):
    """Too many requests; ``retry_after`` in seconds."""

    http_status = 429

    def __init__(self, message: str, *, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ProtocolError(NetError):
    """The broker answered something we cannot read."""

    retryable = False
    http_status = 502


class NotConnected(NetError):
    """No connected account for this request."""


class OrderError(AppError):
    """An order was refused. Nothing was sent unless the subclass says otherwise."""

    http_status = 400


class InvalidOrder(OrderError):
    """The order cannot be right; ``field`` is the request field to correct."""

    def __init__(self, message: str, *, field: str = "", detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.field = field


class NoPrice(InvalidOrder):
    """A market order has to leave as a protected limit, and nobody knows the price. It may be
    known in a moment."""


class InsufficientFunds(OrderError):
    """Not enough free margin."""


class OrderNotFound(OrderError):
    """No such order in this account and mode."""

    http_status = 404

    def __init__(self, order_id: str) -> None:
        super().__init__(f"Order {order_id} not found")
        self.order_id = order_id


class GttNotFound(OrderError):
    """No such active GTT in this account and mode."""

    http_status = 404

    def __init__(self, trigger_id: str) -> None:
        super().__init__(f"No active GTT with trigger_id '{trigger_id}'")
        self.trigger_id = trigger_id


class OrderNotWorking(OrderError):
    """The order is final; it can neither be modified nor cancelled."""


class RejectedByBroker(OrderError):
    """The gateway refused. ``order_id`` is set when a rejected order row exists."""

    def __init__(self, message: str, *, code: str = "", order_id: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.order_id = order_id


class OrderStateUnknown(OrderError):
    """Sent, no answer. Never retried; the reconciler settles it. ``tag`` is our own key."""

    http_status = 504

    def __init__(self, message: str, *, tag: str) -> None:
        super().__init__(message)
        self.tag = tag


class RiskBlocked(OrderError):
    """A risk rule or the kill switch said no."""

    http_status = 403


class NotSupported(AppError):
    """The account's broker has no such function."""

    http_status = 501


class DataError(AppError):
    """Market data cannot be given."""

    http_status = 400


class SymbolUnknown(DataError):
    """No such instrument in the master."""

    def __init__(self, symbol: str, exchange: str) -> None:
        super().__init__(
            f"Symbol '{symbol}' not found for exchange '{exchange}'. "
            "Please verify the symbol name and ensure master contracts are downloaded."
        )
        self.symbol = symbol
        self.exchange = exchange


class NoHistory(DataError):
    """The source has no candles of that kind."""
