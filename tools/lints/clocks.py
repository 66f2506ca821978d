# clocks.py -- time, chance and pauses come from env: services never ask the machine, core and server only where a thread waits
# or a socket is timed. A simulator that replays a run from its seed (test/sim.h) needs every one of them in its hand.
# SPDX-License-Identifier: Apache-2.0
import re
from .source import layer_of

ASKS = re.compile(r"(?<![\w>.])(when_real_now|monotonic_us|sleep_ms|random_fill|clock_gettime|gettimeofday|time|getrandom|nanosleep|usleep"
                  r"|randombytes\w*|RAND_bytes)\s*\(")
# What waits for threads or looks after sockets; and env itself.
ALLOWED = {
    "src/core/env.c": {"monotonic_us", "sleep_ms"},
    "src/core/exec.c": {"monotonic_us", "clock_gettime"},
    "src/core/queue.c": {"monotonic_us", "clock_gettime"},
    "src/core/jobs.c": {"clock_gettime"},
    "src/core/events.c": {"clock_gettime"},
    "src/core/db_migrate.c": {"when_real_now"},  # when a file was run; nobody asks
    "src/server/server.c": {"monotonic_us", "sleep_ms"},
    "src/server/front.c": {"monotonic_us"},
    "src/server/http.c": {"monotonic_us"},
    "src/server/connection.c": {"monotonic_us", "clock_gettime"},
    "src/server/sse.c": {"monotonic_us"},
}


def check(tree):
    found = []
    for s in tree.c:
        if layer_of(s.path) not in ("core", "server", "services") or s.path.endswith("_test.c"):
            continue
        for m in ASKS.finditer(s.bare):
            if m[1] not in ALLOWED.get(s.path, set()):
                found.append((s.path, s.line(m.start()), f"{m[1]} asks the machine: time, chance and pauses come from env"))
    return found


BAD = {
    "a service's own clock": {"src/services/tip/tip.c": "void f(void)\n{\n    x = when_real_now();\n}\n"},
    "chance past env": {"src/services/tip/tip.c": "void f(void)\n{\n    random_fill(b, 3);\n}\n"},
    "the server's other clock": {"src/server/guard.c": "void f(void)\n{\n    x = monotonic_us();\n}\n"},
}
GOOD = {
    "env's": {"src/services/tip/tip.c": "void f(void)\n{\n    x = env_real_now(e);\n    e->random(b, 3);\n    y = env_monotonic_us(e);\n}\n"},
    "a socket's": {"src/server/http.c": "void f(void)\n{\n    x = monotonic_us();\n}\n"},
    "a driver's": {"src/sys/disk.c": "void f(void)\n{\n    random_fill(b, 3);\n}\n"},
}
