"""Differential privacy: what a training may reveal of each record, and the noise that ensures it."""

from sparring.privacy.accountant import Release, epsilon, gaussian_noise, noise_for, pooled
from sparring.privacy.guarantee import Guarantee, planned, promised, statement
from sparring.privacy.ledger import Ledger
from sparring.privacy.noise import SecretNoise

__all__ = [
    "Guarantee", "Ledger", "Release", "SecretNoise", "epsilon", "gaussian_noise", "noise_for", "planned", "pooled",
    "promised", "statement",
]  # fmt: skip
