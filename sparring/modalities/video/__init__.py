"""Films, cut into clips of one size and one rate."""

from sparring.modalities.video.video import Video

__all__ = ["Video"]

KINDS = (Video,)
