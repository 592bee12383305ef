"""A trained model: what reads its rows, its network, its file, its answers."""
