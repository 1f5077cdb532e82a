"""Texts: lines, columns of tables, records, files, and windows of a long text."""

from sparring.modalities.text.text import Text

__all__ = ["Text"]

KINDS = (Text,)
