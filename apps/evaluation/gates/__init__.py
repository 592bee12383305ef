"""The policy of gates: which judge a project's models, and with which limits."""
