"""How a detector is trained, calibrated and judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from torch import Tensor
from torch.nn import functional as F

from sparring.console import Screen
from sparring.data.store import Progress
from sparring.errors import InputError
from sparring.model import load
from sparring.provenance.degradations import DEGRADATIONS, values
from sparring.provenance.detector import BATCH, BINS, Detector, PatchNet, has_critic
from sparring.provenance.pictures import MIN_HELD, Pictures, pictures, prints
from sparring.provenance.watermark_nets import resized

STEPS = 600
NET_BATCH = 32
RATE = 2e-3
SAMPLES = 2000  # of each model
FALSE_POSITIVES = 0.01
CALIBRATION_BINS = 10


def trained(
    runs: Sequence[str],
    unseen: Sequence[str],
    screen: Screen,
    steps: int = STEPS,
    trust: bool = False,
    samples: int = SAMPLES,
    seed: int = 0,
) -> Detector:
    """A detector of the pictures of runs.

    Args:
        unseen: runs whose pictures it is judged with, and not trained on.
        steps: of the training of the net.
        trust: as for `sparring.load`.
        samples: of each model: half of them for the training, and a quarter each for calibrating and judging.

    Raises:
        InputError: if a run generates something else than pictures of one size, or its data are missing.
    """
    models = [load(run, trust=trust) for run in runs]
    shapes = {model.modality.classifier_input for model in models}
    if len(shapes) > 1:
        raise InputError(f"{', '.join(runs)} generate pictures of several sizes or channels; give runs of one size")
    found = [pictures(model, samples, screen) for model in models]
    others = {run: pictures(load(run, trust=trust), samples // 4, screen, seed + 1).samples for run in unseen}
    held = unseen_by_all(found)
    channels, size, _ = models[0].modality.classifier_input or (3, 64, 64)
    with torch.random.fork_rng(), screen.progress("training a detector") as progress:
        torch.manual_seed(seed)
        real, made = (torch.cat([getattr(one, name) for one in found]) for name in ("train", "samples"))
        net = _net(real, _part(made, 0, 0.5), channels, size, steps, progress)
        width = sum(map(has_critic, models)) + BINS + 1
        detector = Detector(models, net, {
            "size": size, "channels": channels, "models": [str(one.recipe.name) for one in models],
            "data": sorted({str(one.about["name"]) for one in models}), "mean": [0.0] * width, "scale": [1.0] * width,
            "weights": [0.0] * width, "bias": 0.0, "judged": {},
        })  # fmt: skip
        _calibrate(detector, _part(held, 0, 0.5), _part(made, 0.5, 0.75))
        detector.about["judged"] = judged(detector, _part(held, 0.5, 1), _part(made, 0.75, 1), others)
    return detector


def _part(x: Tensor, start: float, end: float) -> Tensor:
    """A share of pictures, spread over all of them: each model's are next to each other."""
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(len(x)))
    return x[order[round(start * len(x)) : round(end * len(x))]]


def unseen_by_all(found: Sequence[Pictures]) -> Tensor:
    """Held-out pictures, each once, that no run was trained on: runs on the same data hold out the same ones, and runs
    on parts of the same data may train on what others hold out.

    Raises:
        InputError: if too few are left.
    """
    distinct: Tensor = torch.unique(torch.cat([one.held for one in found]), dim=0)
    known = frozenset[bytes]().union(*(one.prints for one in found))
    left = distinct[torch.tensor([one not in known for one in prints(distinct)], dtype=torch.bool)]
    if len(left) < MIN_HELD:
        raise InputError(
            f"only {len(left)} pictures are held out of the training of all runs, and at least {MIN_HELD} are needed; "
            "give runs whose data do not overlap, or that were trained on the same data"
        )
    return left


def _net(real: Tensor, made: Tensor, channels: int, size: int, steps: int, progress: Progress) -> PatchNet:
    """A net that tells real pictures from others, as they are and after degradations."""
    net = PatchNet(channels)
    optimizer = torch.optim.AdamW(net.parameters(), lr=RATE)
    half, degradations = NET_BATCH // 2, list(DEGRADATIONS.values())
    y = torch.cat([torch.zeros(half), torch.ones(half)])
    with torch.enable_grad():
        for step in range(steps):
            x = torch.cat([values(one[torch.randint(len(one), (half,))]) for one in (real, made)])
            degrade = degradations[int(torch.randint(len(degradations), ()))]
            x = resized(degrade(x), size, size)
            x = x.flip(-1) if torch.rand(()) < 0.5 else x
            loss = F.binary_cross_entropy_with_logits(net(x).mean((1, 2, 3)), y)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.param_groups[0]["lr"] = RATE * (1 - step / steps)
            optimizer.step()
            progress(step + 1, steps)
    return net


def _calibrate(detector: Detector, real: Tensor, made: Tensor) -> None:
    """Weigh the sources by logistic regression on pictures that the net has not seen, as they are and after
    degradations. Both sorts count the same, so that its output is a probability if half of the pictures are generated.
    """
    parts, y = [], []
    for degrade in DEGRADATIONS.values():
        for x, generated in ((real, 0), (made, 1)):
            parts.append(detector.features(degrade(values(x))))
            y += [generated] * len(x)
    features = torch.cat(parts).numpy()
    mean, scale = features.mean(0), features.std(0).clip(1e-6)
    model = LogisticRegression(C=0.1, class_weight="balanced", max_iter=1000).fit((features - mean) / scale, y)
    about = detector.about
    about["mean"], about["scale"] = mean.tolist(), scale.tolist()
    about["weights"], about["bias"] = model.coef_[0].tolist(), float(model.intercept_[0])


def judged(detector: Detector, real: Tensor, made: Tensor, unseen: Mapping[str, Tensor]) -> dict[str, Any]:
    """How well a detector does on pictures that it was neither trained nor calibrated on.

    Args:
        real, made: (n, c, h, w), uint8.
        unseen: samples of models that it does not know, by name.

    Returns:
        For each degradation `accuracy`, `auc`, `tpr` at 1% false positives and the expected calibration error `ece`;
        and for each unseen model the share of its samples that are taken for generated.
    """
    shares: dict[str, float] = {}
    found: dict[str, Any] = {"real": len(real), "generated": len(made), "unseen": shares}
    for name, degrade in DEGRADATIONS.items():
        p = [np.concatenate([detector.probabilities(degrade(values(part))).numpy() for part in torch.split(x, BATCH)])
             for x in (real, made)]  # fmt: skip
        found[name] = scores(*p)
    found["unseen"] = {
        run: float((detector.probabilities(values(x)) > 0.5).float().mean()) for run, x in unseen.items()
    }
    return found


def scores(real: np.ndarray, made: np.ndarray) -> dict[str, float]:
    """Metrics of the probabilities of real and of generated pictures, of which both sorts count the same."""
    y, p = np.repeat([0, 1], [len(real), len(made)]), np.concatenate([real, made])
    weight = np.repeat([0.5 / len(real), 0.5 / len(made)], [len(real), len(made)])
    bins = (p * CALIBRATION_BINS).astype(int).clip(max=CALIBRATION_BINS - 1)
    ece = sum(abs((weight * (y - p))[bins == i].sum()) for i in range(CALIBRATION_BINS))
    threshold = np.quantile(real, 1 - FALSE_POSITIVES, method="higher")
    return {
        "accuracy": float(((made > 0.5).mean() + (real <= 0.5).mean()) / 2),
        "auc": float(roc_auc_score(y, p)),
        "tpr": float((made > threshold).mean()),
        "ece": float(ece),
    }
