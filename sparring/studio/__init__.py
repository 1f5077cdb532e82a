"""The studio: a web page for runs, trainings, samples and edits, as an alternative to the command line."""

from sparring.studio.launch import launch

__all__ = ["launch"]
