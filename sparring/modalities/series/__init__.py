"""Time series."""

from sparring.modalities.series.series import Series

__all__ = ["Series"]

KINDS = (Series,)
