"""Payloads to vectors: what is installed, what a run fine-tuned, what an admin brought."""
