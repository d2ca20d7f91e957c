"""Figures of scores and tables, a file for each kind."""
