"""The command `figures`: rows, JSON, and pages that need nothing else."""

import html
import json
import re

import pytest

from analysis.__main__ import main
from analysis.figures import TITLES, find_figures
from analysis.findings import diagnose
from analysis.runlog import schema
from tests.analysis.figures.known import variants
from tests.app_pages.stores import add_study
from tests.studies import make_run, make_study

HOSTILE = "</script><img src=x onerror=alert(1)>"


@pytest.fixture
def store(tmp_path):
    add_study(tmp_path / "studies", "strides", variants(), tmp_path / "files")
    return str(tmp_path / "studies")


def test_one_row_per_figure_says_number_caption_and_how_many_runs(store, capsys):
    assert main(["figures", "strides", "--store", store]) == 0
    rows = capsys.readouterr().out.splitlines()
    figures = find_figures(diagnose(make_study(variants(), "strides")))
    assert [row.split()[0] for row in rows] == list(TITLES)
    for row, figure in zip(rows, figures, strict=True):
        if figure.applies:
            assert row.endswith(f"{figure.caption} [{len(figure.runs)} runs]")
        else:
            assert row.endswith(f"does not apply: {figure.result.reason} Make it: {figure.result.command}")


def test_json_has_all_that_the_rows_say_and_the_runs(store, capsys):
    assert main(["figures", "strides", "--store", store, "--json"]) == 0
    published = json.loads(capsys.readouterr().out)
    assert published["schema"] == "steadystep.figures/1"
    assert published["study"] == "strides"
    by_number = {figure["number"]: figure for figure in published["figures"]}
    assert by_number["4"]["applies"]
    assert by_number["4"]["seeds"] == [2, 3]
    assert len(by_number["4"]["run_ids"]) == 30
    assert by_number["4"]["command"] == ""
    assert not by_number["8"]["applies"]
    assert by_number["8"]["command"].startswith("python -m runners.lr_sweep --study strides")


def test_pages_are_written_for_the_figures_that_apply_and_load_nothing(store, tmp_path, capsys):
    folder = tmp_path / "pages"
    assert main(["figures", "strides", "--store", store, "-o", str(folder), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)["figures"]
    written = [figure["file"] for figure in figures if figure["applies"]]
    assert sorted(map(str, folder.iterdir())) == sorted(written)
    assert all(figure["file"] is None for figure in figures if not figure["applies"])
    page = (folder / "figure_4.html").read_text()
    assert next(figure["caption"] for figure in figures if figure["number"] == "4") in page
    assert "default-src 'none'" in html.unescape(page)
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", words_of(page))
    assert page.count('class="chart"') == len(specs_of(page)) == 3


def words_of(page):
    """Returns a page without the scripts that we wrote or pinned: a name that ends its script would stand in it."""
    return re.sub(r"<script>.*?</script>", "", page, flags=re.S)


def specs_of(page):
    """Returns the specifications that a page holds."""
    return json.loads(re.search(r'<script type="application/json" id="specs">(.*?)</script>', page)[1])


def test_no_name_of_a_run_ends_the_script_or_becomes_markup(tmp_path):
    runs = [
        make_run(run.loss[1], **{**run.record, schema.NAME: HOSTILE, "stride": HOSTILE + run.record["stride"]})
        for run in variants()
    ]
    add_study(tmp_path / "studies", "hostile", runs, tmp_path / "files")
    assert main(["figures", "hostile", "--store", str(tmp_path / "studies"), "-o", str(tmp_path / "pages")]) == 0
    page = (tmp_path / "pages" / "figure_4.html").read_text()
    assert "<img" not in words_of(page)
    assert "<img" in json.dumps(specs_of(page))


def test_an_unknown_study_is_one_line_and_exit_two(tmp_path, capsys):
    assert main(["figures", "nothing", "--store", str(tmp_path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
