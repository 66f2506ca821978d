# line.py -- a line to PostgreSQL that can be cut, go dead, or lose words: it stands between a node and the server's socket.
#
# Only the connection that listens is harmed (it says LISTEN); those that run transactions go through.
# SPDX-License-Identifier: Apache-2.0
import os, selectors, socket, struct, threading

GOOD, DEAD, SHUT, LOSSY = "good", "dead", "shut", "lossy"


class Line:
    """good; dead: nothing comes or goes, and nobody is told; shut: cut, and cut again each time; lossy: other nodes' words are
    dropped, one's own come back."""

    def __init__(self, folder, server):
        self.folder, self.server, self.mode = folder, server, GOOD
        os.mkdir(folder)
        self.door = socket.socket(socket.AF_UNIX)
        self.door.bind(os.path.join(folder, ".s.PGSQL.5432"))
        self.door.listen(64)
        self.ends = {}  # socket -> [the other, listens, bytes of a message that is not whole yet, is the server's]
        self.selector, self.stopping = selectors.DefaultSelector(), False
        self.selector.register(self.door, selectors.EVENT_READ)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def set(self, mode):
        self.mode = mode

    def join(self):
        client, _ = self.door.accept()
        server = socket.socket(socket.AF_UNIX)
        server.connect(self.server)
        self.ends[client], self.ends[server] = [server, False, b"", False], [client, False, b"", True]
        for s in (client, server):
            self.selector.register(s, selectors.EVENT_READ)

    def leave(self, s):
        for end in (s, self.ends[s][0]):
            self.selector.unregister(end)
            self.ends.pop(end)
            end.close()

    def heard(self, end, data):
        """The server's words without what others announced: messages are a letter, a length that counts itself, a body."""
        data, kept = end[2] + data, b""
        while len(data) >= 5 and len(data) >= 1 + struct.unpack("!I", data[1:5])[0]:
            n = 1 + struct.unpack("!I", data[1:5])[0]
            if not (data[:1] == b"A" and b"beat" not in data[:n]):
                kept += data[:n]
            data = data[n:]
        end[2] = data
        return kept

    def carry(self, s):
        end = self.ends[s]
        try:
            data = s.recv(65536)
        except OSError:
            data = b""
        if not data:
            return self.leave(s)
        if not end[3] and b"LISTEN stagedoor" in data:
            end[1] = self.ends[end[0]][1] = True
        if end[1] and self.mode == SHUT:
            return self.leave(s)
        if end[1] and self.mode == DEAD:
            return None
        if end[1] and end[3] and self.mode == LOSSY:
            data = self.heard(end, data)
        try:
            end[0].sendall(data)
        except OSError:
            self.leave(s)

    def run(self):
        while not self.stopping:
            for key, _ in self.selector.select(0.05):
                if key.fileobj is self.door:
                    self.join()
                elif key.fileobj in self.ends:
                    self.carry(key.fileobj)
            if self.mode == SHUT:
                for s in [s for s, end in self.ends.items() if end[1]]:
                    if s in self.ends:
                        self.leave(s)

    def close(self):
        self.stopping = True
        self.thread.join()
        for s in list(self.ends):
            s.close()
        self.door.close()
