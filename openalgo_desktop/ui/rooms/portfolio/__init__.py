"""Positions, holdings, funds, the paper account."""
