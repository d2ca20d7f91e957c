"""Results as a notebook shows them: a line, a table in HTML."""
