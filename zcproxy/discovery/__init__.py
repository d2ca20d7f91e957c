"""Discovers a proxy for the networks of a user, and says what as many labels as there are can tell."""
