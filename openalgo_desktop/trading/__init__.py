"""The corridor of orders: validate, risk, approve, journal, route, reconcile."""
