"""Every decision of the loop as a pure function: frozen dataclass in, frozen dataclass with its reasons out."""
