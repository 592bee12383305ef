"""The labeling desk: one page, the JSON it speaks, and what it shows."""
