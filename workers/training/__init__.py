"""Training without Django: rows and a recipe in, a bundle of weights out. It fetches and records nothing."""
