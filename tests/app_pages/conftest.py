from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app_pages import studies
from reviews import open_store
from tests.app_pages.signing_in import AUTH, ROLES, claims_of, restart
from tests.app_pages.stores import add_study
from tests.studies import make_run, sweep

APP = Path(studies.PROJECT) / "app.py"
HOSTILE = "![x](http://evil.example/a.png) :material/warning: <img src=x onerror=alert(1)> $a$ *b*"


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    """A store with one study of each kind that pages must be able to show."""
    root = tmp_path_factory.mktemp("store")
    falling = np.linspace(2.3, 0.5, 120)
    lost = np.concatenate((falling[:60], np.full(60, np.nan)))
    kinds = {
        "edge": sweep(0.3, stride="1x1", seeds=2) + sweep(9.0, stride="2x2", seeds=1),
        "steady": sweep(9.0, seeds=1),
        "one-rate": [make_run(falling, base_lr=0.1)],
        "no-rate": [make_run(falling)],
        "lost": [make_run(lost, base_lr=0.1), make_run(np.full(50, np.nan), run_id="never", base_lr=1.0)],
        "sparse": [make_run(falling, every=50, base_lr=0.1)],
        "hostile": [make_run(falling, base_lr=0.1, name=HOSTILE, optimizer=HOSTILE)],
    }
    for name, runs in kinds.items():
        add_study(root / "studies", name, runs, root / "files" / name)
    return root / "studies"


@pytest.fixture
def open_app(store, monkeypatch):
    """Opens the dashboard on a study, and on a page of it."""
    monkeypatch.setenv("STEADYSTEP_STORE", str(store))

    def opened(study: str | None = "edge", page: str | None = None, **query: str) -> AppTest:
        app = AppTest.from_file(APP, default_timeout=60)
        for key, value in (({studies.KEY: study} if study else {}) | query).items():
            app.query_params[key] = value
        return (app.switch_page(f"app_pages/{page}.py") if page else app).run()

    return opened


@pytest.fixture
def own_reviews(tmp_path, monkeypatch):
    """Reviews of its own for each test."""
    monkeypatch.setenv("STEADYSTEP_REVIEWS", str(tmp_path / "reviews.db"))
    monkeypatch.delenv("STEADYSTEP_WEBHOOK", raising=False)
    restart(monkeypatch)


@pytest.fixture
def reviews(own_reviews, tmp_path):
    """The reviews that the pages see."""
    opened = open_store(tmp_path / "reviews.db")
    yield opened
    opened.close()


@pytest.fixture
def visit(own_reviews, store, monkeypatch):
    """Opens a page as somebody who signed in; without a name, as the one person of a dashboard without a login."""
    monkeypatch.setenv("STEADYSTEP_STORE", str(store))

    def visited(subject: str | None = None, page: str | None = "review", *, study: str = "edge", **claims):
        app = AppTest.from_file(APP, default_timeout=60)
        app.query_params[studies.KEY] = study
        if subject is not None:
            app.secrets["auth"], app.secrets["roles"] = AUTH, ROLES
            app.user = claims_of(subject, **claims)
        return (app.switch_page(f"app_pages/{page}.py") if page else app).run()

    return visited
