# banned.py -- every compiler refuses what base/banned.h bans, and calls that slip through by another door are found.
# SPDX-License-Identifier: Apache-2.0
import os
import re
import subprocess

# Not functions that a header declares once: macros, keywords, whole families.
CALL = re.compile(r"(?<![\w>.])(gets|alloca|__builtin_alloca\w*|strdupa|strndupa|scanf|fscanf|vscanf|longjmp|setjmp)\s*\(")
DOORS = re.compile(r"#\s*(?:undef|pragma\s+(?:GCC|clang)\s+diagnostic\s+ignored\s+\"[^\"]*\")")
# Where a door may be opened: the list itself, and the harness's way out of a test.
ALLOWED = {"src/base/banned.h": {"alloca", "gets", "#"}, "test/unit.c": {"longjmp", "setjmp"}}


def check(tree):
    found = []
    for s in tree.c:
        allowed = ALLOWED.get(s.path, set())
        for m in CALL.finditer(s.bare):
            if m[1] not in allowed:
                found.append((s.path, s.line(m.start()), f"{m[1]} is banned"))
        for m in DOORS.finditer(s.code):
            if "#" not in allowed and ("ignored" in m[0]):
                found.append((s.path, s.line(m.start()), "a warning is answered, not switched off"))
    return found


BAD = {
    "alloca": {"src/core/x.c": "void f(void)\n{\n    char *p = alloca(3);\n}\n"},
    "gets": {"src/core/x.c": "void f(void)\n{\n    gets(line);\n}\n"},
    "a warning switched off": {"src/core/x.c": '#pragma GCC diagnostic ignored "-Wconversion"\n'},
}
GOOD = {
    "a member": {"src/core/x.c": "void f(void)\n{\n    env->gets(line);\n    call_gets(1);\n}\n"},
}


def compilers():
    """Does each compiler refuse each function of the list? [(what was tried, was it refused)]"""
    with open("src/base/banned.h", encoding="utf-8") as f:
        names = re.findall(r"^BANNED\((\w+),", f.read(), re.M)
    text = "".join(f"void *use_{n}(void);\nvoid *use_{n}(void)\n{{\n    return (void *){n};\n}}\n" for n in names)
    for cc in ("gcc", "clang"):
        ran = subprocess.run([cc, "-std=gnu17", "-Isrc", "-D_GNU_SOURCE=", "-include", "base/banned.h", "-ferror-limit=0" if cc == "clang"
                              else "-fmax-errors=0", "-fsyntax-only", "-x", "c", "-"], input=text, stderr=subprocess.PIPE, text=True,
                             env={**os.environ, "LC_ALL": "C"})
        for n in names:
            yield f"{cc} refuses {n}", ran.returncode != 0 and re.search(rf"error:.*'{n}' is unavailable", ran.stderr) is not None
