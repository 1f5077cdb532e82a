"""A recipe is a published system's table of hyperparameters and the wiring that it names."""

from sparring.recipe.adversarial import Adversarial, Targeted, WithAdam
from sparring.recipe.fields import (
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
from sparring.recipe.mapped import OfMapped, Restoring
from sparring.recipe.pictures import POINTS_AND_IMAGES, OfPictures
from sparring.recipe.recipe import Phase, Recipe
from sparring.recipe.series import OfSeries
from sparring.recipe.strided import Either, Light, Strided, alone
from sparring.recipe.tables import OfTables

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
