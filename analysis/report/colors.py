"""The colors of a report: one picture for light pages, dark pages and paper, for its colors are CSS variables."""

from dataclasses import fields

from analysis.charts.theme import DARK, LIGHT, Palette

SHARED = "band_opacity"  # no color: a number, and the same one on all pages
PLAIN = {  # research: contrast of words is at least 4.5 to 1 with the page and with raised
    "light": {
        "raised": "#F4F6F8",
        "border": "#DCE1E7",
        "found": "#C2410C",
        "clear": "#1B7F3B",
        "accent": "#0B66A3",
    },
    "dark": {
        "raised": "#19202A",
        "border": "#2C3643",
        "found": "#FF8A5B",
        "clear": "#6CCB8B",
        "accent": "#5DB2EC",
    },
}


def variable_palette() -> Palette:
    """Returns a palette whose colors are variables: var(--ink), var(--below-2)."""
    names = {}
    for field in fields(Palette):
        value = getattr(LIGHT, field.name)
        if field.name == SHARED:
            names[field.name] = value
        elif isinstance(value, tuple):
            names[field.name] = tuple(f"var(--{field.name}-{place})" for place in range(len(value)))
        else:
            names[field.name] = f"var(--{field.name})"
    return Palette(**names)


def write_variables(colors: Palette, plain: dict[str, str]) -> str:
    """Returns the values of the variables as CSS.

    Args:
        colors: Palette of the page.
        plain: Colors that only pages have, by name.
    """
    values = dict(plain)
    for field in fields(Palette):
        value = getattr(colors, field.name)
        if isinstance(value, tuple):
            values |= {f"{field.name}-{place}": color for place, color in enumerate(value)}
        elif field.name != SHARED:
            values[field.name] = value
    return " ".join(f"--{name}: {value};" for name, value in values.items())


def write_themes() -> str:
    """Returns the CSS that makes a page light or dark: as the system says, or as the switch does; paper is light."""
    light, dark = write_variables(LIGHT, PLAIN["light"]), write_variables(DARK, PLAIN["dark"])
    return (
        f":root {{ color-scheme: light; {light} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root:not([data-theme=light]) "
        f"{{ color-scheme: dark; {dark} }} }}\n"
        f"@media screen {{ :root[data-theme=dark] {{ color-scheme: dark; {dark} }} }}\n"
    )
