"""Made the database of release 0.1 that `tests/upgrades` migrates; see `everything`."""
