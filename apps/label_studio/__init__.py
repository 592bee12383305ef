"""Label Studio: our champion behind its ML-backend protocol."""
