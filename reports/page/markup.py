"""HTML as values: text that is escaped exactly once, because only `tag` and `join` make markup."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import Self

VOID = frozenset({"meta", "link", "br", "hr", "line", "rect", "path", "circle"})

# Characters that would break a page, or that let a value look like another one.
UNSHOWABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)


class Html(str):
    """Markup that is complete and safe; whatever is a plain `str` is still text."""

    __slots__ = ()

    def __new__(cls, markup: str = "") -> Self:
        return super().__new__(cls, markup)


def text(value: object) -> Html:
    """Return `value` as text of a page; what cannot be shown is named by its code point."""
    if isinstance(value, Html):
        return value
    plain = str(value).replace("\r\n", "\n")
    return Html(html.escape(UNSHOWABLE.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", plain), quote=True))


def join(parts: Iterable[object], separator: str = "") -> Html:
    """Return the parts one after another, texts escaped."""
    return Html(text(separator).join(text(part) for part in parts))


def tag(name: str, /, *children: object, **attributes: object) -> Html:
    """Return an element; `class_` means `class`, an underscore a hyphen, None leaves an attribute out."""
    written = "".join(_attribute(key, value) for key, value in attributes.items() if value is not None)
    if name in VOID and not children:
        return Html(f"<{name}{written}>" if name in {"meta", "link", "br", "hr"} else f"<{name}{written}/>")
    return Html(f"<{name}{written}>{join(children)}</{name}>")


def _attribute(key: str, value: object) -> str:
    return f' {key.rstrip("_").replace("_", "-")}="{text(str(value))}"'


def slug(value: object) -> str:
    """Return `value` as an ASCII word that is safe in an id, a link and a file name."""
    return re.sub(r"[^a-z0-9]+", "-", str(value).lower()).strip("-")[:80].strip("-") or "unnamed"


def definitions(pairs: Iterable[tuple[str, object]]) -> Html:
    """Return a list of terms and what they are; a pair without a value is left out."""
    rows = [tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs if value not in {None, ""}]
    return tag("dl", *rows, class_="kr-facts") if rows else Html()


def items(values: Iterable[object], class_: str | None = None) -> Html:
    """Return a list; empty if there is nothing to list."""
    rows = [tag("li", value) for value in values]
    return tag("ul", *rows, class_=class_) if rows else Html()


def table(caption: object, head: Iterable[str], rows: Iterable[Iterable[object]], class_: str = "") -> Html:
    """Return a table whose cells carry their column's name, so that a narrow page can stack them."""
    names = tuple(head)
    body = [tag("tr", *(_cell(name, cell) for name, cell in zip(names, row, strict=True))) for row in rows]
    return tag(
        "table",
        tag("caption", caption),
        tag("thead", tag("tr", *(tag("th", name, scope="col") for name in names))),
        tag("tbody", *body),
        class_=f"kr-table {class_}".strip(),
    )


def _cell(name: str, cell: object) -> Html:
    return tag("td", tag("span", cell), data_label=name)


def fold(summary: object, *children: object, opened: bool = False) -> Html:
    """Return a part that can be folded away; print shows all of it."""
    return tag("details", tag("summary", summary), *children, open="" if opened else None)


def code(value: object) -> Html:
    """Return a value that is typed or copied."""
    return tag("code", value)


def block(value: object, label: str) -> Html:
    """Return preformatted lines that scroll inside themselves and can be reached by keyboard."""
    return tag("pre", tag("code", value), tabindex="0", role="region", aria_label=label)
