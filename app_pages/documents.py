"""Sections of the documents in docs/, so that pages and documents say the same words: they are written once."""

import re
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"
_FORMULA = re.compile(r"```math\n(.*?)\n```", re.S)
_PART = re.compile(r"\*\*(.+?)\*\*")


@dataclass(frozen=True)
class Section:
    """One section of a document.

    Attributes:
        title: Its heading.
        text: Its Markdown, formulas in blocks left out.
        formulas: The formulas in blocks, in LaTeX.
    """

    title: str
    text: str
    formulas: tuple[str, ...]

    @property
    def slug(self) -> str:
        """The heading as links name it: small letters with dashes."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")

    @property
    def parts(self) -> dict[str, str]:
        """Paragraphs by the bold words they open with, without a last period."""
        found = {}
        for paragraph in self.text.split("\n\n"):
            if opening := _PART.match(paragraph):
                found[opening[1].rstrip(".")] = paragraph[opening.end() :].strip()
        return found

    def says(self, words: str) -> bool:
        """Whether every one of the words is in the heading or the text, in capitals or not."""
        own = f"{self.title} {self.title.replace('-', ' ')} {self.text}".lower()
        return all(word in own for word in words.lower().split())


def read_sections(name: str) -> dict[str, Section]:
    """Returns the sections of a document by slug, in its order; a section begins at a heading of the second level."""
    text = (DOCS / name).read_text(encoding="utf-8")
    found = {}
    for chunk in re.split(r"^## ", text, flags=re.M)[1:]:
        title, _, body = chunk.partition("\n")
        section = Section(title.strip(), _without_formulas(body), tuple(_FORMULA.findall(body)))
        found[section.slug] = section
    return found


def _without_formulas(body: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", _FORMULA.sub("", body)).strip()
