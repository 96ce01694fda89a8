"""A folder of logs of many trackers is dropped, judged, kept and taken back, in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from analysis.findings import diagnose
from analysis.headline import write_headline
from analysis.runlog import list_studies, read_paths, read_study
from tests.browser.test_journeys import assert_fits, open_page, wait_until_drawn
from tests.runlog.readers.samples import SAMPLES

FORMATS = {  # eight files that lie in a folder as their trackers leave them
    "lightning/metrics.csv": "lightning csv",
    "yolo/results.csv": "yolo csv",
    "hf/trainer_state.json": "hf trainer state",
    "tensorboard/events.out.tfevents.1": "tensorboard events",
    "megatron/stdout.txt": "megatron text",
    "mlperf/result.txt": "mlperf mllog",
    "nanogpt/log.txt": "modded-nanogpt txt",
    "jsonl/log.jsonl": "jsonl",
}


@pytest.fixture
def folder(tmp_path):
    """A folder of logs of eight formats, and what else lies around."""
    root = tmp_path / "runs"
    for place, name in FORMATS.items():
        (root / place).parent.mkdir(parents=True)
        (root / place).write_bytes(SAMPLES[name]())
    (root / "notes.md").write_text("a sentence\n")
    (root / "hf" / "model.pkl").write_bytes(b"\x80\x04cposix\nsystem\n.")
    return root


def drop(page: Page, url: str, folder) -> None:
    """Opens the import page and gives it a folder."""
    open_page(page, f"{url}/import_logs?study=stride&give=A+folder", "Import logs")
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(folder)
    expect(page.get_by_text("10 files, 2 left out")).to_be_visible()
    wait_until_drawn(page)


def test_a_folder_of_eight_formats_gives_eight_runs_and_a_verdict_that_can_be_kept_and_taken_back(page, server, folder):
    drop(page, server.url, folder)
    verdict = write_headline(diagnose(read_paths([folder]))).title
    expect(page.get_by_role("heading", level=3).first).to_have_text(verdict)
    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(1)
    expect(page.get_by_text("Columns of lightning csv")).to_be_visible()
    before = [entry.name for entry in list_studies(server.store)]
    name = page.get_by_role("combobox", name="Keep them in study")
    name.fill("eight trackers")
    name.press("Enter")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.get_by_text("8 runs written to study eight trackers.")).to_be_visible()
    assert len(read_study("eight trackers", server.store)) == len(FORMATS)
    expect(page.get_by_role("combobox", name="Study", exact=True)).to_have_value("eight trackers")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Keep", exact=True)).to_be_visible()
    assert [entry.name for entry in list_studies(server.store)] == before
    page.get_by_test_id("stPageLink").get_by_text("Open its findings").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(verdict)


def test_the_import_page_is_no_wider_than_its_window_wide_or_narrow(page, server, keep, folder):
    drop(page, server.url, folder)
    page.get_by_text("Columns of lightning csv").click()
    expect(page.get_by_text("Gray is what the reader found").locator("visible=true")).to_have_count(1)
    keep("import_read")
    assert_fits(page, "import_logs")
