"""Granian's bare echo, in the interface that is its own: no key, no queue, no JSON."""


async def app(scope, proto):
    proto.response_bytes(200, [("content-type", "application/json")], await proto())
