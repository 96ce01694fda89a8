"""The sentence of a learning-rate sweep, every number in it taken from the result."""

from dataclasses import replace

from analysis.results import LrSweep


def number(value: float) -> str:
    """Returns a learning rate or loss as people type it: 0.1, 3e-4, 12.3.

    >>> [number(v) for v in (0.1, 0.0003, 0.10000000149, 12.345, 1e-3)]
    ['0.1', '3e-4', '0.1', '12.3', '0.001']
    """
    text = f"{value:.3g}"
    if "e" in text or (value and abs(value) < 1e-3):
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{float(mantissa):g}e{int(exponent)}"
    return text


def say_times(ratio: float) -> str:
    """Returns a ratio in two digits.

    >>> [say_times(ratio) for ratio in (2.887, 53.2, 1970.0, 1.9e25)]
    ['2.9', '53', '2,000', '1.9e25']
    """
    if ratio < 10:
        return f"{ratio:.1f}"
    return f"{float(f'{ratio:.2g}'):,.0f}" if ratio < 1e5 else f"{ratio:.2g}".replace("e+", "e")


def say_share(share: float) -> str:
    """Returns a share in percent, with a digit more below 1%.

    >>> [say_share(share) for share in (0.75, 0.004, 0.0001, 0.0)]
    ['75%', '0.4%', 'less than 0.1%', '0%']
    """
    if 0 < share < 0.0005:
        return "less than 0.1%"
    return f"{share:.0%}" if share >= 0.01 or share == 0 else f"{share:.1%}"


def describe_sweep(sweep: LrSweep, rungs: list) -> LrSweep:
    """Returns the sweep with its sentence."""
    return replace(sweep, sentence=" ".join(sentences(sweep, rungs)))


def count_unstable(sweep: LrSweep, rungs: list) -> int:
    """Returns how many runs of a sweep are infeasible or have a confirmed event."""
    return sum(round(rung.unstable * sum(run.base_lr == rung.base_lr for run in sweep.runs)) for rung in rungs)


def say_none(sweep: LrSweep, rungs: list) -> str:
    """Says that there is no edge: no run is unstable, or no learning rate in half of its seeds."""
    top, num_unstable = number(rungs[-1].base_lr), count_unstable(sweep, rungs)
    if not num_unstable:
        return f"No instability up to learning rate {top}"
    some = f"{num_unstable} of {len(sweep.runs)} runs {'are' if num_unstable > 1 else 'is'}"
    return f"No learning rate up to {top} is unstable in half of its seeds, but {some}"


def sentences(sweep: LrSweep, rungs: list) -> list[str]:
    """Writes verdict, evidence and what is missing."""
    if sweep.lr_star is None:
        return [f"None of {len(sweep.runs)} runs ended at a usable loss: start the sweep at lower learning rates."]
    star, said = number(sweep.lr_star), []
    low, high = (number(lr) for lr in sweep.tie_band)
    band = "" if low == high else f" ({low} to {high} cannot be told apart by these seeds)"
    if sweep.verdict == "not-enough-runs":
        lrs = len({run.base_lr for run in sweep.runs})
        return [
            f"{lrs} learning rate{'s' * (lrs != 1)}, best {star}: too few to say where it becomes unstable. "
            f"Train at least 4 over a decade around {star}."
        ]
    if sweep.verdict == "no-instability-seen":
        said.append(f"{say_none(sweep, rungs)}; the best is {star}{band}.")
    else:
        unstable = number(sweep.unstable_base_lr)
        seen = next(rung for rung in rungs if rung.base_lr == sweep.unstable_base_lr)
        seeds = sum(run.base_lr == sweep.unstable_base_lr for run in sweep.runs)
        share = f"{round(seen.unstable * seeds)} of {seeds} runs"
        said.append(
            {
                "edge": f"The best learning rate, {star}{band}, is right at the edge: "
                f"{share} are unstable at {unstable}.",
                "plateau": f"{low} to {high} do equally well, and training becomes unstable at {unstable} "
                f"({share}): instability is not what limits you.",
                "interior": f"The best learning rate, {star}{band}, lies well inside the stable range; "
                f"{unstable} is the first unstable one ({share}): instability is not what limits you.",
            }[sweep.verdict]
        )
    below = [rung for rung in rungs if rung.base_lr < sweep.lr_star and rung.unstable >= 0.5]
    if below:
        said.append(f"But runs at {number(below[-1].base_lr)}, below the best, are unstable too: repeat seeds there.")
    if sweep.at_range_end == "high":
        said.append(f"{star} is the largest that was tried: the range is too small, extend it upward.")
    if sweep.at_range_end == "low":
        said.append(f"{star} is the smallest that was tried: the range is too small, extend it downward.")
    if sweep.verdict == "no-instability-seen" and rungs[-1].base_lr < 4 * sweep.lr_star:
        said.append(f"No run at 5 or 10 times {star}: the double check is missing.")
    return said
