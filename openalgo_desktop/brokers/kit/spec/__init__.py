"""What a broker is: tables. The kit executes them; nothing here does I/O.

Three small languages are used inside the tables.

* *Templates* (paths, headers, addresses): ``{name}`` is a value of the context, quoted in paths.
* *Values* (query and body fields): a text that begins with ``$`` takes a value of the context,
  anything else is sent as it stands. ``$name`` keeps the type. Words behind it convert, one after
  another: ``:text`` shortest decimal text, ``:int`` and ``:float`` JSON numbers, ``:paise`` whole
  paise of rupees, ``:lots`` units as lots of the instrument, ``:json`` JSON text; a ``?`` at the
  end leaves the field out when the value is empty or zero.
* *Paths* (replies): ``ohlc.open``, ``depth.buy.0.price``; ``a|b`` takes the first that is there.
  In rows a path may end with the unit that the broker counts in: ``avg:paise``, ``qty:lots``.

The context holds the session and credentials, the unified request (``symbol``, ``quantity``,
``price`` ...), what the spec's maps make of it (``wire_exchange``, ``wire_segment``,
``wire_product``, ``wire_price_type``, ``wire_action``), the instrument (``brsymbol``,
``brexchange``, ``token``, ``lot_size``) and ``tag``.
"""

from openalgo_desktop.brokers.kit.spec.broker import BrokerSpec, Capabilities, Repeat, Signer
from openalgo_desktop.brokers.kit.spec.check import check, require_valid
from openalgo_desktop.brokers.kit.spec.check_requests import Gives, names_of
from openalgo_desktop.brokers.kit.spec.logins import (
    Ask,
    Browser,
    Call,
    Compute,
    Hook,
    Login,
    LoginStep,
)
from openalgo_desktop.brokers.kit.spec.masters import (
    MASTER_FORMS,
    PACKS,
    MasterFile,
    MasterSpec,
    RowReader,
)
from openalgo_desktop.brokers.kit.spec.operations import (
    ENCODINGS,
    FORMS,
    Envelope,
    ErrorRule,
    IntervalRule,
    Op,
    Pages,
    Rate,
)
from openalgo_desktop.brokers.kit.spec.short import table
from openalgo_desktop.brokers.kit.spec.streams import MARKET, ORDERS, TRANSPORTS, StreamSpec
from openalgo_desktop.brokers.kit.spec.vocabulary import TwoWay, identity, wire_fields
from openalgo_desktop.core.logins import Field

__all__ = [
    "ENCODINGS",
    "FORMS",
    "MARKET",
    "MASTER_FORMS",
    "ORDERS",
    "PACKS",
    "TRANSPORTS",
    "Ask",
    "BrokerSpec",
    "Browser",
    "Call",
    "Capabilities",
    "Compute",
    "Envelope",
    "ErrorRule",
    "Field",
    "Gives",
    "Hook",
    "IntervalRule",
    "Login",
    "LoginStep",
    "MasterFile",
    "MasterSpec",
    "Op",
    "Pages",
    "Rate",
    "Repeat",
    "RowReader",
    "Signer",
    "StreamSpec",
    "TwoWay",
    "check",
    "identity",
    "names_of",
    "require_valid",
    "table",
    "wire_fields",
]
