"""The links of a built site that lead nowhere."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class _Addresses(HTMLParser):
    """Collects the addresses that a page links to or loads, and the anchors that it has."""

    def __init__(self) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        found = {name: value for name, value in attributes if value is not None}
        self.links |= {found[name] for name in ("href", "src") if name in found}
        self.anchors |= {found[name] for name in ("id", "name") if name in found}


def broken_links(site: Path) -> list[str]:
    """Each link to a page, an anchor or a file that the site does not have. Links to other sites are not followed."""
    pages = {path: _addresses(path) for path in site.rglob("*.html")}
    broken = []
    for path, page in pages.items():
        for link in page.links:
            address = urlsplit(link)
            if not (address.scheme or address.netloc) and not _exists(address.path, unquote(address.fragment), path, site, pages):
                broken.append(f"{path.relative_to(site)}: {link}")
    return sorted(broken)


def _addresses(path: Path) -> _Addresses:
    parser = _Addresses()
    parser.feed(path.read_text(encoding="utf-8"))
    return parser


def _exists(path: str, anchor: str, of: Path, site: Path, pages: dict[Path, _Addresses]) -> bool:
    folder = site if path.startswith("/") else of.parent
    target = Path(folder, unquote(path).lstrip("/")).resolve() if path else of
    if target.is_dir():
        target /= "index.html"
    if not target.exists():
        return False
    # Scripts of the theme create the anchors that begin with two underscores.
    return not anchor or target not in pages or anchor.startswith("__") or anchor in pages[target].anchors
