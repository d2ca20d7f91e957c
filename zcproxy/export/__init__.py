"""Exports proxies and networks as files of their own."""
