"""Images that networks are shown: published ones, the user's own, and what stands in for them."""
