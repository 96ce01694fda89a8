"""The report of a study: one HTML page that needs nothing else, and the same words as Markdown."""

from analysis.report.contents import Report, gather
from analysis.report.decisions import Review, read_review
from analysis.report.markdown import write_markdown
from analysis.report.page import write_figure, write_html

__all__ = ["Report", "Review", "gather", "read_review", "write_figure", "write_html", "write_markdown"]
