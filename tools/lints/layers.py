# layers.py -- includes go downward only, and third-party headers stand where they are allowed.
# SPDX-License-Identifier: Apache-2.0
import re
from .source import layer_of

BELOW = {
    "base": {"base"},
    "core": {"base", "core"},
    "server": {"base", "core", "server"},
    "services": {"base", "core", "services"},
    "sys": {"base", "core", "sys"},
    "sandbox": {"base", "core", "sys", "sandbox"},  # a program of its own: of sys, its HTTP client
    "demo": {"base", "core", "server", "sys", "demo"},  # drives the program through its own API
    "main": {"base", "core", "server", "services", "sys", "sandbox", "demo", "main"},
}
# Of the compiler, libc and the kernel; everything else between < > is somebody's library.
LIBC = re.compile(
    r"^(assert|complex|ctype|errno|float|inttypes|iso646|limits|locale|math|setjmp|signal|stdalign|stdarg|stdatomic|stdbool"
    r"|stddef|stdint|stdio|stdlib|stdnoreturn|string|strings|threads|time|uchar|wchar|alloca|arpa/inet|dirent|dlfcn|endian|err"
    r"|fcntl|fnmatch|ftw|getopt|glob|grp|link|malloc|net/if|netdb|netinet/\w+|poll|pthread|pwd|regex|sched|semaphore|spawn"
    r"|sys/\w+|syslog|termios|ucontext|unistd|utime|linux/\w+|sanitizer/\w+)\.h$")
# Where a library may be seen. JSON and crypto are primitives of base.
THIRD = {"base": re.compile(r"^(jansson\.h|sodium\.h|openssl/.*)$"), "sys": re.compile("."), "server": re.compile("."),
         "test": re.compile(".")}


def check(tree):
    found = []
    for s in tree.c:
        layer = layer_of(s.path)
        for line, quote, name in s.includes:
            if quote == "<":
                if not LIBC.match(name) and not (layer in THIRD and THIRD[layer].match(name)):
                    found.append((s.path, line, f"{layer} may not include <{name}>: libraries stand in sys and server"))
            elif layer == "test":
                continue
            elif name.startswith("test/"):
                found.append((s.path, line, f'only tests include "{name}"'))
            elif "/" not in name and layer == "main":
                continue
            elif "/" not in name:
                found.append((s.path, line, f'write "{name}" from src/: "base/str.h"'))
            elif name.split("/")[0] not in BELOW.get(layer, set()):
                found.append((s.path, line, f"{layer} may not include {name}: includes go downward only"))
    return found


BAD = {
    "base includes core": {"src/base/x.c": '#include "core/db.h"\n'},
    "core includes sys": {"src/core/x.h": '#  include "sys/disk.h"\n'},
    "server includes a service": {"src/server/x.c": '#include "services/tip/tip.h"\n'},
    "a service includes sys": {"src/services/tip/tip.c": '#include "sys/disk.h"\n'},
    "a service sees a library": {"src/services/tip/tip.c": "#include <sqlite3.h>\n"},
    "core sees JSON": {"src/core/x.c": "#include <jansson.h>\n"},
    "base sees curl": {"src/base/x.c": "#include <curl/curl.h>\n"},
    "the program includes a test header": {"src/core/x.c": '#include "test/unit.h"\n'},
    "not from src": {"src/core/x.c": '#include "x.h"\n'},
}
GOOD = {
    "downward": {"src/services/tip/tip.c": '#include "services/tip/tip.h"\n#include "core/db.h"\n#include "base/str.h"\n'
                                           "#include <string.h>\n"},
    "libraries in their place": {"src/sys/x.c": "#include <sqlite3.h>\n", "src/base/json.c": "#include <jansson.h>\n"},
    "main joins all": {"src/main.c": '#include "sys/sqlite.h"\n#include "server/http.h"\n#include "services/tip/tip.h"\n'},
    "in a comment": {"src/base/x.c": '/*\n#include "core/db.h"\n*/\n'},
    "a test": {"src/core/x_test.c": '#include "test/unit.h"\n#include "sys/sqlite.h"\n'},
    "a fuzz target": {"src/core/x_fuzz.c": '#include "test/fuzz.h"\n#include "modules.h"\n#include "sys/sqlite.h"\n'},
}
