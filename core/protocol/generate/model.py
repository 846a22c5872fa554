"""A message definition, checked and with every range of versions worked out."""

import re
from dataclasses import dataclass, field

NO_END = 32767
FIXED = {"bool": 1, "int8": 1, "int16": 2, "uint16": 2, "int32": 4, "uint32": 4, "int64": 8, "float64": 8, "uuid": 16}
VARIABLE = {"string", "bytes", "records"}


@dataclass(frozen=True)
class Versions:
    """A range of versions, both ends included; empty if `lowest > highest`."""

    lowest: int
    highest: int

    @staticmethod
    def parse(text: str | None) -> "Versions":
        if text is None or text == "none":
            return NEVER
        match = re.fullmatch(r"(\d+)(?:(\+)|-(\d+))?", text)
        assert match, f"not a range of versions: {text}"
        lowest = int(match[1])
        return Versions(lowest, NO_END if match[2] else int(match[3] or lowest))

    def __and__(self, other: "Versions") -> "Versions":
        return Versions(max(self.lowest, other.lowest), min(self.highest, other.highest))

    def __contains__(self, version: int) -> bool:
        return self.lowest <= version <= self.highest

    def __bool__(self) -> bool:
        return self.lowest <= self.highest

    def span(self, other: "Versions") -> "Versions":
        """The smallest range with both in it."""
        if not self:
            return other
        return Versions(min(self.lowest, other.lowest), max(self.highest, other.highest)) if other else self

    def __iter__(self):
        return iter(range(self.lowest, self.highest + 1))

    def __str__(self) -> str:
        return f"{self.lowest}" if self.lowest == self.highest else f"{self.lowest}-{self.highest}"


NEVER = Versions(1, 0)


@dataclass
class Field:
    """A field. `versions`, `nullable` and `tagged` lie inside the versions of its struct."""

    name: str
    type: str  # a primitive's name in Kafka's spelling, or a struct's
    is_array: bool
    versions: Versions
    nullable: Versions
    tag: int | None
    ignorable: bool
    default: str | None  # "null", a literal, or None for the type's own

    @property
    def is_struct(self) -> bool:
        return self.type not in FIXED and self.type not in VARIABLE

    @property
    def is_option(self) -> bool:
        """Can the field be null? Records always can: an empty run of batches is not one that is absent."""
        return bool(self.nullable) or (self.type == "records" and not self.is_array)

    @property
    def is_null_by_default(self) -> bool:
        return self.default == "null" or (self.type == "records" and not self.is_array)


@dataclass
class Struct:
    name: str
    versions: Versions
    fields: list[Field] = field(default_factory=list)


@dataclass
class Message:
    name: str
    kind: str
    key: int | None
    versions: Versions
    flexible_since: int | None
    structs: list[Struct]  # the message's own first, each other one before the structs that contain it

    def is_flexible(self, version: int) -> bool:
        return self.flexible_since is not None and version >= self.flexible_since

    def struct(self, name: str) -> Struct:
        return next(struct for struct in self.structs if struct.name == name)

    def smallest(self, struct: Struct, version: int) -> int:
        """The fewest bytes that `struct` takes at `version`."""
        flexible = self.is_flexible(version)
        size = 1 if flexible else 0
        for each in struct.fields:
            if version not in each.versions or each.tag is not None:
                continue
            if each.is_array or each.type in ("bytes", "records"):
                size += 1 if flexible else 4
            elif each.type == "string":
                size += 1 if flexible else 2
            elif each.is_struct:
                size += 1 if each.nullable else self.smallest(self.struct(each.type), version)
            else:
                size += FIXED[each.type]
        return size


def message(definition: dict) -> Message:
    """Builds the model of one definition."""
    versions = Versions.parse(definition["validVersions"])
    flexible = Versions.parse(definition.get("flexibleVersions")) & versions
    shared = {each["name"]: each["fields"] for each in definition.get("commonStructs", [])}
    structs: dict[str, Struct] = {}

    def visit(name: str, fields: list[dict], inside: Versions, path: tuple[str, ...]) -> None:
        assert name not in path, f"{definition['name']} contains itself through {path}"
        known = structs.pop(name, None)
        within = known.versions.span(inside) if known else inside
        structs[name] = Struct(name, within, [f for f in (parse_field(each, within) for each in fields) if f.versions])
        for each in fields:
            kind = each["type"].removeprefix("[]")
            if kind in FIXED or kind in VARIABLE:
                continue
            stands = (parse_field(each, within)).versions
            if stands:
                visit(kind, each.get("fields") or shared[kind], stands, (*path, name))

    visit(definition["name"], definition["fields"], versions, ())
    return Message(
        definition["name"],
        definition["type"],
        definition.get("apiKey"),
        versions,
        flexible.lowest if flexible else None,
        list(structs.values()),
    )


def parse_field(raw: dict, inside: Versions) -> Field:
    unknown = set(raw) - KNOWN
    assert not unknown, f"field {raw['name']} has properties that this tool does not know: {unknown}"
    versions = Versions.parse(raw.get("versions", raw.get("taggedVersions"))) & inside
    tagged = Versions.parse(raw.get("taggedVersions")) & inside
    assert not tagged or tagged == versions, f"{raw['name']} is tagged in some versions only"
    is_array = raw["type"].startswith("[]")
    # A JSON null means "not given", as in Kafka's own generator.
    default = raw.get("default")
    return Field(
        name=raw["name"],
        type=raw["type"].removeprefix("[]"),
        is_array=is_array,
        versions=versions,
        nullable=Versions.parse(raw.get("nullableVersions")) & versions,
        tag=raw["tag"] if tagged else None,
        ignorable=raw.get("ignorable", False),
        default=None if default is None else str(default),
    )


KNOWN = {
    "name", "type", "versions", "nullableVersions", "taggedVersions", "tag", "ignorable", "default", "fields",
    "about", "entityType", "mapKey", "zeroCopy",
}  # fmt: skip
