# form.py -- what clang-format does not see: one SPDX line, a head note, no // comments, no notes to self.
# SPDX-License-Identifier: Apache-2.0
import re
from .source import TOKEN

SPDX = "SPDX-License-Identifier: Apache-2.0"
# Kinds that cannot carry a comment, or are data.
BARE = (".scenario",)
LEFTOVER = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|@author|\bAuthor:", re.I)


def check(tree):
    found = []
    for s in tree.files.values():
        if s.path.startswith("tools/lints/") and "__init__" in s.path:
            continue
        if not s.path.endswith(BARE):
            n = s.text.count(SPDX) if s.path != "tools/lints/form.py" else 1
            if n != 1:
                found.append((s.path, 1, f"{n} SPDX lines; one is right" if n else f"no SPDX line: {SPDX}"))
        if not s.is_c:
            continue
        if not s.text.startswith("/* " + s.path.split("/")[-1]):
            found.append((s.path, 1, "the head note is missing: /* name.c -- what it is */"))
        for m in TOKEN.finditer(s.text):
            if m[0].startswith("//"):
                found.append((s.path, s.line(m.start()), "// is never committed; /* */ says what stays"))
            elif m[0].startswith("/*") and LEFTOVER.search(m[0]):
                found.append((s.path, s.line(m.start()), "finish it, or write an issue: no notes to self, no author tags"))
    return found


HEAD = "/* x.c -- a sample. */\n/* " + SPDX + " */\n"
BAD = {
    "no SPDX": {"src/core/x.c": "/* x.c -- a sample. */\n"},
    "SPDX twice": {"src/core/x.c": HEAD + "/* " + SPDX + " */\n"},
    "no head note": {"src/core/x.c": "/* " + SPDX + " */\n"},
    "line comment": {"src/core/x.c": HEAD + "int x; // y\n"},
    "leftover": {"src/core/x.c": HEAD + "/* TODO: think */\n"},
    "SQL without": {"schema/0001-core-x.sql": "CREATE TABLE x (id INTEGER);\n"},
    "TypeScript without": {"web/src/x.ts": "export {};\n"},
}
GOOD = {
    "as it should be": {"src/core/x.c": HEAD + 'static const char x[] = "http://x"; /* y */\nint c = \'"\'; /* // z */\n'},
    "SQL": {"schema/0001-core-x.sql": "-- x\n-- " + SPDX + "\n"},
}
