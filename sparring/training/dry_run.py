"""One step of a user's own recipe before its run begins, so that mistakes in it are named in one line."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from sparring import devices
from sparring.data.dataset import Dataset
from sparring.data.tensors import CONDITION, VALUES
from sparring.errors import InputError, own_code
from sparring.games.game import Game
from sparring.loop import play
from sparring.modalities import Modality, Samples
from sparring.recipes.base import Recipe
from sparring.seeds import Seeds
from sparring.training.dealer import dealer
from sparring.training.settings import shard_size
from sparring.training.sizes import WEIGHT_COPIES

CPU = torch.device("cpu")


def dry_run(recipe: Recipe[Any], modality: Modality, data: Dataset) -> None:
    """Build a recipe's game, draw samples, play one step of each phase, and decode the samples, on the CPU.

    Nothing of it remains: the run builds its game anew, and the random state is restored.

    Raises:
        InputError: for the first mistake, with the line of the user's file where it shows.
    """
    deal = dealer(modality, data, shard_size(recipe), recipe.shards, Seeds(), CPU)
    with torch.random.fork_rng([]):
        with _doing(recipe, "a batch of the data was made"):
            batch = deal(0, 0)
        _check_shape("scale returns", batch[VALUES], modality)
        with _doing(recipe, "the nets were built"):
            game = recipe.build(modality, WEIGHT_COPIES)
            phases = recipe.played(game)
        _check_samples(recipe, modality, game, batch)
        with _doing(recipe, "one step was trained"):
            for phase in phases:
                for _ in play(game, phase.players, deal, devices.fabric(CPU), 1, shards=recipe.shards):
                    pass


@torch.no_grad()
def _check_samples(recipe: Recipe[Any], modality: Modality, game: Game, batch: Mapping[str, Tensor]) -> None:
    condition = batch.get(CONDITION) if game.conditional else None
    call = "G is called with latents (n, width) and labels (n,) or None"
    with _doing(recipe, "samples were generated", call):
        samples = game.generate(game.draw(len(batch[VALUES]), CPU), condition)
    _check_shape("G returns", samples[VALUES], modality)
    discriminator = game.discriminator()
    if discriminator is not None:
        with _doing(recipe, "D judged samples", "D is called with samples (n, ...) and labels (n,) or None"):
            logits = discriminator(samples[VALUES], condition)
        if isinstance(logits, Tensor) and logits.shape == (len(logits), len(logits)) and len(logits) > 1:
            raise InputError(f"D returns logits of shape {tuple(logits.shape)}; return one logit per sample, (n,)")
    with _doing(recipe, "samples were decoded and drawn"):
        labels = modality.labels_of(condition) if modality.classes and condition is not None else None
        sheet = Samples(modality.decode(samples), labels, modality).preview()
    if not isinstance(sheet, Image.Image):
        raise InputError(f"preview returns {type(sheet).__name__}; return a PIL image")
    with _doing(recipe, "features of samples were computed"):
        features = modality.features(samples)
    if features.ndim != 2 or len(features) != len(samples[VALUES]):
        raise InputError(f"features returns a tensor of shape {tuple(features.shape)}; return one vector per sample")


def _check_shape(what: str, values: Tensor, modality: Modality) -> None:
    if values.shape[1:] != modality.shape:
        shape = tuple(values.shape[1:])
        raise InputError(f"{what} values of shape {shape}, but samples of these data have shape {modality.shape}")


@contextmanager
def _doing(recipe: Recipe[Any], what: str, hint: str = "") -> Iterator[None]:
    """Turns any error into an `InputError` that says what was being done."""
    with own_code(inspect.getfile(type(recipe)), after=f" (while {what}{f'; {hint}' if hint else ''})"):
        yield
