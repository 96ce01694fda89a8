"""Takes pictures of every page of the sample study: `python -m tests.browser.pictures FOLDER`.

The README's picture is findings_light.png, cut above "What was checked".
"""

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from app_pages.frame import PAGES
from tests.browser.conftest import CHROMIUM, PATIENCE, serve
from tests.browser.test_journeys import wait_until_drawn

LOOKS = {"light": (1360, "light"), "dark": (1360, "dark"), "narrow": (420, "light")}


def take(folder: Path) -> None:
    """Writes PAGE_LOOK.png of every page and look into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    server = serve(Path(tempfile.mkdtemp()) / "studies")
    url = next(server).url
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
        for look, (width, scheme) in LOOKS.items():
            page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
            page.set_default_timeout(PATIENCE)
            for name in (name for section in PAGES.values() for name in section):
                page.goto(f"{url}/{'' if name == 'findings' else name}")
                page.get_by_role("heading", level=1).wait_for()
                wait_until_drawn(page)
                height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
                page.set_viewport_size({"width": width, "height": height + 60})
                wait_until_drawn(page)
                page.screenshot(path=folder / f"{name}_{look}.png")
                page.set_viewport_size({"width": width, "height": 900})
            page.close()
        chromium.close()
    server.close()


if __name__ == "__main__":
    take(Path(sys.argv[1]))
