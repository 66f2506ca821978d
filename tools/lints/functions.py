# functions.py -- no function over 70 lines; the median is printed, so that it is seen to stay small.
# SPDX-License-Identifier: Apache-2.0
import re
import statistics

LIMIT = 70
START = re.compile(r"^(?![#\s{}]).*[^;{}]\n\{$", re.M)
NAME = re.compile(r"(\w+)\s*\([^()]*(?:\([^()]*\)[^()]*)*\)\s*$")


def functions(source):
    """[(line, name, lines)] from the signature's first line to the closing bracket, as clang-format lays them out."""
    lines, found, i = source.bare.split("\n"), [], 0
    while i < len(lines):
        if lines[i] != "{" or i == 0:
            i += 1
            continue
        first = i - 1
        while first > 0 and lines[first][:1] in (" ", "\t"):
            first -= 1
        end = next((j for j in range(i, len(lines)) if lines[j].startswith("}")), len(lines) - 1)
        name = re.search(r"(\w+)\s*\(", lines[first])
        found.append((first + 1, name[1] if name else "?", end - first + 1))
        i = end + 1
    return found


def check(tree):
    return [(s.path, line, f"{name} has {n} lines; {LIMIT} is the limit")
            for s in tree.c if not s.is_test for line, name, n in functions(s) if n > LIMIT]


def sizes(tree):
    all_of = sorted(n for s in tree.c if s.path.startswith("src/") and not s.is_test for _, _, n in functions(s))
    if not all_of:
        return "no functions"
    return (f"functions: {len(all_of)}, median {statistics.median(all_of):g} lines, nine in ten up to "
            f"{all_of[len(all_of) * 9 // 10]}, largest {all_of[-1]}")


BAD = {
    "71 lines": {"src/core/x.c": "int f(int a,\n      int b)\n{\n" + "    a++;\n" * 67 + "}\n"},
    "a struct's initialiser does not hide it": {"src/core/x.c": "static void g(void)\n{\n" + "    struct x y = {\n    };\n" * 40 + "}\n"},
}
GOOD = {
    "70 lines": {"src/core/x.c": "int f(int a,\n      int b)\n{\n" + "    a++;\n" * 66 + "}\n"},
    "tables may be long": {"src/core/x.c": "static const int t[] = {\n" + "    1,\n" * 200 + "};\n"},
}
