"""What is in a set of pictures, and what is wrong with it, before anything is trained on it."""

from sparring.modalities.images.check.clean import write_clean
from sparring.modalities.images.check.report import Report
from sparring.modalities.images.check.show import table, write_report
from sparring.modalities.images.check.survey import survey

__all__ = ["Report", "survey", "table", "write_clean", "write_report"]
