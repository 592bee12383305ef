"""Training a text encoder together with its head, in one process or in several on one host or many."""
