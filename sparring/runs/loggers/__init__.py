"""Readers of a run's log that send it to trackers of experiments: one file for each."""

from sparring.runs.loggers.sending import TRACKERS, Sent, follow, send

__all__ = ["TRACKERS", "Sent", "follow", "send"]
