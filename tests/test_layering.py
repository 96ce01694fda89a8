"""Holds the import rule: app, app_pages -> analysis.charts -> analysis -> analysis.runlog <- runners."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NEVER = {  # folder: what none of its files may import
    "analysis/runlog": {
        "streamlit",
        "torch",
        "altair",
        "runners",
        "app_pages",
        "reviews",
        "analysis.charts",
        "analysis.report",
    },
    "analysis": {"streamlit", "torch", "runners", "app_pages", "reviews"},
    "runners": {"streamlit", "altair", "app_pages", "reviews", "analysis.charts"},
    "app_pages": {"torch", "wandb", "runners"},
    "reviews": {"streamlit", "torch", "altair", "runners", "app_pages"},
}
ONLY_CHARTS = {"altair", "analysis.charts"}  # within analysis/, only these draw
DRAWING = ("analysis/charts/", "analysis/report/")  # and files that end in report.py
INSIDE_FUNCTIONS = {"wandb", "tensorboard", "scipy.stats"}


def imports_of(text: str) -> list[tuple[str, bool]]:
    """Returns (module, whether at the top level of the file) of every import in a source text."""
    tree = ast.parse(text)
    found = []
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        found += [(name, node in tree.body) for name in names]
    return found


def breaches(folder: str, path: str, text: str) -> list[str]:
    """Returns what a file of a folder imports against the rule."""
    found = []
    for module, at_top in imports_of(text):
        parts = module.split(".")
        prefixes = {".".join(parts[: i + 1]) for i in range(len(parts))}
        if prefixes & NEVER.get(folder, set()):
            found.append(f"{path} imports {module}")
        if at_top and prefixes & INSIDE_FUNCTIONS:
            found.append(f"{path} imports {module} at the top, not inside the function that needs it")
        outside_charts = folder == "analysis" and not path.startswith(DRAWING) and not path.endswith("report.py")
        if outside_charts and prefixes & ONLY_CHARTS:
            found.append(f"{path} imports {module}")
    return found


@pytest.mark.parametrize("folder", NEVER)
def test_no_file_imports_against_the_rule(folder):
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files
    assert [line for path in files for line in breaches(folder, str(path.relative_to(ROOT)), path.read_text())] == []


@pytest.mark.parametrize(
    ("folder", "line"),
    [
        ("analysis", "import streamlit as st"),
        ("analysis", "from runners.train import train"),
        ("analysis", "import altair"),
        ("runners", "import analysis.charts.theme"),
        ("runners", "from analysis import charts"),
        ("runners", "import wandb"),
        ("app_pages", "def f():\n    import torch"),
        ("reviews", "import streamlit as st"),
    ],
)
def test_the_rule_sees_a_breach(folder, line):
    assert breaches(folder, f"{folder}/x.py", line)


def test_the_report_draws_and_what_only_sounds_like_it_does_not():
    line = "from analysis.charts import figures"
    assert breaches("analysis", "analysis/report/page.py", line) == []
    assert breaches("analysis", "analysis/figures/report_rows.py", line)
    assert breaches("analysis", "analysis/report/page.py", "import streamlit")
    assert breaches("analysis/runlog", "analysis/runlog/store.py", "from analysis.report import gather")


@pytest.mark.parametrize("module", ["analysis.findings", "analysis.runlog", "app_pages.studies"])
def test_the_dashboard_side_starts_without_torch_wandb_and_scipy_stats(module):
    code = f"import sys, {module}; print([m for m in ('torch', 'wandb', 'scipy.stats') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"
