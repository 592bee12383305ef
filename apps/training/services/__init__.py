"""Writes of training: the life of a run as people see it (`runs`), as its worker drives it (`ownership`), `triggers`."""
