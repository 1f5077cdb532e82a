"""Clips of which some frames are given: the frames that follow, or those between."""

from sparring.modalities.video_completion.completion import VideoCompletion

__all__ = ["VideoCompletion"]

KINDS = (VideoCompletion,)
