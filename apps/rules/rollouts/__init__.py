"""How a candidate meets users: who sees it, how long, and when what was seen is enough to stop or to go on."""
