"""What is in a set of pictures, and what is wrong with it, before anything is trained on it."""

from sparring.check.clean import write_clean
from sparring.check.report import Report
from sparring.check.show import table, write_report
from sparring.check.survey import survey

__all__ = ["Report", "survey", "table", "write_clean", "write_report"]
