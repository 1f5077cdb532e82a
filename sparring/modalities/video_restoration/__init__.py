"""Films that are restored: every frame from itself and its neighbors."""

from sparring.modalities.video_restoration.degraded import DegradedVideo

__all__ = ["DegradedVideo"]

KINDS = (DegradedVideo,)
