"""What a chart can be taken away as: its numbers, and a drawing."""

import re
from collections.abc import Callable, Hashable

import pandas as pd
import streamlit as st

from analysis.charts.drawing import write_svg
from analysis.charts.pictures import Picture
from app_pages.pictures import remember

FORMULA = re.compile(r"^[=+\-@\t\r]")


def show_files(key: tuple[Hashable, ...], name: str, picture: Picture, table: Callable[[], pd.DataFrame]) -> None:
    """Shows the buttons that write what a chart draws; a PNG is in the corner of the chart itself.

    Args:
        key: Key of the picture, as `pictures.key_of` returns it.
        name: Name of the files.
        picture: The picture.
        table: What makes the table of its numbers.
    """
    files = {
        "Data": (".csv", "text/csv", lambda: write_csv(table()), ":material/table_view:", "The drawn numbers, as CSV"),
        "SVG": (".svg", "image/svg+xml", lambda: write_svg(picture.chart), ":material/shape_line:", "A drawing"),
    }
    with st.container(horizontal=True, gap="small"):
        for label, (ending, mime, write, icon, words) in files.items():
            st.download_button(
                label,
                data=lambda ending=ending, write=write: remember((*key, "file", ending), write),
                file_name=f"{name}{ending}",
                mime=mime,
                icon=icon,
                help=words,
                on_click="ignore",
                type="tertiary",
                key=f"{name}{ending}",
            )


def write_csv(table: pd.DataFrame) -> str:
    """Writes a table as CSV that no spreadsheet takes for a formula: such text gets an apostrophe in front."""
    texts = table.select_dtypes(exclude="number").columns
    safe = {column: table[column].map(lambda value: make_safe(str(value))) for column in texts}
    return table.assign(**safe).to_csv(index=False)


def make_safe(text: str) -> str:
    """Returns text that a spreadsheet shows as it is.

    >>> make_safe("=1+1"), make_safe("run-1")
    ("'=1+1", 'run-1')
    """
    return f"'{text}" if FORMULA.match(text) else text
