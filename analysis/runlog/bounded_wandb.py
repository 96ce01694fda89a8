"""Runs on a W&B server for the import page: one process copies them, another without network reads those files."""

from collections.abc import Callable, Mapping

from analysis.runlog.bounded_import import Reading, read_fetched
from analysis.runlog.wandb_address import read_address
from analysis.runlog.wandb_cloud import fetch


def read_server(
    text: str,
    column_maps: Mapping[str, Mapping[str, str]] | None = None,
    on_file: Callable[[int, int], None] | None = None,
) -> Reading:
    """Reads the runs that a path or address names from the server of WANDB_BASE_URL, and from no other.

    Args:
        text: As for `wandb_cloud.read`.
        column_maps: As for `read_files`.
        on_file: Is told how many of how many runs are read.

    Raises:
        RunLogError: As for `wandb_cloud.read`.
    """
    address = read_address(text)
    return read_fetched(
        lambda folder, work: fetch(address, folder, work), address.run or address.project, column_maps, on_file
    )
