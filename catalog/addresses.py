"""Which addresses of engines are taken: pictures shall not cross the internet in the clear."""

import ipaddress
from urllib.parse import urlsplit

_PRIVATE_ENDINGS = (".local", ".lan", ".internal", ".home.arpa", ".localhost")


def engine_address(text: str, *, allow_plain_http: bool = False) -> str:
    """An engine's base URL in its normal form; `/v1` is added where the address has no path.

    Raises `ValueError` for what is no such address, for one that carries a password, and for plain
    http beyond this machine and its private network unless that is allowed.
    """
    address = text.strip().rstrip("/")
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{text!r} is no address of an engine, such as http://127.0.0.1:8000/v1")
    if parts.username is not None or parts.password is not None:
        raise ValueError("an address must not hold a password; set HAESEOL_ENGINE_KEY for that")
    if parts.query or parts.fragment:
        raise ValueError(f"{text!r} must end with its path, such as /v1")
    _ = parts.port  # raises for what is no port
    if parts.scheme == "http" and not allow_plain_http and not is_private(parts.hostname):
        raise ValueError(
            f"{address} would send pictures unencrypted beyond your own network; use https, or set "
            "engine_allow_plain_http = true"
        )
    return address if parts.path else f"{address}/v1"


def is_private(host: str) -> bool:
    """Whether a host is this machine or on a private network, as far as its name alone can tell."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.lower().endswith(_PRIVATE_ENDINGS)
