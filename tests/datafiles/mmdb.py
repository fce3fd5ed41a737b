"""Small files in the MaxMind DB format (version 2.0 of its specification), for tests."""

import ipaddress
import struct

_MARK = b"\xab\xcd\xefMaxMind.com"


def _head(kind: int, size: int) -> bytes:
    assert size < 285
    first, more = (size, b"") if size < 29 else (29, bytes([size - 29]))
    return bytes([kind << 5 | first]) + more if kind < 8 else bytes([first, kind - 7]) + more


def _encode(value) -> bytes:
    if isinstance(value, str):
        text = value.encode()
        return _head(2, len(text)) + text
    if isinstance(value, float):
        return _head(3, 8) + struct.pack(">d", value)
    if isinstance(value, int):  # as metadata wants them: of 2, 4 or 8 bytes
        kind, size = (5, 2) if value < 1 << 16 else (9, 8)
        return _head(kind, size) + value.to_bytes(size)
    if isinstance(value, bytes):
        return _head(6, 4) + value
    if isinstance(value, dict):
        return _head(7, len(value)) + b"".join(_encode(key) + _encode(each) for key, each in value.items())
    return _head(11, len(value)) + b"".join(map(_encode, value))


def write_mmdb(path, networks, version=4):
    """Write a file of records by network; one of version 6 holds those of IPv4 as well."""
    nodes, data = [[None, None]], b""
    for network, record in networks.items():
        net = ipaddress.ip_network(network)
        before = 96 if version == 6 and net.version == 4 else 0
        bits = f"{int(net.network_address):0{before + net.max_prefixlen}b}"[: before + net.prefixlen]
        node = 0
        for bit in bits[:-1]:
            if nodes[node][int(bit)] is None:
                nodes.append([None, None])
                nodes[node][int(bit)] = len(nodes) - 1
            node = nodes[node][int(bit)]
        nodes[node][int(bits[-1])] = ("data", len(data))
        data += _encode(record)
    count = len(nodes)

    def pointer(entry):
        if entry is None:
            return count
        return count + 16 + entry[1] if isinstance(entry, tuple) else entry

    tree = b"".join(pointer(entry).to_bytes(3) for node in nodes for entry in node)
    metadata = {
        "node_count": count.to_bytes(4),
        "record_size": 24,
        "ip_version": version,
        "database_type": "Test-City",
        "languages": ["en"],
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": 1_700_000_000,
        "description": {"en": "test"},
    }
    path.write_bytes(tree + bytes(16) + data + _MARK + _encode(metadata))
    return path


def city(name, country, latitude, longitude):
    """A record as city files have it."""
    return {
        "city": {"names": {"en": name}},
        "country": {"iso_code": country[:2].upper(), "names": {"en": country}},
        "location": {"latitude": latitude, "longitude": longitude},
    }
