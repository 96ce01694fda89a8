"""Holds the documents to the code: what is explained exists, and what exists is explained."""

import re
from pathlib import Path

import pytest

from analysis.findings import diagnose
from analysis.runlog import schema
from analysis.runlog.readers import READERS
from tests.studies import make_study, sweep

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def headings(name: str) -> set[str]:
    """Returns the anchors of a document's sections."""
    return {line.lstrip("# ").strip() for line in (DOCS / name).read_text().splitlines() if line.startswith("## ")}


def test_every_finding_has_a_section_of_its_name_and_no_section_is_left_over():
    codes = {finding.code for finding in diagnose(make_study(sweep(edge=0.3))).findings}
    assert headings("findings.md") == codes


def test_every_column_and_field_of_the_run_log_is_in_its_document():
    text = (DOCS / "run-log.md").read_text()
    for entry in (*schema.STEP_COLUMNS, *schema.RUN_FIELDS):
        assert f"| `{entry.name}` |" in text, entry.name
        assert entry.meaning in text, entry.name


def test_every_format_is_in_the_document_with_what_it_loses_and_no_other_is():
    text = (DOCS / "run-log.md").read_text()
    table = text[text.index("## Formats") : text.index("Text that no format fits")]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    assert [(name, loses) for name, _, loses in rows[1:]] == [(reader.NAME, reader.LOSES) for reader in READERS]
    assert len(READERS) >= 20


@pytest.mark.parametrize(
    "path", sorted((ROOT / "analysis").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_every_threshold_that_cites_the_evidence_finds_its_section(path):
    cited = set(re.findall(r"docs/evidence\.md#([a-z-]+)", path.read_text()))
    assert cited <= headings("evidence.md")


def test_every_command_in_the_readme_is_a_module_or_make_target_that_exists():
    readme = (ROOT / "README.md").read_text()
    for module in set(re.findall(r"python -m ([a-z_.]+)", readme)):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert {"demo", "test"} <= set(re.findall(r"(?:^|`)make ([a-z-]+)", readme, re.M)) <= targets
