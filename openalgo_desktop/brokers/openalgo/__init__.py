"""A running OpenAlgo server, or another instance of this program, used as a broker.

What its API cannot carry, and what is done about it:

* no order tag: our tag stays with us, orders of the book have none, and so the reconciler finds
  an order whose answer was lost by its attributes and its time, never sending it again. The
  strategy is the caller's and is passed on as it is;
* no kind of login but the API key, which does not expire; the server's own login at its broker
  may, and then every call says so;
* the server has a mode of its own (live or analyze): orders go where its switch points.
"""

from openalgo_desktop.brokers.kit.broker import Broker
from openalgo_desktop.brokers.openalgo.api import OpenAlgoApi
from openalgo_desktop.brokers.openalgo.spec import SPEC

BROKER = Broker(SPEC, OpenAlgoApi)
