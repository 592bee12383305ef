"""Feedback: taken, joined, judged, shown."""
