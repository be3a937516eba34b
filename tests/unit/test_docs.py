"""What the docs publish, held to the code: the commands' reference, the table of moves, links, the index."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from migration.cli.reference import named, reference
from migration.model.stages import Stage
from migration.model.transitions import BACK, FORWARD, ROLLBACK

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted(DOCS.rglob("*.md")),
    *(ROOT / folder / "README.md" for folder in ("legacy", "migration")),
]
CODE_FOLDERS = ("benchmarks", "legacy", "migration", "pipeline", "pulumi", "tests")
FENCED = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
A_PATH = re.compile(r"[\w-]+(?:/[\w.*-]+)+/?|[\w-]+\.(?:py|sql)")
A_MODULE = re.compile(r"(?:benchmarks|legacy|migration|pipeline)(?:\.\w+)+")
PLACEHOLDER = re.compile(r"NAME|CAPABILITY")
WIDTH = 120
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


@pytest.fixture(scope="module")
def paths() -> list[Path]:
    """List every file and folder of the code, and the docs, from the repository's root."""
    folders = [ROOT / folder for folder in (*CODE_FOLDERS, "docs")]
    found = [*folders, *(path for folder in folders for path in folder.rglob("*"))]
    return [path.relative_to(ROOT) for path in found if "__pycache__" not in path.parts]


def named_in(page: Path) -> list[str]:
    """List what a page names in backticks."""
    return CODE.findall(FENCED.sub("", page.read_text(encoding="utf-8")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_that_a_page_names_exists(page: Path, paths: list[Path]) -> None:
    """A path may be short, such as `gaps/pipe_api.py`, as long as it ends a path of the repository."""
    for name in filter(A_PATH.fullmatch, named_in(page)):
        pattern = PLACEHOLDER.sub("*", name)
        assert any(path.match(pattern) for path in paths), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_module_that_a_page_names_exists(page: Path, paths: list[Path]) -> None:
    for name in filter(A_MODULE.fullmatch, named_in(page)):
        path = Path(name.replace(".", "/"))
        if path in paths or path.with_suffix(".py") in paths:
            continue
        module = path.parent.with_suffix(".py")
        assert module in paths, name
        assert path.name in (ROOT / module).read_text(encoding="utf-8"), name


def test_every_page_that_the_code_names_exists(paths: list[Path]) -> None:
    """Commands' help and errors send the reader there."""
    sources = [path for path in paths if path.suffix in {".py", ".sql"} and path.parts[0] != "tests"]
    named = {
        page
        for path in sources
        for page in re.findall(r"docs/[\w/-]+\.md", (ROOT / path).read_text(encoding="utf-8"))
    }
    assert len(named) > 10
    assert not [page for page in named if not (ROOT / page).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_prose_is_wrapped(page: Path) -> None:
    """Tables, pictures and code keep their lines."""
    prose = FENCED.sub("", page.read_text(encoding="utf-8")).splitlines()
    assert not [line for line in prose if len(line) > WIDTH and not line.lstrip().startswith(("|", "!["))]


def asked_in(page: Path) -> list[str]:
    """List the commands that a page has the reader type: in backticks, and after a prompt."""
    typed = re.findall(r"^\$ (cutover [^#\n]*)", page.read_text(encoding="utf-8"), re.MULTILINE)
    whole = [*typed, *named_in(page)]
    parts = [part for line in whole for part in re.split(r" (?:&&|\||>) ", line)]
    return [part for part in parts if re.match(r"cutover (?!COMMAND|<)", part)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    options = {one.name: {opt for param in one.command.params for opt in param.opts} for one in named()}
    for asked in asked_in(page):
        words = asked.split()
        names = {" ".join(words[:count]) for count in (2, 3)} & options.keys()
        assert names, asked
        given = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert given <= options[max(names)], asked


def test_every_promise_has_a_test() -> None:
    there = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    page = (DOCS / "promises.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if "`test_" in line]
    named = {name for line in rows for name in re.findall(r"`(test_\w+)`", line)}
    assert len(rows) > 15
    assert named - there == set()
