"""Pictures as one HTML page that needs nothing else: specifications, data and the drawing code are in the file."""

import html
import json
from collections.abc import Sequence

from analysis.charts.pictures import Picture
from analysis.charts.theme import Palette

NO_NETWORK = (  # Vega compiles its expressions, so it needs eval; nothing may be fetched
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:"
)
STYLE = """
body {{ font: 16px/1.5 "Source Sans 3", "Source Sans Pro", system-ui, sans-serif; margin: 2rem auto; max-width: 76rem;
  padding: 0 1rem; color: {ink}; background: {page}; }}
h1 {{ font-size: 1.375rem; }} h2 {{ font-size: 1rem; margin: 0 0 .5rem; }}
section {{ display: flex; flex-wrap: wrap; gap: 1rem; margin: 1rem 0; }}
figure {{ flex: 1 1 20rem; min-width: 0; margin: 0; padding: 1rem; border: 1px solid {grid}; border-radius: 8px; }}
figcaption {{ color: {muted}; font-size: .875rem; }} .chart {{ width: 100%; }}
"""


def write_page(title: str, caption: str, rows: Sequence[Sequence[Picture]], colors: Palette) -> str:
    """Returns the page.

    Args:
        title: What the page shows.
        caption: Its finding, in one sentence.
        rows: Pictures that stand beside each other, row by row.
        colors: Colors of the page.

    Returns:
        HTML that loads nothing: open it from a disk, send it by mail.
    """
    import vl_convert

    count, sections, specs = 0, [], []
    for row in rows:
        figures = []
        for picture in row:
            figures.append(_figure(picture, f"chart{count}"))
            specs.append(f"vegaEmbed('#chart{count}', {_script_text(picture)}, options).catch(console.error);")
            count += 1
        sections.append(f"<section>{''.join(figures)}</section>")
    style = STYLE.format(ink=colors.ink, page=colors.page, grid=colors.grid, muted=colors.muted)
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{NO_NETWORK}">
<title>{html.escape(title)}</title><style>{style}</style>
<script>{vl_convert.javascript_bundle()}</script></head>
<body><h1>{html.escape(title)}</h1><p>{html.escape(caption)}</p>{"".join(sections)}
<script>const options = {{actions: false, renderer: "svg"}};
{"".join(specs)}</script></body></html>
"""


def _figure(picture: Picture, chart_id: str) -> str:
    title, caption, alt = (html.escape(text) for text in (picture.title, picture.caption, picture.alt))
    chart = f'<div class="chart" id="{chart_id}" role="img" aria-label="{alt}"></div>'
    return f"<figure><h2>{title}</h2>{chart}<figcaption>{caption}</figcaption></figure>"


def _script_text(picture: Picture) -> str:
    r"""Returns the specification as a script may hold it: no name of a run can end the script."""
    text = json.dumps(picture.chart.to_dict(), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
