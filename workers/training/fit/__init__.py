"""A training in one process: what may be trained on, the loop, its steps, and what a checkpoint holds."""
