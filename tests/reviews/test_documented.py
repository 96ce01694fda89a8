import re
from pathlib import Path

import reviews
from reviews import (
    agenda,
    audit,
    bring_in,
    comments,
    decisions,
    evidence,
    exchange,
    hand_off,
    mentions,
    people,
    screen,
    sign_offs,
    sign_outs,
    store,
    summary,
)

MODULES = (
    agenda,
    audit,
    bring_in,
    comments,
    decisions,
    evidence,
    exchange,
    hand_off,
    mentions,
    people,
    screen,
    sign_offs,
    sign_outs,
    summary,
)
TEXT = (Path(__file__).parents[2] / "docs" / "reviews.md").read_text()


def test_every_function_that_a_page_is_told_of_exists_and_every_module_is_told_of():
    by_name = {module.__name__.split(".")[1]: module for module in MODULES}
    page = TEXT[TEXT.index("## For a page") :]
    told = set(re.findall(rf"\b({'|'.join(by_name)})\.([a-z_]+)", page))
    assert {module for module, _ in told} == set(by_name)
    assert [f"{module}.{name}" for module, name in told if not hasattr(by_name[module], name)] == []
    assert all(name in TEXT for name in ("open_store", "ReviewConflict", "new_id") if hasattr(reviews, name))


def test_every_setting_is_explained():
    assert f"| `{store.URL_VARIABLE}` |" in TEXT
    assert f"| `{hand_off.VARIABLE}` |" in TEXT
