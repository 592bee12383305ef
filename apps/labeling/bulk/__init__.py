"""Many examples at once: those like one another on a page, and those that somebody searches for."""
