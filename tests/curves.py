"""Loss curves with known answers: what a detector must say of them is part of the curve."""

from dataclasses import dataclass

import numpy as np

LAWS = ("gaussian", "t3", "gamma", "lognormal", "ar.5", "ar.8")


@dataclass(frozen=True)
class Answer:
    """A curve and what is true of it.

    Attributes:
        loss: One loss a step, shape (n,).
        kind: "stable", "early" or "mid-training".
        outcome: "recovered", "not-recovered", "diverged", or "" for a stable curve.
        onset_step: First step of the rise, None for a stable curve.
    """

    loss: np.ndarray
    kind: str = "stable"
    outcome: str = ""
    onset_step: int | None = None


def draw_noise(law: str, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draws n values of mean 0 and standard deviation 1."""
    if law == "gaussian":
        return rng.normal(size=n)
    if law == "t3":
        return rng.standard_t(3, size=n) / np.sqrt(3)
    if law == "gamma":
        return (rng.gamma(4, size=n) - 4) / 2
    if law == "lognormal":
        raw = rng.lognormal(0, 1, size=n)
        return (raw - np.exp(0.5)) / np.sqrt((np.e - 1) * np.e)
    correlation = float(law.removeprefix("ar"))
    from scipy.signal import lfilter

    white = rng.normal(size=n + 200) * np.sqrt(1 - correlation**2)
    return lfilter([1.0], [1.0, -correlation], white)[200:]


def stable(law: str, n: int, seed: int) -> Answer:
    """Makes a stable run: flat, or declining by a power law, under noise of 2 to 15 % of the level."""
    rng = np.random.default_rng([seed, n, LAWS.index(law)])
    floor, drop, power = rng.uniform(0.1, 3), rng.choice([0.0, rng.uniform(1, 8)]), rng.uniform(0.2, 0.8)
    level = floor + drop * (np.arange(n) + 1.0) ** -power
    noise = 1 + rng.uniform(0.02, 0.15) * draw_noise(law, n, rng)
    return Answer(level * np.maximum(noise, 0.02))


def decline(n: int, rng: np.random.Generator, start: float = 2.4, end: float = 0.3, noise: float = 0.05) -> np.ndarray:
    """Makes a steady decline from start to end with Gaussian noise."""
    t = np.arange(n) / max(1, n - 1)
    return (end + (start - end) * np.exp(-6 * t)) * (1 + noise * rng.normal(size=n))


def early(n: int, seed: int, height: float = 2.0, lasts: int = 5, recovers: bool = True) -> Answer:
    """Makes a run whose loss jumps above its start within the first steps (Figure 5)."""
    rng = np.random.default_rng(seed)
    loss = decline(n, rng)
    if recovers:
        loss[1 : 1 + lasts] = (
            2.4 * (1 + (height - 1) * np.linspace(0.6, 1.0, lasts)) * (1 + 0.03 * rng.normal(size=lasts))
        )
        return Answer(loss, "early", "recovered", 1)
    loss[1:] = 2.4 * height * (1 + 0.03 * rng.normal(size=n - 1))
    return Answer(loss, "early", "not-recovered", 1)


def mid(n: int, seed: int, outcome: str = "recovered", height: float = 1.5) -> Answer:
    """Makes a run that declines steadily, then rises suddenly in its middle (Figure 7b)."""
    rng = np.random.default_rng(seed)
    loss, at = decline(n, rng), n // 2
    length = max(20, n // 20) if outcome == "recovered" else n - at
    shape = np.exp(-np.arange(length) / (length / 3)) if outcome == "recovered" else np.ones(length)
    loss[at : at + length] += height * shape * (1 + 0.05 * rng.normal(size=length))
    if outcome == "diverged":
        loss[at + 10 :] = np.nan
    return Answer(loss, "mid-training", outcome, at)
