"""The web page: runs, trainings, samples, edits, tables, for people who would rather not type commands."""

from sparring.studio.launch import launch

__all__ = ["launch"]
