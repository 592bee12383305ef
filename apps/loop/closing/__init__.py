"""Projects that are over: into the archive and out of it, and deleted for good with all that hangs on them."""
