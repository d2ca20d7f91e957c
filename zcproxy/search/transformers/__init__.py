"""Transformers made elastic: super-networks of a given model, in depth, heads and feed-forward width."""
