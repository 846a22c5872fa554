"""A Griffe extension for the package's stub and docstrings."""

from __future__ import annotations

import re
from typing import Any

import griffe

EXAMPLE = re.compile(r"^>>> .*(?:\n(?!\s*$).*)*", re.MULTILINE)


class Stubs(griffe.Extension):
    """Shows methods that have overloads only, and the examples of docstrings as code."""

    def on_class_members(self, *, cls: griffe.Class, **_: Any) -> None:
        """Make a method of the overloads of each name, because a stub has no implementation."""
        for name, overloads in cls.overloads.items():
            if name not in cls.members and overloads:
                method = next((overload for overload in overloads if overload.docstring), overloads[-1])
                method.overloads = overloads
                cls.set_member(name, method)
        cls.members = dict(sorted(cls.members.items(), key=lambda member: member[1].lineno or 0))

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Fence examples: Markdown would make quotes of `>>>`."""
        if obj.docstring:
            obj.docstring.value = EXAMPLE.sub(lambda example: f"```pycon\n{example.group()}\n```", obj.docstring.value)
