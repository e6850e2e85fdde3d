"""Approvals, audit, risk, kill report, lock, log."""
