"""Processes check that all of them have started, before one waits for the rest without limit."""

import contextlib
import json
import socket
import time


def meet(address: str, count: int, index: int, timeout: float, setting: str) -> None:
    """Waits for all the processes of a group.

    The first one listens at its address, which is free again afterwards; the others connect to it.

    Args:
        address: `"host:port"` of the first process.
        count: how many processes there are, by this one's settings.
        index: this process' number.
        timeout: seconds to wait.
        setting: the variable of the environment that says so.

    Raises:
        RuntimeError: not all arrived, the first one could not be reached, or the processes were
            started with other counts.

    Example:

    >>> meet("localhost:0", 1, 0, 1.0, "TF_CONFIG")
    """
    deadline = time.monotonic() + timeout
    host, port = address.rsplit(":", 1)
    try:
        if index == 0:
            counts = collected(int(port), count, deadline)
        else:
            counts = reported(host, int(port), count, deadline)
    except OSError as error:
        raise RuntimeError(
            f"The {count} processes of {setting} did not come together within {timeout:g} s, "
            f"this one being number {index}: {error}"
        ) from error
    if set(counts) != {count}:
        raise RuntimeError(
            f"Processes were started with different {setting}: {', '.join(map(str, counts))} "
            "processes"
        )


def collected(port: int, count: int, deadline: float) -> list[int]:
    """In the first process: the counts of all, which it also sends to each of the others."""
    counts = [count]
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("", port)))
        lines = []
        while len(counts) < count:
            server.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                connection, _ = server.accept()
            except TimeoutError:
                raise TimeoutError(f"{len(counts)} of {count} processes came") from None
            connection.settimeout(max(0.01, deadline - time.monotonic()))
            stack.enter_context(connection)
            lines.append(stack.enter_context(connection.makefile("rw")))
            counts.append(json.loads(lines[-1].readline()))
        for line in lines:
            print(json.dumps(counts), file=line, flush=True)
    return counts


def reported(host: str, port: int, count: int, deadline: float) -> list[int]:
    """In another process: the counts of all, once the first one has this one's."""
    with connected(host, port, deadline) as connection, connection.makefile("rw") as line:
        print(json.dumps(count), file=line, flush=True)
        answer = line.readline()
    if not answer:
        raise ConnectionError("the first process ended before all had come")
    return json.loads(answer)


def connected(host: str, port: int, deadline: float) -> socket.socket:
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
