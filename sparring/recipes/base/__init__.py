"""A recipe is a published system's table of hyperparameters and the wiring that it names."""

from sparring.recipes.base.adversarial import Adversarial, Targeted, WithAdam
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
    optimisation,
    parse,
)
from sparring.recipes.base.images import POINTS_AND_IMAGES, OfPictures
from sparring.recipes.base.recipe import Phase, Recipe
from sparring.recipes.base.series import OfSeries
from sparring.recipes.base.strided import Either, Light, Strided, alone
from sparring.recipes.base.tables import OfTables
from sparring.recipes.base.translation import OfMapped, Restoring

__all__ = [
    "POINTS_AND_IMAGES",
    "Adversarial",
    "Count",
    "Decay",
    "Either",
    "Fraction",
    "Light",
    "Natural",
    "OfMapped",
    "OfPictures",
    "OfSeries",
    "OfTables",
    "Phase",
    "Pixels",
    "Positive",
    "Recipe",
    "Restoring",
    "Share",
    "Strided",
    "Targeted",
    "Weight",
    "Widths",
    "WithAdam",
    "Words",
    "alone",
    "data",
    "discriminator",
    "generator",
    "losses",
    "optimisation",
    "parse",
]
