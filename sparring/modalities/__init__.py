"""Kinds of data: how files become tensors and tensors become files, and how samples are drawn and evaluated."""

from sparring.modalities.asks import Ask, Request
from sparring.modalities.audio import Audio
from sparring.modalities.audio_translation import AudioTranslation, DegradedAudio, PairedAudio, Vocoded
from sparring.modalities.base import Encoded, Modality, Recommendation, Source, Words
from sparring.modalities.find import find, kind_of, kinds
from sparring.modalities.images import Images
from sparring.modalities.points import Points
from sparring.modalities.samples import Samples, Writer
from sparring.modalities.series import Series
from sparring.modalities.tables import Table
from sparring.modalities.translation import Degraded, Paired, Translation, Unpaired
from sparring.modalities.video import Video
from sparring.modalities.video_completion import VideoCompletion
from sparring.modalities.video_restoration import DegradedVideo

__all__ = [
    "Ask", "Audio", "AudioTranslation", "Degraded", "DegradedAudio", "DegradedVideo", "Encoded", "Images", "Modality",
    "Paired", "PairedAudio", "Points", "Recommendation", "Request", "Samples", "Series", "Source", "Table",
    "Translation", "Unpaired", "Video", "VideoCompletion", "Vocoded", "Words", "Writer", "find", "kind_of", "kinds",
]  # fmt: skip
