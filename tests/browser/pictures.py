"""Takes pictures of every page of the sample study, and of the journeys: `python -m tests.browser.pictures FOLDER`.

Each in light, in dark and narrow: PAGE_LOOK.png, and what a journey has on the screen under a name of its own. The live
run is watched for a minute. The README's picture is findings_light.png, cut above "What was checked".
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from app_pages.frame import PAGES
from app_pages.studies import PROJECT
from tests.browser.conftest import CHROMIUM, HEIGHT, LOOKS, PATIENCE, serve, take_picture
from tests.browser.test_journeys import wait_until_drawn

JOURNEYS = ("test_experiment.py", "test_curves.py", "test_figures.py", "test_import.py")
WATCHED = "60"  # seconds


def take_pages(folder: Path) -> None:
    """Writes PAGE_LOOK.png of every page and look into a folder."""
    expect.set_options(timeout=PATIENCE)
    server = serve(Path(tempfile.mkdtemp()) / "studies")
    url = next(server).url
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
        for look, (width, scheme) in LOOKS.items():
            page = chromium.new_page(viewport={"width": width, "height": HEIGHT}, color_scheme=scheme)
            page.set_default_timeout(PATIENCE)
            for name in (name for section in PAGES.values() for name in section):
                page.goto(f"{url}/{'' if name == 'findings' else name}")
                page.get_by_role("heading", level=1).first.wait_for()
                wait_until_drawn(page)
                take_picture(page, folder / f"{name}_{look}.png")
            page.close()
        chromium.close()
    server.close()


def take_journeys(folder: Path) -> int:
    """Goes on every journey in every look, keeps what is on the screen, and returns how many looks failed."""
    failed = 0
    for look in LOOKS:
        asked = {"STEADYSTEP_SCREENSHOTS": str(folder), "STEADYSTEP_LOOK": look, "STEADYSTEP_WATCHED": WATCHED}
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *(f"tests/browser/{n}" for n in JOURNEYS)]
        failed += subprocess.run(command, cwd=PROJECT, env=os.environ | asked, check=False).returncode != 0
    return failed


if __name__ == "__main__":
    named = Path(sys.argv[1]).resolve()
    named.mkdir(parents=True, exist_ok=True)
    take_pages(named)
    sys.exit(min(1, take_journeys(named)))
