"""One example: its page, what may be done with it there, and the same over the API."""
