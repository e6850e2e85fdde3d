"""A program that uses the public `openalgo` client; it knows nothing of this project.

One JSON request a line on standard input, one JSON answer a line on standard output:
``{"method", "kwargs", "api_key"?}`` gives ``{"result"}`` or ``{"error"}``. ``subscribe_*`` collect
what their callbacks receive; ``@events`` gives and empties that list once it has enough.
"""

import contextlib
import json
import math
import sys
import time


def described(value):
    """The result as JSON; a DataFrame as its index, columns, types and first rows."""
    if hasattr(value, "columns") and hasattr(value, "dtypes"):
        frame = {
            "index": str(value.index.name),
            "index_dtype": str(value.index.dtype),
            "columns": {str(name): str(kind) for name, kind in value.dtypes.items()},
            "rows": len(value),
            "head": json.loads(
                value.head(2).reset_index().to_json(orient="records", date_format="iso")
            ),
        }
        return {"_dataframe": frame}
    return value


class Child:
    def __init__(self, options):
        import openalgo

        self.version = getattr(openalgo, "__version__", "")
        self.options = options
        self.make = openalgo.api
        self.client = self.new(options["api_key"])
        self.events = []

    def new(self, key):
        return self.make(api_key=key, host=self.options["rest_url"], ws_url=self.options["ws_url"])

    def run(self, request):
        method, kwargs = request["method"], request.get("kwargs", {})
        if method == "@events":
            return self.wait_for(kwargs["count"], kwargs.get("timeout", 60.0))
        if method == "@methods":
            return [name for name in dir(self.make) if not name.startswith("_")]
        if method == "@strategy":
            return self.strategy(request.get("args", ()), **kwargs)
        client = self.new(request["api_key"]) if "api_key" in request else self.client
        call = getattr(client, method)
        if method == "subscribe_orders":
            return call(self.events.append)
        if method.startswith("subscribe_"):
            return call(kwargs["instruments"], on_data_received=self.events.append)
        return described(call(*request.get("args", ()), **kwargs))

    def strategy(self, args, address, call, **kwargs):
        """A method of the client's class for webhooks."""
        import openalgo

        sender = openalgo.Strategy(self.options["rest_url"], address)
        return getattr(sender, call)(*args, **kwargs)

    def wait_for(self, count, timeout):
        deadline = time.monotonic() + timeout
        while len(self.events) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        seen, self.events[:] = list(self.events), []
        return seen


def finite(value):
    """NaN is not JSON."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {name: finite(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return value


def main():
    out = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):  # the client prints
        child = None
        for line in sys.stdin:
            request = json.loads(line)
            try:
                if child is None:
                    child = Child(request)
                    answer = {"result": child.version}
                else:
                    answer = {"result": finite(child.run(request))}
            except Exception as error:
                answer = {"error": f"{type(error).__name__}: {error}"}
            out.write(json.dumps(answer, default=str) + "\n")
            out.flush()


main()
