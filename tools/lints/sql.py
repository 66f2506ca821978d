# sql.py -- SQL is a literal where it is used: never built, never handed around. Also finds the literals.
# SPDX-License-Identifier: Apache-2.0
import re
from .source import arguments, literal

# Which argument of each call is the SQL.
CALLS = {"db_one": 3, "db_list": 3, "db_page": 4, "db_run": 1, "db_hit": 1, "db_int": 2}
CALL = re.compile(r"(?<![\w>.])(" + "|".join(CALLS) + r")\s*\(")
PRINT = re.compile(r"(?<![\w>.])(\w*printf|buf_add|buf_char|strcat|strncat)\s*\(")
IS_SQL = re.compile(r"\b(SELECT\s|INSERT\s+INTO\s|UPDATE\s+\w+\s+SET\b|DELETE\s+FROM\s|CREATE\s+(TABLE|INDEX)\s|ORDER\s+BY\s|WHERE\s)")


class Statement:
    def __init__(self, source, line, call, text):
        self.source, self.line, self.call, self.text = source, line, call, text


def calls(tree, sources):
    """Each call of db_*: (source, line, name, text of the SQL or None)."""
    for s in sources:
        for m in CALL.finditer(s.bare):
            if s.bare.rfind("#define", s.bare.rfind("\n", 0, m.start()), m.start()) >= 0:
                continue
            args = arguments(s.code, s.bare, m.end())
            at = CALLS[m[1]]
            yield s, s.line(m.start()), m[1], literal(args[at], tree.texts) if len(args) > at else None


def statements(tree):
    sources = [s for s in tree.c if s.path.startswith("src/") and not s.is_test]
    return [Statement(s, line, call, text) for s, line, call, text in calls(tree, sources) if text is not None]


def check(tree):
    found = []
    sources = [s for s in tree.c if s.path.startswith("src/")]
    for s, line, call, text in calls(tree, sources):
        if text is None:
            found.append((s.path, line, f"{call}: the SQL must be a literal here, one that can be read and prepared"))
        elif re.search(r"(SELECT|RETURNING)\s+\*|\.\*", text):
            found.append((s.path, line, f"{call}: columns are named, never *"))
        elif re.search(r"\bOFFSET\b", text):
            found.append((s.path, line, f"{call}: no OFFSET; lists are paged by key (db_page)"))
    for s in sources:
        for m in PRINT.finditer(s.bare):
            for arg in arguments(s.code, s.bare, m.end()):
                text = "".join(re.findall(r'"((?:\\.|[^"\\\n])*)"', arg))
                if IS_SQL.search(text) and not s.path.startswith(("src/core/db", "src/sys/")):
                    found.append((s.path, s.line(m.start()), f"{m[1]} builds SQL: write a literal with $1 parameters"))
                    break
    return found


BAD = {
    "a variable": {"src/services/tip/tip.c": "void f(void)\n{\n    db_run(c, text, 1);\n}\n"},
    "chosen at run time": {"src/services/tip/tip.c": 'void f(void)\n{\n    db_run(c, a ? "DELETE FROM x" : "DELETE FROM y");\n}\n'},
    "printed": {"src/services/tip/tip.c": 'void f(void)\n{\n    str_printf(a, "SELECT id FROM tip WHERE id = %d", 1);\n}\n'},
    "put together": {"src/services/tip/tip.c": 'void f(void)\n{\n    buf_add(b, STR(" ORDER BY id"));\n}\n'},
    "star": {"src/services/tip/tip.c": 'void f(void)\n{\n    db_one(c, tip, &t, "SELECT * FROM tip WHERE id = $1", id);\n}\n'},
    "offset": {"src/services/tip/tip.c": 'void f(void)\n{\n    db_run(c, "SELECT id FROM tip LIMIT 3 OFFSET 4");\n}\n'},
}
GOOD = {
    "literals": {"src/services/tip/tip.c": 'void f(void)\n{\n    TRY(db_one(c, tip, OUT(c, tip),\n        "SELECT id, \\"x\\""\n'
                                           '        " FROM tip WHERE id = $1", f(a, b)));\n}\n'},
    "a text macro": {"src/services/tip/tip.c": '#define COLUMNS "id, " \\\n    "text"\nvoid f(void)\n{\n'
                                               '    db_run(c, "SELECT " COLUMNS " FROM tip");\n}\n'},
    "a sentence": {"src/services/tip/tip.c": 'void f(void)\n{\n    str_printf(a, "select a tier, where you like");\n}\n'},
}
