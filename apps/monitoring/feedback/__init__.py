"""Feedback: what users did with an answer, joined with the log, judged once it is mature; its page and API."""
