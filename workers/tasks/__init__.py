"""The torch worker's jobs: fetch, compute, record. No rule of the loop lives here."""
