"""Compares an answer with a documented field list: missing, extra and wrongly typed fields, each by its name.

A shape is a type name ("integer", "decimal" = decimal number as text, "string", "boolean", "number", "null", "any",
several joined by "|"), an object of fields (a "?" behind a name marks a conditional one, "..." adds a named group),
an array (one element: all items; more: a tuple), {"either": [shapes]}, {"by": field, value: shape, ...}, or
"=name", another shape of any file.
"""

import json
import pathlib
import re

DECIMAL = re.compile(r"-?\d+(\.\d+)?")
FOLDER = pathlib.Path(__file__).parent / "shapes"

TYPES = {
    "any": lambda value: True,
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "decimal": lambda value: isinstance(value, str) and DECIMAL.fullmatch(value) is not None,
}


class Shapes:
    """All field lists of a folder. Invariant: every reference in them leads to a shape."""

    def __init__(self, folder=FOLDER):
        self.shapes, self.groups = {}, {}
        for path in sorted(folder.glob("*.json")):
            page = json.loads(path.read_text())
            self.shapes.update(page["shapes"])
            self.groups.update(page.get("groups", {}))

    def faults(self, name, value):
        """What is wrong with the value, as a list of sentences; empty when it fits."""
        return self.compare(self.shapes[name], value, "")

    def compare(self, shape, value, at):
        if isinstance(shape, str):
            if shape.startswith("="):
                return self.compare(self.shapes[shape[1:]], value, at)
            if any(TYPES[kind](value) for kind in shape.split("|")):
                return []
            return [f"{at or 'answer'}: wanted {shape}, got {json.dumps(value)[:80]}"]
        if isinstance(shape, list):
            return self.compare_array(shape, value, at)
        if "either" in shape:
            return min((self.compare(choice, value, at) for choice in shape["either"]), key=len)
        if "by" in shape:
            return self.compare_kind(shape, value, at)
        return self.compare_object(shape, value, at)

    def compare_array(self, shape, value, at):
        if not isinstance(value, list):
            return [f"{at or 'answer'}: wanted an array, got {json.dumps(value)[:80]}"]
        if len(shape) > 1 and len(shape) != len(value):
            return [f"{at or 'answer'}: wanted {len(shape)} elements, got {len(value)}"]
        if not shape:
            return []
        found = []
        for index, item in enumerate(value):
            kind = shape[index] if len(shape) > 1 else shape[0]
            found += [fault for fault in self.compare(kind, item, f"{at}[{index}]")]
        # Hundreds of equal items have equal faults: the first few name them all.
        return found[:12]

    def compare_kind(self, shape, value, at):
        kind = value.get(shape["by"]) if isinstance(value, dict) else None
        if kind not in shape:
            return [f"{at or 'answer'}: {shape['by']} {kind!r} is not documented"]
        return self.compare_object(shape[kind], value, f"{at}({kind})")

    def compare_object(self, shape, value, at):
        if not isinstance(value, dict):
            return [f"{at or 'answer'}: wanted an object, got {json.dumps(value)[:80]}"]
        fields = {name: kind for name, kind in shape.items() if name != "..."}
        if "..." in shape:
            present = {name.rstrip("?") for name in fields}
            fields |= {name: kind for name, kind in self.groups[shape["..."]].items() if name.rstrip("?") not in present}
        found = []
        for name, kind in fields.items():
            field = name.rstrip("?")
            if field in value:
                found += self.compare(kind, value[field], f"{at}.{field}")
            elif not name.endswith("?"):
                found.append(f"{at}.{field}: missing")
        known = {name.rstrip("?") for name in fields}
        return found + [f"{at}.{field}: extra" for field in value if field not in known]
