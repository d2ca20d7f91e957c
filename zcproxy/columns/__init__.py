"""Columns of many networks: measured once, stored, read as a table."""
