"""Painters: arrays into pixels."""
