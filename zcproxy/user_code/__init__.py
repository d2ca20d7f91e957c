"""Code of users: which may run, how it is named, and the border where its failures become one line."""
