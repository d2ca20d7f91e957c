"""Rankings of networks by proxies: scores, tables of correlations, figures, and controls."""
