"""What the docs publish, held to the code: the commands' reference, the table of moves, links, the index."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from migration.cli.reference import reference
from migration.model.stages import Stage
from migration.model.transitions import BACK, FORWARD, ROLLBACK

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
ROW = re.compile(r"^\| `(\w+)` \|([^|]*)\|([^|]*)\|([^|]*)\|", re.MULTILINE)


def test_the_reference_is_what_the_commands_say() -> None:
    assert (DOCS / "reference.md").read_text(encoding="utf-8") == reference(), "run: make reference"


def test_the_reference_says_what_a_command_ends_with_and_shows_how_it_is_given() -> None:
    page = reference()
    assert "12: somebody else moves the migration" in page
    assert "cutover switch writes --to 25 --dry-run" in page
    assert r"`--output <table\|json>`" in page


def test_the_table_of_moves_is_the_one_that_decides() -> None:
    _, _, text = (DOCS / "stages.md").read_text(encoding="utf-8").partition("## Legal moves")
    told = {
        Stage(stage): [set(re.findall(r"`(\w+)`", cell)) for cell in cells]
        for stage, *cells in ROW.findall(text)
    }
    assert told == {
        stage: [FORWARD[stage], BACK[stage], {ROLLBACK[stage]} if stage in ROLLBACK else set()]
        for stage in Stage
    }


def anchors(page: Path) -> set[str]:
    """Name a page's headings as GitHub does."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        there = (page.parent / path) if path else page
        assert there.exists(), link
        assert not anchor or anchor in anchors(there), link


def test_a_newcomer_finds_every_page() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    assert not [
        page.name for page in DOCS.glob("*.md") if page.name != "README.md" and f"({page.name}" not in index
    ]
