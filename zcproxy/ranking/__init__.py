"""How well proxies rank networks: scores, tables of correlations, figures, and controls."""
