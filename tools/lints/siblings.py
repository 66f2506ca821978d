# siblings.py -- a service includes only services below it, in the order of tools/services.order.
# SPDX-License-Identifier: Apache-2.0
import os
from .source import service_of

with open(os.path.join(os.path.dirname(__file__), "..", "services.order"), encoding="utf-8") as f:
    ORDER = [line.strip() for line in f if line.strip() and not line.startswith("#")]


def check(tree):
    found = []
    for s in tree.c:
        own = service_of(s.path)
        if own is None:
            continue
        if own not in ORDER:
            found.append((s.path, 1, f"service {own} has no place in tools/services.order"))
            continue
        for line, quote, name in s.includes:
            other = service_of("src/" + name)
            if quote != '"' or other in (None, own) or s.is_test:
                continue
            if other not in ORDER or ORDER.index(other) > ORDER.index(own):
                found.append((s.path, line, f"{own} stands below {other}: emit an event instead"))
            elif name != f"services/{other}/{other}.h":
                found.append((s.path, line, f"only the public header services/{other}/{other}.h of a sibling"))
    return found


BAD = {
    "upward": {"src/services/creator/creator.c": '#include "services/post/post.h"\n'},
    "no place": {"src/services/horoscope/horoscope.c": "\n"},
    "a private header": {"src/services/post/post.c": '#include "services/media/jail.h"\n'},
}
GOOD = {
    "a fuzz target": {"src/services/media/media_fuzz.c": '#include "services/post/post.h"\n'},
    "downward": {"src/services/post/post.c": '#include "services/post/post.h"\n#include "services/creator/creator.h"\n'},
    "private of its own": {"src/services/media/media.c": '#include "services/media/jail.h"\n'},
}
