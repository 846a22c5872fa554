"""The site is built without a warning, has the reference of both packages, and needs nothing of the internet."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.first_hour.pages import ROOT
from tests.first_hour.site_links import broken_links

NODE_DOCS = ROOT / "build" / "node-docs" / "index.html"
# Elements that a browser loads by itself, with their addresses.
LOADED = re.compile(r"<(?:script|img|iframe|link)\b[^>]*?\b(?:src|href)=\"?((?:https?:)?//[^\" >]+)", re.IGNORECASE)
IMPORTED = re.compile(r"(?:@import|url\()\s*[\"']?((?:https?:)?//[^\"')]+)")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as by `make site`."""
    if not NODE_DOCS.exists():
        subprocess.run(["npm", "run", "docs"], cwd=ROOT / "bindings-node", check=True)
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(
        [*build, "--config-file", str(ROOT / "core" / "docs" / "site" / "mkdocs.yml")],
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return folder


def page(site: Path, name: str) -> str:
    return (site / name).read_text(encoding="utf-8")


def test_no_page_loads_anything_from_another_address(site: Path) -> None:
    pages = [path for path in site.rglob("*.html") if "node" not in path.relative_to(site).parts]
    assert len(pages) > 40
    loaded = {address for path in pages for address in LOADED.findall(path.read_text(encoding="utf-8"))}
    imported = {address for path in site.rglob("*.css") for address in IMPORTED.findall(path.read_text(encoding="utf-8"))}
    assert not loaded | imported


@pytest.mark.parametrize(
    "text", ['<script src="https://a.example/x.js">', '<link href="//a.example/x.css">', '<img alt="" src=http://a.example>']
)
def test_an_address_of_another_site_is_found(text: str) -> None:
    assert LOADED.findall(text)


def test_the_search_works_without_a_server(site: Path) -> None:
    assert 'src="../assets/iframe-worker.js"' in page(site, "guide/quick-start.html")
    assert 'src="assets/iframe-worker.js"' in page(site, "index.html")
    assert (site / "assets" / "iframe-worker.js").stat().st_size > 500
    assert (site / "search" / "search_index.js").stat().st_size > 10_000


def test_the_reference_of_python_has_every_public_class_and_overloads(site: Path) -> None:
    reference = page(site, "api/python.html")
    for name in ("open", "Client.create_topic", "Scan.to_polars", "Consumer.batches", "Batch.to_pandas", "Message.value"):
        assert f'id="headwater.{name}"' in reference, name
    assert 'id="headwater.aio.Client.create_topic"' in page(site, "api/python-aio.html")
    assert 'id="headwater.errors.DecodeError"' in page(site, "api/python-types.html")


def test_examples_of_docstrings_are_code(site: Path) -> None:
    for name in ("api/python.html", "api/python-aio.html", "api/python-types.html"):
        assert "<blockquote>" not in page(site, name), name
    assert "language-pycon" in page(site, "api/python-types.html")


def test_the_pages_of_typedoc_are_in_the_site(site: Path) -> None:
    links = re.findall(r'href="(node/[^"]+)"', page(site, "api/node.html"))
    assert len(links) >= 2
    assert all((site / "api" / link).exists() for link in links)
    assert '<a href="../../../index.html">' in page(site, "api/node/classes/headwater.Client.html")
    assert '<a href="../../index.html">' in page(site, "api/node/index.html")


def test_every_link_leads_to_a_page_an_anchor_or_a_file(site: Path) -> None:
    assert len(list(site.rglob("*.html"))) > 100
    assert not broken_links(site)


@pytest.mark.parametrize(
    ("link", "works"),
    [
        ("b.html", True),
        ("b.html#there", True),
        ("#here", True),
        ("/folder/b.html", True),
        ("..", True),
        ("https://a.example/", True),
        ("c.html", False),
        ("b.html#nowhere", False),
        ("#nowhere", False),
        ("/b.html", False),
    ],
)
def test_a_link_that_leads_nowhere_is_found(tmp_path: Path, link: str, works: bool) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "index.html").write_text("<p>Home")
    (folder / "a.html").write_text(f'<p id="here"><a href="{link}">link</a>')
    (folder / "b.html").write_text('<p id="there">')
    assert broken_links(tmp_path) == ([] if works else [f"folder/a.html: {link}"])


def test_rows_of_wide_tables_are_blocks_in_a_narrow_window(site: Path) -> None:
    configuration = page(site, "CONFIGURATION.html")
    assert configuration.count("<table data-stacked>") == configuration.count("<table")
    assert re.search(r'<td data-label="default"><code>60000</code></td>', configuration)
    assert "data-stacked" not in page(site, "index.html"), "its table fits a narrow window"


def test_what_a_cell_of_a_notebook_prints_is_one_block(site: Path) -> None:
    assert "read 100,000 records\nread 100,000 records\n" in page(site, "notebooks/02_from_notebook_to_cluster.html")


def test_links_to_the_source_tree_are_shown_as_paths(site: Path) -> None:
    promises = page(site, "reliability.html")
    assert "<code>core/log/src/mutants.rs</code>" in promises
    assert "../log/src" not in promises


def test_the_notebooks_are_pages_with_their_pictures(site: Path) -> None:
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        pictures = re.findall(r'src="([^"]+\.png)"', page(site, f"notebooks/{notebook.stem}.html"))
        assert pictures, notebook.stem
        assert all((site / "notebooks" / picture).exists() for picture in pictures)
        assert ".ipynb" not in page(site, f"notebooks/{notebook.stem}.html")
