# rig.py -- what run and load stand on: programs on a core each, a site filled once, the record of what was measured.
# SPDX-License-Identifier: Apache-2.0
import argparse, atexit, hashlib, http.client, os, re, shutil, socket, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.realpath(__file__))
PROGRAM = "build/release-gcc/stagedoor"
SERVER_CORE, LOAD_CORE = "0", "1"
WORK = None  # of this run; see work()


def number(kind, least, most):
    """For argparse: a number from least to most, which "nan" is not."""

    def take(text):
        try:
            n = kind(text)
        except ValueError:
            n = float("nan")
        if not least <= n <= most:
            raise argparse.ArgumentTypeError(f"it is a number from {least} to {most}, not {text!r}")
        return n

    return take


def work(name):
    """A folder for this run alone, gone at its end; the tree's root becomes the current folder."""
    global WORK
    os.chdir(os.path.join(HERE, ".."))
    os.makedirs("build/bench", exist_ok=True)
    WORK = tempfile.mkdtemp(prefix=f"{name}-", dir=os.path.abspath("build/bench"))
    atexit.register(shutil.rmtree, WORK)


def in_work(name):
    return os.path.join(WORK, name)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def get(port, path, headers={}):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    c.request("GET", path, headers=headers)
    r = c.getresponse()
    return r.status, r.read()


class Process:
    """On a core of its own, until it is stopped."""

    def __init__(self, name, core, arguments, port, ready, more_environment={}):
        self.port, self.log = port, open(in_work(f"{name}.log"), "ab")
        began = time.monotonic()
        self.child = subprocess.Popen(["taskset", "-c", core, *arguments], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                      env=os.environ | more_environment)
        atexit.register(self.child.kill)  # whatever becomes of us
        while True:
            try:
                if get(port, ready)[0] == 200:
                    break
            except OSError:
                pass
            if self.child.poll() is not None or time.monotonic() - began > 20:
                sys.exit(f"{name} does not start: {open(self.log.name).read()[-1000:]}")
            time.sleep(0.001)
        self.start_ms = (time.monotonic() - began) * 1000

    def cpu_us(self):
        """Of all its threads, and of nobody else: what a busy machine cannot distort."""
        children = open(f"/proc/{self.child.pid}/task/{self.child.pid}/children").read().split()
        stats = [open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split() for pid in (self.child.pid, *children)]
        return sum(int(s[11]) + int(s[12]) for s in stats) * 1e6 / os.sysconf("SC_CLK_TCK")

    def rss_mb(self):
        return int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{self.child.pid}/status").read())[1]) / 1024

    def stop(self):
        self.child.terminate()
        self.child.wait()


def site_copy(name, fillers, fill):
    """A copy of the folder that fill(folder) makes, once for a schema and its fillers (files of this folder)."""
    inputs = [os.path.join("schema", f) for f in sorted(os.listdir("schema"))] + [os.path.join(HERE, f) for f in fillers]
    made = f"build/bench/{name}-" + hashlib.sha256(b"".join(open(f, "rb").read() for f in inputs)).hexdigest()[:12]
    if not os.path.exists(made):
        print("filling a site, once", file=sys.stderr)
        fill(in_work("fresh"))
        for old in os.listdir("build/bench"):
            if old.startswith(f"{name}-"):
                shutil.rmtree(os.path.join("build/bench", old))
        os.rename(in_work("fresh"), made)
    copy = in_work(f"site-{time.time_ns()}")
    shutil.copytree(made, copy)
    return copy


def record(title, how, text):
    """Adds what was measured to RESULTS.md: when, of which revision, on what machine, how."""
    revision = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    cpu = re.search(r"model name\s*:\s*(.*)", open("/proc/cpuinfo").read())[1]
    with open(os.path.join(HERE, "RESULTS.md"), "a") as f:
        f.write(f"\n## {title}{time.strftime('%Y-%m-%d %H:%M')}, {revision}\n\n{cpu}, {os.cpu_count()} cores;"
                f" load average {os.getloadavg()[0]:.1f}; {how}\n\n{text}\n")
