"""Adapts to a new space with few labels: chooses among proxies, and says what to expect of the choice."""
