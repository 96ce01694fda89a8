"""Text from outside, shown literally: names of runs and studies, and sentences that quote them.

Streamlit reads Markdown in headings, captions, labels and messages, so no text from a log reaches it but through here.
How it is made inert is written in analysis/inert.py, which reports and summaries use, too.
"""

from analysis.inert import JOINER, sentence
from analysis.literal import LONGEST, literal, name

__all__ = ["JOINER", "LONGEST", "literal", "name", "sentence"]
