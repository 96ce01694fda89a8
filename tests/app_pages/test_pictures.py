"""Pictures that are made once and shown many times."""

import pytest

from analysis.charts.drawing import write_spec
from analysis.charts.pictures import Picture
from app_pages.pictures import remember


@pytest.fixture
def written(monkeypatch):
    """Titles of the pictures that are written for the browser."""
    titles = []
    remember.clear()

    def note(picture):
        titles.append(picture.title)
        return write_spec(picture.chart)

    monkeypatch.setattr(Picture.__dict__["spec"], "func", note)
    return titles


def test_a_picture_is_written_for_the_first_who_sees_it_and_is_sent_whole_to_all(open_app, written):
    first = sent_to(open_app("edge"))
    count = len(written)
    assert count == len(first) == 2
    app = open_app("edge")
    assert sent_to(app) == first
    assert sent_to(app.run()) == first
    assert len(written) == count


def sent_to(app):
    """Returns what each picture of a page is sent: its alternative text, and its tables by name."""
    charts = [chart.proto for chart in app.get("vega_lite_chart")]
    tables = [{each.name: each.data.data for each in chart.datasets} for chart in charts]
    assert all(table and all(table.values()) for table in tables)
    return [(chart.alt, table) for chart, table in zip(charts, tables, strict=True)]
