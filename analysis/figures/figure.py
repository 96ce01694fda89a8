"""A figure of the playbook from a user's own runs: its facts and its caption, or why it does not apply."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analysis.results import RunDiagnosis
from analysis.runlog import schema

TITLES = {  # PLAYBOOK, "The figures, from the user's own runs"
    "4": "Two variants",
    "5": "What sparse logging hides",
    "6": "Warmup lengths",
    "7a": "The edge",
    "7b": "Above the best rate",
    "8": "The edge with warmup",
    "9": "Two clip thresholds",
}


@dataclass(frozen=True)
class Missing:
    """Why a figure does not apply, and what would make it.

    Attributes:
        reason: One sentence.
        command: The one command whose runs would make the figure.
    """

    reason: str
    command: str


@dataclass(frozen=True)
class Figure:
    """One figure of the playbook.

    Attributes:
        number: "4", "5", "6", "7a", "7b", "8" or "9".
        result: What its picture needs; `Missing` where it does not apply.
        caption: One sentence of computed facts; "" where it does not apply.
        series: Labels of the series that it shows.
        runs: The runs that it rests on.
        seeds: Fewest and most seeds of a setting that it shows.
    """

    number: str
    result: object
    caption: str = ""
    series: tuple[str, ...] = ()
    runs: tuple[RunDiagnosis, ...] = ()
    seeds: tuple[int, int] = (0, 0)

    @property
    def applies(self) -> bool:
        """Whether there are runs to draw it from."""
        return not isinstance(self.result, Missing)

    @property
    def title(self) -> str:
        """What it shows, in a few words."""
        return TITLES[self.number]

    @property
    def said_seeds(self) -> str:
        """How many seeds a setting has: "3 seeds"."""
        return say_seeds(self.seeds)


def make_figure(number: str, result: object, said: str, runs: Sequence[RunDiagnosis]) -> Figure:
    """Makes a figure: counts its seeds and ends its sentence with them.

    Args:
        number: Number of the figure.
        result: What its picture needs.
        said: Its sentence, without the full stop.
        runs: The runs that it rests on, at least one.
    """
    seeds = count_seeds(runs)
    series = tuple(dict.fromkeys(judged.series for judged in runs))
    return Figure(number, result, f"{said} ({say_seeds(seeds)}).", series, tuple(runs), seeds)


def count_seeds(runs: Iterable[RunDiagnosis]) -> tuple[int, int]:
    """Returns the fewest and the most seeds of the settings of runs; a setting is a series and a learning rate.

    Seeds that are not on record are counted as runs: runs of one setting are replicates.
    """
    by_setting: dict[tuple, set] = {}
    for judged in runs:
        seed = judged.run.record.get(schema.SEED)
        by_setting.setdefault((judged.series, judged.run.base_lr), set()).add(
            judged.run.run_id if seed is None else seed
        )
    counts = [len(seeds) for seeds in by_setting.values()]
    return (min(counts), max(counts)) if counts else (0, 0)


def say_seeds(seeds: tuple[int, int]) -> str:
    """Returns a number of seeds in words.

    >>> say_seeds((1, 1)), say_seeds((3, 3)), say_seeds((1, 3))
    ('1 seed', '3 seeds', '1 to 3 seeds')
    """
    low, high = seeds
    return f"{low} seed{'s' * (low != 1)}" if low == high else f"{low} to {high} seeds"


def say_of(hits: int, total: int, what: str = "run") -> str:
    """Returns a count of runs.

    >>> say_of(2, 3), say_of(1, 1)
    ('2 of 3 runs', '1 of 1 run')
    """
    return f"{hits} of {total} {what}{'s' * (total != 1)}"


def join_words(words: Sequence[str]) -> str:
    """Returns words as a list in a sentence.

    >>> join_words(["0.1", "0.2", "1"])
    '0.1, 0.2 and 1'
    """
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
