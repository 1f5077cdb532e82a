"""What recipes are built from: fields, groups of fields, and common nets and games."""

from sparring.recipes.base.adam import AdamFields
from sparring.recipes.base.adversarial import AdamGan, Adversarial, StandardGan
from sparring.recipes.base.audio import AudioRecipe
from sparring.recipes.base.audio_restoration import AudioRestorationRecipe
from sparring.recipes.base.audio_translation import AudioTranslationRecipe
from sparring.recipes.base.dcgan import DcganNets, PointsOrImages, refuse_batch_norm
from sparring.recipes.base.fields import (
    Count,
    Decay,
    Fraction,
    Natural,
    Pixels,
    Positive,
    Share,
    Weight,
    Widths,
    Words,
    data,
    discriminator,
    generator,
    losses,
    optimization,
    parse,
)
from sparring.recipes.base.images import ImageRecipe
from sparring.recipes.base.joint import JointNets, JointRecipe
from sparring.recipes.base.perceptual import PerceptualRecipe
from sparring.recipes.base.policy import PolicyRecipe
from sparring.recipes.base.private import Delta, PrivateRecipe
from sparring.recipes.base.recipe import Phase, Recipe
from sparring.recipes.base.relativistic import RelativisticGan
from sparring.recipes.base.resampled import ResampledRecipe
from sparring.recipes.base.series import SeriesRecipe
from sparring.recipes.base.tables import TableRecipe
from sparring.recipes.base.text import TextRecipe
from sparring.recipes.base.translation import RestorationRecipe, TranslationRecipe
from sparring.recipes.base.video import VideoRecipe
from sparring.recipes.base.video_completion import VideoCompletionRecipe

__all__ = [
    "AdamFields", "AdamGan", "Adversarial", "AudioRecipe", "AudioRestorationRecipe", "AudioTranslationRecipe",
    "Count", "DcganNets", "Decay", "Delta", "Fraction", "ImageRecipe", "JointNets", "JointRecipe", "Natural",
    "PerceptualRecipe", "Phase", "Pixels", "PointsOrImages", "PolicyRecipe", "Positive", "PrivateRecipe", "Recipe",
    "RelativisticGan", "ResampledRecipe", "RestorationRecipe", "SeriesRecipe", "Share", "StandardGan", "TableRecipe",
    "TextRecipe", "TranslationRecipe", "VideoCompletionRecipe", "VideoRecipe", "Weight", "Widths", "Words", "data",
    "discriminator", "generator", "losses", "optimization", "parse", "refuse_batch_norm",
]  # fmt: skip
