"""Processes find out that all of them have come before any waits for the rest without end."""

import contextlib
import json
import socket
import time


def meet(address: str, count: int, index: int, timeout: float) -> list[int]:
    """Waits for all the processes of a group.

    The first one listens at its address, which is free again afterwards; the others call there.

    Args:
        address: `"host:port"` of the first process.
        count: how many processes there are, as this one was told.
        index: this process' number.
        timeout: seconds to wait.

    Returns:
        The count that each process was told, in the order in which they came.

    Raises:
        OSError: not all came, or the first one could not be reached.

    Example:

    >>> meet("localhost:0", 1, 0, 1.0)
    [1]
    """
    host, port = address.rsplit(":", 1)
    deadline = time.monotonic() + timeout
    if index == 0:
        return welcome(int(port), count, deadline)
    with called(host, int(port), deadline) as connection, connection.makefile("rw") as line:
        print(json.dumps(count), file=line, flush=True)
        answer = line.readline()
    if not answer:
        raise ConnectionError(f"{address} ended before all had come")
    return json.loads(answer)


def welcome(port: int, count: int, deadline: float) -> list[int]:
    sizes = [count]
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("", port)))
        lines = []
        while len(sizes) < count:
            server.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                connection, _ = server.accept()
            except TimeoutError:
                raise TimeoutError(f"{len(sizes)} of {count} processes came") from None
            connection.settimeout(max(0.01, deadline - time.monotonic()))
            stack.enter_context(connection)
            lines.append(stack.enter_context(connection.makefile("rw")))
            sizes.append(json.loads(lines[-1].readline()))
        for line in lines:
            print(json.dumps(sizes), file=line, flush=True)
    return sizes


def called(host: str, port: int, deadline: float) -> socket.socket:
    """A connection to the first process, as soon as it listens."""
    while True:
        left = max(0.01, deadline - time.monotonic())
        try:
            connection = socket.create_connection((host, port), timeout=left)
            connection.settimeout(left)
            return connection
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
