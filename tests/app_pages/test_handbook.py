"""The handbook: no finding without its section, and what a study says of it."""

import ast
import re
from pathlib import Path

import pytest

from analysis.findings import diagnose
from app_pages import documents, shown, studies
from app_pages.documents import read_sections
from tests.app_pages.stores import text_of
from tests.studies import make_study, sweep

PARTS = {"Asks", "How it is detected", "Why it matters", "What to do", "Not checked"}
IDEAS = {
    "two-kinds-of-instability",
    "fixes-in-order",
    "the-word-metaparameter",
    "comparing-batch-sizes",
    "what-a-log-can-and-cannot-show",
}


def codes_in(text: str) -> set[str]:
    """Returns the codes that a source text gives to findings: in calls of Finding, and in `code = ...` before them."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        values = []
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding" and node.args:
            values = [node.args[0]]
        if isinstance(node, ast.Assign):
            for target in node.targets:
                names, right = [target], [node.value]
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    names, right = target.elts, node.value.elts
                values += [
                    value for name, value in zip(names, right, strict=False) if getattr(name, "id", "") == "code"
                ]
        found |= {value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)}
    return found


def codes_of_analysis() -> set[str]:
    """Returns every code that a file of analysis/ can give to a finding."""
    return set().union(*(codes_in(path.read_text()) for path in Path(studies.PROJECT, "analysis").rglob("*.py")))


def lacking(sections, codes) -> list[str]:
    """Returns what is missing: sections of codes, and parts of sections."""
    missing = [code for code in sorted(codes) if code not in sections]
    return missing + [
        f"{code}: {part}"
        for code in sorted(codes & set(sections))
        for part in sorted(PARTS - set(sections[code].parts))
    ]


def test_every_code_that_analysis_can_emit_has_a_section_with_every_part():
    emitted = {finding.code for finding in diagnose(make_study(sweep(edge=0.3))).findings}
    assert codes_of_analysis() == emitted
    assert lacking(read_sections("findings.md"), emitted) == []


def test_a_missing_section_and_a_missing_part_are_seen(monkeypatch, tmp_path):
    (tmp_path / "findings.md").write_text("# T\n\n## one\n\n**Asks** x.\n\n**Why it matters.** y\n")
    monkeypatch.setattr(documents, "DOCS", tmp_path)
    assert lacking(read_sections("findings.md"), {"one", "two"}) == [
        "two",
        "one: How it is detected",
        "one: Not checked",
        "one: What to do",
    ]
    assert codes_in('code, hits = "new-check", 1\nFinding("other", 2)') == {"new-check", "other"}


def test_no_idea_hides_behind_the_name_of_a_check():
    assert set(read_sections("handbook.md")) == IDEAS
    assert not IDEAS & set(read_sections("findings.md"))


def test_every_check_is_listed_with_what_this_study_says(open_app):
    app = open_app("edge", "handbook")
    assert not app.exception
    assert app.title[0].value == "Handbook"
    diagnosis = diagnose(make_study([*sweep(0.3, stride="1x1", seeds=2), *sweep(9.0, stride="2x2", seeds=1)]))
    labels = [expander.label for expander in app.expander]
    assert len(labels) == len(diagnosis.findings) + len(IDEAS)
    said = text_of(app)
    for finding in diagnosis.findings:
        assert shown.sentence(finding.sentence) in said, finding.code
        assert read_sections("findings.md")[finding.code].text in said, finding.code
    assert sum(label.endswith("[found]") for label in labels) == sum(f.outcome == "found" for f in diagnosis.findings)
    assert sum(label.endswith("[not checked]") for label in labels) == sum(
        f.outcome == "not-checked" for f in diagnosis.findings
    )
    assert not any(expander.proto.expanded for expander in app.expander)


@pytest.mark.parametrize(
    ("code", "title"), [("early-instability", "Early instability"), ("fixes-in-order", "Fixes in order")]
)
def test_a_link_opens_on_its_section_once(open_app, code, title):
    app = open_app("edge", "handbook")
    app.query_params["code"] = code
    app.run()
    assert not app.exception
    assert app.subheader[0].value == title
    assert not any(title in expander.label for expander in app.expander)


def test_a_link_to_nothing_shows_the_list(open_app):
    app = open_app("edge", "handbook")
    app.query_params["code"] = "<b>no</b>"
    app.run()
    assert not app.exception
    assert app.subheader[0].value == "The checks"


def test_the_search_keeps_sections_that_have_every_word_and_opens_the_few(open_app):
    app = open_app("edge", "handbook")
    app.text_input(key="find").set_value("METAPARAMETER bayesian").run()
    assert [expander.label for expander in app.expander] == ["**The word metaparameter**"]
    assert app.expander[0].proto.expanded
    app.text_input(key="find").set_value("edge of instability").run()
    assert any("Edge of instability" in expander.label for expander in app.expander)
    app.text_input(key="find").set_value("zebra").run()
    assert not app.expander
    assert "No section has these words." in text_of(app)


def test_without_a_study_the_handbook_reads_the_same_without_outcomes(open_app, monkeypatch, tmp_path):
    monkeypatch.setenv("STEADYSTEP_STORE", str(tmp_path / "nothing"))
    monkeypatch.setattr(studies, "PROJECT", tmp_path)
    app = open_app(None, "handbook")
    assert not app.exception
    assert len(app.expander) == len(read_sections("findings.md")) + len(IDEAS)
    assert "No study is open" in text_of(app)


def test_names_from_logs_stay_letters(open_app):
    said = text_of(open_app("hostile", "handbook"))
    assert "http://evil" not in said
    assert "<img" not in said.replace("\\<img", "")


def test_batch_size_is_never_called_a_fix_and_metaparameter_is_explained():
    ideas = read_sections("handbook.md")
    assert "Neither is a fix for instability" in ideas["comparing-batch-sizes"].text
    assert "most people write hyperparameter" in ideas["the-word-metaparameter"].text
    fixes = re.findall(r"^\d\. \*\*(.+?)\.\*\*", ideas["fixes-in-order"].text, re.M)
    expected = ["Warmup", "Gradient clipping", "Another optimizer", "Architecture", "A lower learning rate"]
    assert fixes == expected  # PLAYBOOK P6


def test_a_section_is_found_by_its_code_too():
    section = documents.Section("edge-of-instability", "One.", ())
    assert section.says("edge instability")
    assert section.says("edge-of")
    assert not section.says("edge clipping")
