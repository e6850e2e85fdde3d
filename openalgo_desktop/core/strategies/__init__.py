"""Strategies: made ones (legs and rules that our engine runs) and hosted ones (programs of users).

Pure words and rules; the services are in :mod:`openalgo_desktop.automation`.
"""
