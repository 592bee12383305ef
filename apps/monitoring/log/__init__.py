"""The prediction log: how answers come into it, and how much of it is kept."""
