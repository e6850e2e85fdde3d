"""An account at a broker: login, session, calls, gateway and market source."""
