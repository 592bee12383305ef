"""Ports of this machine: which are free, and who holds one that is not."""

import errno
import secrets
import socket

from fastloop_console.machine.refusals import CannotStart, SettingInvalid

FIRST, LAST = 15_000, 32_000  # above 32,768 the kernel hands ports out by itself


def free_ports(count: int) -> list[int]:
    chosen: list[int] = []
    while len(chosen) < count:
        port = secrets.choice(range(FIRST, LAST))
        with socket.socket() as probe:
            if port not in chosen and probe.connect_ex(("127.0.0.1", port)) != 0:
                chosen.append(port)
    return chosen


def taken(port: int) -> bool:
    """Whether somebody listens at this port of the machine itself."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def refuse_taken(host: str, port: int, *, host_variable: str, port_variable: str) -> None:
    """Raises CannotStart, in a sentence, where no server could listen at this address."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do: closed connections linger
            probe.bind(address)
            probe.listen(1)
    except socket.gaierror:
        raise SettingInvalid(f"{host_variable} is “{host}”, which names no machine.") from None
    except OSError as cause:
        if cause.errno == errno.EADDRINUSE:
            sentence = f"Port {port} is held by {_holder_of(port)}. Stop it, or set {port_variable} to another port."
            raise CannotStart(sentence) from None
        if cause.errno == errno.EACCES:
            raise CannotStart(f"Port {port} is for root alone. Set {port_variable} to one above 1023.") from None
        raise SettingInvalid(f"{host_variable} is {host}, and nobody can listen there: {cause.strerror}.") from None


def _holder_of(port: int) -> str:
    """Who listens on this port, in words."""
    import psutil  # only where something is in the way: `up` stays small

    try:
        for listening in psutil.net_connections("tcp"):
            if listening.status == psutil.CONN_LISTEN and listening.laddr.port == port and listening.pid is not None:
                return f"process {listening.pid} ({' '.join(psutil.Process(listening.pid).cmdline())[:80]})"
    except (psutil.AccessDenied, psutil.NoSuchProcess):  # macOS shows other people's sockets to root only
        pass
    return "another process"
