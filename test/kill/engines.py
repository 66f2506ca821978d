# engines.py -- the two places where the data may stand: how each dies, and how its rows are read without the program.
# SPDX-License-Identifier: Apache-2.0
import csv, ctypes, io, os, shutil, signal, sqlite3, subprocess, time
from urllib.parse import parse_qs, urlsplit


PR_SET_CHILD_SUBREAPER = 36


def wait_gone(pids):
    """Also out of the process table: PostgreSQL takes a zombie of its name for a running one."""
    until = time.monotonic() + 20
    for pid in pids:
        while os.path.exists(f"/proc/{pid}"):
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass
            if time.monotonic() > until:
                raise RuntimeError(f"process {pid} does not die")
            time.sleep(0.002)


class Sqlite:
    name = "sqlite"

    def __init__(self, folder):
        self.folder, self.path = folder, os.path.join(folder, "stagedoor.db")

    def arguments(self):
        return []

    def up(self):
        pass

    def kill(self, program):
        program.kill()
        program.wait()

    def done(self):
        pass

    def reader(self, path=None):
        """Rows by SQL, beside the dead program's files; a reader never writes what recovery will need."""
        db = sqlite3.connect(f"file:{path or self.path}?mode=ro", uri=True)
        return lambda sql: db.execute(sql).fetchall()

    def tampered(self, statements, work):
        """A copy in which something is not as it should be."""
        path = os.path.join(work, "tampered.db")
        for end in ("", "-wal"):
            if os.path.exists(path + end):
                os.remove(path + end)
            if os.path.exists(self.path + end):
                shutil.copyfile(self.path + end, path + end)
        if os.path.exists(path + "-shm"):
            os.remove(path + "-shm")
        db = sqlite3.connect(path)
        for name, in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        db.execute("PRAGMA ignore_check_constraints = 1")
        for sql in statements:
            assert db.execute(sql).rowcount > 0, f"nothing to tamper with: {sql}"
        db.commit()
        db.close()
        return self.reader(path)

    def whole(self):
        found = self.reader()("PRAGMA integrity_check")
        return [] if found == [("ok",)] else [f"integrity_check: {found[0][0]}"]


class Postgres:
    """A private cluster with fsync on. It dies as in a power cut of its machine: the postmaster is stopped first, so that it
    cannot clean up behind its children, then all of them are killed."""

    name = "postgres"

    def __init__(self, folder):
        self.folder = folder
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # what is orphaned becomes ours to bury
        subprocess.run(["tools/pg", "stop", "kill"], check=True)
        self.url = subprocess.run(["tools/pg", "start", "kill"], check=True, capture_output=True, text=True).stdout.strip()
        self.home = parse_qs(urlsplit(self.url).query)["host"][0]
        subprocess.run(["psql", "-q", self.url, "-c", "DROP SCHEMA public CASCADE; CREATE SCHEMA public"], check=True,
                       stderr=subprocess.DEVNULL)

    def arguments(self):
        return [f"--database.url={self.url}"]

    def up(self):
        subprocess.run(["tools/pg", "start", "kill"], check=True, stdout=subprocess.DEVNULL)

    def kill(self, program):
        master = int(open(os.path.join(self.home, "data/postmaster.pid")).readline())
        os.kill(master, signal.SIGSTOP)
        children = [int(p) for p in open(f"/proc/{master}/task/{master}/children").read().split()]
        for pid in children:
            os.kill(pid, signal.SIGKILL)
        program.kill()
        os.kill(master, signal.SIGKILL)
        program.wait()
        wait_gone([master, *children])

    def done(self):
        subprocess.run(["tools/pg", "stop", "kill"], check=True)

    def reader(self):
        self.up()
        return self.rows

    def rows(self, sql):
        text = subprocess.run(["psql", "-qX", "--csv", "-t", "-P", "null=\x01", self.url, "-c", sql], check=True,
                              capture_output=True, text=True).stdout
        return [tuple(None if v == "\x01" else int(v) if v.lstrip("-").isdigit() and len(v) < 21 else v for v in row)
                for row in csv.reader(io.StringIO(text, newline=""))]

    def whole(self):
        """Checksums are on: reading every page of every table and index is the check."""
        self.up()
        failed = subprocess.run(["psql", "-qXt", "-v", "ON_ERROR_STOP=1", self.url, "-c", "CREATE EXTENSION IF NOT EXISTS amcheck",
                                 "-c", "SELECT bt_index_check(indexrelid, true) FROM pg_index i JOIN pg_class c ON c.oid = indexrelid"
                                       " JOIN pg_am a ON a.oid = c.relam AND a.amname = 'btree'"
                                       " WHERE c.relnamespace = 'public'::regnamespace"], capture_output=True, text=True)
        return [] if failed.returncode == 0 else [f"amcheck: {failed.stderr.strip()}"]
