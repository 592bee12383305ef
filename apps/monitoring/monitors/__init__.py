"""Monitors of a project: their policy, what they read of each window, the alarms they raise, and how right those were."""
