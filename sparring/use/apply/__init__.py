"""Trained nets from pictures to pictures, put to work on users' pictures and videos."""

from sparring.use.apply.apply import apply, is_video

__all__ = ["apply", "is_video"]
