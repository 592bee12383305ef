"""Where the console may send to when people give it an address: the public net, and what the operator allows beside it.

The name is resolved here and the request goes to that very address, so that a name which means another machine a moment
later reaches nothing. Redirects are not followed by whoever uses this.
"""

import asyncio
import ipaddress
import socket
from urllib.parse import SplitResult, urlsplit, urlunsplit

from apps.rules.sentences import sentence
from apps.rules.values import ValueRefused, shown
from fastloop_console.machine import env

MOST_ADDRESS = 500  # characters
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class AddressRefused(ValueRefused):
    """The console does not send there."""


def address_checked(url: str) -> str:
    """The address as it is kept, before any name is looked up. Raises AddressRefused.

    >>> address_checked(" https://hooks.example.org/a?b=c ")
    'https://hooks.example.org/a?b=c'
    """
    url = url.strip()
    if len(url) > MOST_ADDRESS:
        raise AddressRefused(sentence("An address has at most {most} characters.", most=MOST_ADDRESS))
    if any(not c.isprintable() or c.isspace() for c in url):
        raise AddressRefused(sentence("An address has no blanks and no characters that cannot be seen."))
    parts = _split(url)
    host = parts.hostname or ""
    if parts.scheme not in ("https", "http") or not host:
        raise AddressRefused(sentence("Write the whole address, such as https://hooks.example.org/fastloop."))
    if parts.username or parts.password:
        raise AddressRefused(sentence("A name and a password do not stand in an address; put a secret into its path."))
    if parts.fragment:
        raise AddressRefused(sentence("What stands after “#” is never sent; leave it out."))
    if parts.scheme == "http" and not _allowed(host):
        raise AddressRefused(sentence("Only https is sent to: whoever listens on the way would read everything."))
    literal = _literal(host)
    if literal is not None:
        _refuse_private(host, literal)
    return url


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  it is read when asked for
        (parts.hostname or "").encode("idna")
    except ValueError:
        raise AddressRefused(sentence("“{url}” is no address.", url=shown(url, 80))) from None
    return parts


async def pinned(url: str) -> tuple[str, dict[str, str], dict[str, str]]:
    """The same address by number, with the header and the TLS name that it needs: (url, headers, extensions of httpx).

    Raises AddressRefused for one that leads into a private network, OSError where no name is known.
    """
    parts = _split(address_checked(url))
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [ipaddress.ip_address(str(each[4][0]).split("%")[0]) for each in found]
    for address in addresses:
        _refuse_private(host, address)
    first = f"[{addresses[0]}]" if addresses[0].version == 6 else str(addresses[0])
    url = urlunsplit((parts.scheme, f"{first}:{port}", parts.path or "/", parts.query, ""))
    return url, {"Host": parts.netloc}, {"sni_hostname": host}


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _refuse_private(host: str, address: Address) -> None:
    if any(not each.is_global or each.is_multicast for each in _meant(address)) and not _allowed(host, address):
        raise AddressRefused(
            sentence(
                "“{host}” is {address}, an address within this network. Whoever runs the console can allow it: "
                "OUTBOUND_PRIVATE_HOSTS.",
                host=shown(host, 80),
                address=address,
            )
        )


def _meant(address: Address) -> list[Address]:
    """An address and the IPv4 one that is written inside it."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    inside = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        inside.append(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    return (
        [address, *(each for each in inside if each is not None)]
        if address.ipv4_mapped is None
        else [inside[0] or address]
    )


def _allowed(host: str, address: Address | None = None) -> bool:
    """Whether the operator named this host, or a network that holds the address."""
    for each in env.outbound_private_hosts():
        if each.casefold() == host.casefold():
            return True
        if address is not None and _holds(each, address):
            return True
    return False


def _holds(network: str, address: Address) -> bool:
    try:
        return address in ipaddress.ip_network(network, strict=False)
    except (ValueError, TypeError):
        return False
