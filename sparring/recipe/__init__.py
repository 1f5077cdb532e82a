"""A recipe is a published system's table of hyperparameters and the wiring that it names."""

from sparring.recipe.adversarial import Adversarial, WithAdam
from sparring.recipe.fields import (
    Count,
    Decay,
    Natural,
    Part,
    Positive,
    Share,
    Side,
    Weight,
    Widths,
    data,
    discriminator,
    generator,
    losses,
    optimisation,
    parse,
)
from sparring.recipe.pictures import POINTS_AND_IMAGES, OfPictures
from sparring.recipe.recipe import Phase, Recipe
from sparring.recipe.strided import Either, Strided

__all__ = [
    "POINTS_AND_IMAGES",
    "Adversarial",
    "Count",
    "Decay",
    "Either",
    "Natural",
    "OfPictures",
    "Part",
    "Phase",
    "Positive",
    "Recipe",
    "Share",
    "Side",
    "Strided",
    "Weight",
    "Widths",
    "WithAdam",
    "data",
    "discriminator",
    "generator",
    "losses",
    "optimisation",
    "parse",
]
