# source.py -- the tree as the lints see it: C with comments blanked, includes, string literals.
# SPDX-License-Identifier: Apache-2.0
import functools, os, re

TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.M)
DEFINE_TEXT = re.compile(r'^#define\s+([A-Z][A-Z0-9_]*)[ \t]+((?:\\\n|[^\n])*)', re.M)
STRING = re.compile(r'"((?:\\.|[^"\\\n])*)"')
ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\", "r": "\r", "0": "\0", "'": "'"}


def blank(text):
    return re.sub(r"[^\n]", " ", text)


def unescape(text):
    return re.sub(r"\\(.)", lambda m: ESCAPES.get(m[1], m[1]), text)


class Source:
    def __init__(self, path, text):
        self.path, self.text = path, text
        self.is_c = path.endswith((".c", ".h"))
        self.is_test = path.endswith(("_test.c", "_fuzz.c")) or path.startswith("test/")

    @functools.cached_property
    def code(self):
        """Without comments; same length, same lines."""
        return TOKEN.sub(lambda m: blank(m[0]) if m[0].startswith("/") else m[0], self.text)

    @functools.cached_property
    def bare(self):
        """Without comments and the insides of literals."""
        return TOKEN.sub(lambda m: blank(m[0]) if m[0].startswith("/") else '"' + blank(m[0][1:-1]) + '"', self.text)

    @functools.cached_property
    def includes(self):
        """[(line, "<" or '"', name)]"""
        return [(self.line(m.start(1)), m[1], m[2]) for m in INCLUDE.finditer(self.code)]

    def line(self, at):
        return self.text.count("\n", 0, at) + 1


class Tree:
    FOLDERS = ("src", "test", "tools", "bench", "schema", "web/src")
    KINDS = (".c", ".h", ".sql", ".py", ".ts", ".tsx", ".css", ".def", ".scenario", ".sh", ".mjs")

    def __init__(self, files):
        self.files = {path: Source(path, text) for path, text in sorted(files.items())}
        self.c = [s for s in self.files.values() if s.is_c]

    @classmethod
    def of_folder(cls):
        files = {}
        for path in cls.paths():
            with open(path, encoding="utf-8") as f:
                files[path] = f.read()
        return cls(files)

    @classmethod
    def paths(cls):
        for folder in cls.FOLDERS:
            for where, folders, names in os.walk(folder):
                folders[:] = [d for d in folders if d not in ("__pycache__", "node_modules")]
                for name in names:
                    if name.endswith(cls.KINDS) or (folder == "tools" and "." not in name):
                        yield os.path.join(where, name)
        for path in ("dev", "Makefile"):
            if os.path.exists(path):
                yield path

    @functools.cached_property
    def texts(self):
        """Macros that stand for a string: "SELECT " POST_COLUMNS " FROM post"."""
        found = {}
        for s in self.c:
            for m in DEFINE_TEXT.finditer(s.code):
                body = m[2].replace("\\\n", " ")
                if '"' in body:
                    found[m[1]] = body
        return found


def layer_of(path):
    """base, core, server, services, sys, sandbox, demo; main for files that join all; test."""
    parts = path.split("/")
    if parts[0] != "src" or path.endswith(("_test.c", "_fuzz.c")):
        return "test"
    return parts[1] if len(parts) > 2 else "main"


def service_of(path):
    parts = path.split("/")
    return parts[2] if parts[:2] == ["src", "services"] and len(parts) > 3 else None


def arguments(code, bare, at):
    """The texts of a call's arguments; at is behind the opening bracket. Brackets are counted in bare."""
    depth, start, found = 0, at, []
    for i in range(at, len(bare)):
        ch = bare[i]
        if ch in "([{":
            depth += 1
        elif ch in ")]}":
            if depth == 0:
                return found + [code[start:i]]
            depth -= 1
        elif ch == "," and depth == 0:
            found.append(code[start:i])
            start = i + 1
    return found


def literal(text, texts, deep=0):
    """The string that an expression of literals and text macros stands for, or None when it is something else."""
    out, at = [], 0
    for m in re.finditer(r'\s+|"(?:\\.|[^"\\\n])*"|[A-Za-z_]\w*|.', text, re.S):
        token = m[0]
        if token.isspace():
            continue
        if token[0] == '"':
            out.append(unescape(token[1:-1]))
        elif token in texts and deep < 8:
            inner = literal(texts[token], texts, deep + 1)
            if inner is None:
                return None
            out.append(inner)
        else:
            return None
    return "".join(out) if out else None
