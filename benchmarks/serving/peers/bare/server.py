"""The bare call in the event loop: the same loop and parser as mmgit's front, the same JSON, and nothing else.

No key, no queue, no limits, no log, no second process: `server.py PORT PACKAGES`, the folder with httptools and uvloop.
"""

import asyncio
import json
import sys

sys.path.insert(0, sys.argv[2])

import httptools
import uvloop


def run(x):
    return x


class Connection(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.parser = httptools.HttpRequestParser(self)

    def data_received(self, data):
        self.parser.feed_data(data)

    def on_body(self, body):
        answer = json.dumps(run(**json.loads(body))).encode()
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(answer)
        self.transport.write(head + answer)


async def main():
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


uvloop.run(main())
