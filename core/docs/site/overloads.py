"""A Griffe extension: a method that a stub has only as overloads is a member of its class, with these overloads."""

from __future__ import annotations

from typing import Any

import griffe


class StubOverloads(griffe.Extension):
    """Adds the methods that Griffe leaves out because their class has no implementation."""

    def on_class_members(self, *, cls: griffe.Class, **_: Any) -> None:
        """Make a method of the overloads of each name."""
        for name, overloads in cls.overloads.items():
            if name not in cls.members and overloads:
                last = overloads[-1]
                last.overloads = overloads
                cls.set_member(name, last)
