"""The learner that never stops."""
