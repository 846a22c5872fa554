"""Hooks of the site: the documentation of the Node package, links to the source tree, and search without a server."""

from __future__ import annotations

import posixpath
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[3]
NODE_DOCS = ROOT / "build" / "node-docs"
NODE_FOLDER = "api/node"
NODE_LINKS = '<div id="tsd-toolbar-links">'
# Browsers start no worker from a file, so the theme's search needs this shim there. The theme loads it from a CDN.
SHIM = ROOT / "bindings-node" / "docs" / "node_modules" / "iframe-worker" / "shim" / "index.js"
SHIM_URL = re.compile(r"https://[^\"\s]+/iframe-worker/shim")
SHIM_PAGE = "assets/iframe-worker.js"
TABLE = re.compile(r"<table>.*?</table>", re.DOTALL)
NAME = re.compile(r"<code>[^<]{20,}</code>")
OPTION = re.compile(r"<code>(?=--?\w[^<\s]{,24}</code>)")
HEADING = re.compile(r"<th\b[^>]*>(.*?)</th>", re.DOTALL)
ROW = re.compile(r"<tr>.*?</tr>", re.DOTALL)
CELL = re.compile(r"<td\b([^>]*)>(.*?)</td>", re.DOTALL)
TAG = re.compile(r"<[^>]+>")
# A table with fewer columns, or with shorter texts, fits a narrow window.
COLUMNS_MIN, TEXT_MIN = 3, 30
LINK = re.compile(r"\[(?P<text>[^\]]+)\]\((?P<target>[^)#\s]+)(?P<anchor>#[^)\s]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the shim, and the pages that typedoc has made, as targets of links."""
    for path in (NODE_DOCS / "index.html", SHIM):
        if not path.exists():
            message = f"{path} is missing: run `npm run docs` in bindings-node, or `make site`"
            raise PluginError(message)
    files.append(File.generated(config, SHIM_PAGE, abs_src_path=str(SHIM)))
    for path in sorted(NODE_DOCS.rglob("*.html")):
        files.append(File.generated(config, f"{NODE_FOLDER}/{path.relative_to(NODE_DOCS).as_posix()}", abs_src_path=str(path)))
    return files


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """Let tables fit the window: long names break, and in a narrow window the cells of a row are below each other.

    An option of the command line does not break after its dashes.
    """

    def breakable(name: re.Match[str]) -> str:
        """Let a name break after a dot, an underscore or a slash."""
        return re.sub(r"(?<=\w)([._/])(?=\w)", r"\1<wbr>", name.group())

    tables = TABLE.sub(lambda table: stackable(NAME.sub(breakable, table.group())), html)
    return OPTION.sub('<code class="option">', tables)


def stackable(table: str) -> str:
    """Mark a table whose rows become blocks in a narrow window (site.css), and name the column of each cell."""
    headings = [TAG.sub("", heading).strip() for heading in HEADING.findall(table)]
    texts = [TAG.sub("", cell) for _, cell in CELL.findall(table)]
    if len(headings) < COLUMNS_MIN or max(map(len, texts), default=0) < TEXT_MIN:
        return table

    def labelled(row: re.Match[str]) -> str:
        names = iter(headings)
        return CELL.sub(lambda cell: f'<td{cell[1]} data-label="{next(names)}">{cell[2]}</td>', row.group())

    return ROW.sub(labelled, table).replace("<table>", "<table data-stacked>", 1)


def on_post_build(config: MkDocsConfig) -> None:
    """Copy the other files of typedoc, and link its pages to the site."""
    folder = Path(config.site_dir) / NODE_FOLDER
    shutil.copytree(NODE_DOCS, folder, dirs_exist_ok=True)
    for page in folder.rglob("*.html"):
        home = posixpath.relpath("index.html", page.parent.relative_to(config.site_dir).as_posix())
        text = page.read_text(encoding="utf-8")
        page.write_text(text.replace(NODE_LINKS, f'{NODE_LINKS}<a href="{home}">Guides and reference of Python</a>', 1), encoding="utf-8")


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Show a link to a file of the source tree as its path, because the site has pages only."""

    def replace(link: re.Match[str]) -> str:
        target = link["target"]
        if "://" in target or not (Path(config.docs_dir) / page.file.src_uri).parent.joinpath(target).exists():
            return link.group()
        if files.get_file_from_path(posixpath.normpath(posixpath.join(posixpath.dirname(page.file.src_uri), target))):
            return link.group()
        path = (Path(config.docs_dir) / page.file.src_uri).parent.joinpath(target).resolve().relative_to(ROOT).as_posix()
        return f"`{path}`" if link["text"].strip("`") in path else f"{link['text']} (`{path}`)"

    return LINK.sub(replace, markdown)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:  # noqa: ARG001
    """Load the shim from the site."""
    return SHIM_URL.sub(posixpath.relpath(SHIM_PAGE, posixpath.dirname(page.url) or "."), output)


def on_post_template(output_content: str, template_name: str, config: MkDocsConfig) -> str:  # noqa: ARG001
    """Load the shim from the site, in pages without a source too."""
    return SHIM_URL.sub(SHIM_PAGE, output_content)
