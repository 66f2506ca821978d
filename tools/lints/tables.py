# tables.py -- a service's SQL names only its own tables. Who owns a table is told by schema/NNNN-service-what.sql.
# SPDX-License-Identifier: Apache-2.0
import re
from .source import layer_of, service_of
from .sql import statements

CREATE = re.compile(r"\bCREATE\s+(?:TABLE|VIEW)\s+(?:IF\s+NOT\s+EXISTS\s+)?(\w+)", re.I)
WORD = re.compile(r"'(?:''|[^'])*'|\w+|[(),;]")
# Words that may follow a table: what comes is not an alias.
AFTER = {"ON", "USING", "WHERE", "SET", "JOIN", "LEFT", "INNER", "CROSS", "NATURAL", "FULL", "RIGHT", "GROUP", "ORDER", "LIMIT",
         "FOR", "UNION", "EXCEPT", "INTERSECT", "HAVING", "RETURNING", "VALUES", "SELECT", "DEFAULT", "AS", "WINDOW", "INDEXED"}


def owners(tree):
    found = {}
    for s in tree.files.values():
        if s.path.startswith("schema/") and s.path.endswith(".sql"):
            owner = s.path.split("/")[1].split("-")[1] if "-" in s.path else "?"
            for name in CREATE.findall(re.sub(r"--[^\n]*", "", s.text)):
                found.setdefault(name.lower(), owner)
    return found


def tables_of(text):
    """Names in the place of a table: after FROM, JOIN, INTO, UPDATE and the commas of a FROM list. Not WITH's own names."""
    words = WORD.findall(text)
    upper = [w.upper() for w in words]
    local = {words[i].lower() for i in range(len(words) - 1) if i > 0 and upper[i + 1] in ("AS", "(")
             and upper[i - 1] in ("WITH", "RECURSIVE", ",") and ("AS" in upper[i + 1:i + 12])} if "WITH" in upper else set()
    found, i = [], 0
    while i < len(words):
        before = upper[i - 1] if i else ""
        starts = upper[i] in ("FROM", "JOIN", "INTO") or (upper[i] == "UPDATE" and before not in ("FOR", "DO", "KEY"))
        # "a IS DISTINCT FROM b" and extract(year FROM x) name no table.
        if not starts or (upper[i] == "FROM" and (before == "DISTINCT" or re.match(r"YEAR|MONTH|DAY|EPOCH", before))):
            i += 1
            continue
        i += 1
        while i < len(words):
            if upper[i] in ("ONLY", "LATERAL"):
                i += 1
                continue
            is_name = re.match(r"[A-Za-z_]\w*$", words[i]) and upper[i] not in ("SELECT", "VALUES")
            if is_name and (i + 1 >= len(words) or words[i + 1] != "(" or upper[i - 1] == "INTO") and words[i].lower() not in local:
                found.append(words[i].lower())
            if not is_name:
                break
            i += 1
            if i < len(words) and upper[i] == "AS":
                i += 1
            if i < len(words) and re.match(r"[A-Za-z_]\w*$", words[i]) and upper[i] not in AFTER:
                i += 1
            if upper[i - 1:i] and i < len(words) and words[i] == "," and "FROM" in upper[:i]:
                i += 1
                continue
            break
    return found


def check(tree):
    found, owner_of = [], owners(tree)
    for s in tree.files.values():
        if s.path.startswith("schema/") and s.path.endswith(".sql") and not re.match(r"schema/\d{4}-[a-z]+-[a-z0-9-]+\.sql$", s.path):
            found.append((s.path, 1, "migrations are named NNNN-service-what.sql"))
    for q in statements(tree):
        own = service_of(q.source.path) or layer_of(q.source.path)
        for table in tables_of(q.text):
            if table not in owner_of:
                found.append((q.source.path, q.line, f"no migration makes a table {table}"))
            elif owner_of[table] != own:
                found.append((q.source.path, q.line, f"{own} touches {table}, a table of {owner_of[table]}: call its header"))
    return found


def sample(query, path="src/services/tip/tip.c"):
    return {
        "schema/0001-core-jobs.sql": "CREATE TABLE jobs (id INTEGER PRIMARY KEY) STRICT;\n",
        "schema/0002-tip-start.sql": "-- CREATE TABLE ghost (x);\nCREATE TABLE tip (id INTEGER);\nCREATE TABLE IF NOT EXISTS tip_note (id INTEGER);\n",
        "schema/0003-post-start.sql": "CREATE TABLE post (id INTEGER) STRICT;\n",
        path: f'void f(void)\n{{\n    db_run(c, "{query}");\n}}\n',
    }


BAD = {
    "select": sample("SELECT id FROM post"),
    "join": sample("SELECT id FROM tip t JOIN post p ON p.id = t.id"),
    "comma": sample("SELECT t.id FROM tip AS t, post WHERE 1 = 1"),
    "insert": sample("INSERT INTO post (id) VALUES ($1)"),
    "update": sample("UPDATE post SET id = 1"),
    "delete": sample("DELETE FROM post WHERE id = 1"),
    "in a subquery": sample("SELECT id FROM tip WHERE id IN (SELECT id FROM post)"),
    "in a common table": sample("WITH mine AS (SELECT id FROM post) SELECT id FROM mine"),
    "core's": sample("DELETE FROM jobs"),
    "core in a service's": sample("DELETE FROM tip", "src/core/jobs.c"),
    "the server": sample("DELETE FROM tip", "src/server/http.c"),
    "unknown": sample("DELETE FROM ghost"),
    "name": {"schema/1-tip.sql": "\n"},
}
GOOD = {
    "own": sample("SELECT post FROM tip JOIN tip_note n ON n.id = tip.id, tip AS t2 WHERE a IS DISTINCT FROM post"),
    "on conflict": sample("INSERT INTO tip (id, post) VALUES ($1, 'FROM post') ON CONFLICT (id) DO UPDATE SET post = excluded.post"),
    "common table": sample("WITH RECURSIVE a AS (SELECT id FROM tip), b (x, y) AS (SELECT 1, 2 FROM a) SELECT x FROM b, a"),
    "for update": sample("SELECT id FROM tip WHERE id = $1 FOR UPDATE SKIP LOCKED"),
    "function": sample("SELECT value FROM json_each($1)"),
    "core": sample("DELETE FROM jobs", "src/core/jobs.c"),
}
