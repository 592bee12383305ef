"""How far the answers can be trusted: agreement, gold, reviews, doubted labels, and the work of each person."""
