"""Servers as processes, on both databases."""

import datetime as dt
import ipaddress
import pathlib
from collections.abc import Callable, Iterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.conftest import own_database as empty_database
from tests.process.program import Program


@pytest.fixture
def own_database(database_kind: str, tmp_path: pathlib.Path) -> Iterator[str]:
    """A fresh database for one test."""
    with empty_database(database_kind, tmp_path, "data/poolhouse.db") as url:
        yield url


@pytest.fixture
def install(tmp_path: pathlib.Path) -> Iterator[Callable[..., Program]]:
    """Make an installation in a directory of the test; its server ends with the test."""
    made: list[Program] = []

    def make(database: str, directory: str = ".", **settings: str) -> Program:
        place = tmp_path / directory
        place.mkdir(exist_ok=True)
        made.append(Program(place, database, **settings))
        return made[-1]

    yield make
    for program in made:
        program.clean_up()


@pytest.fixture
def program(install: Callable[..., Program], own_database: str) -> Program:
    """An installation whose server is not started yet."""
    return install(own_database)


@pytest.fixture
def certificate(tmp_path: pathlib.Path) -> tuple[str, str]:
    """The files of a certificate for this machine and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    cert_file, key_file = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert_file.write_bytes(made.public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return str(cert_file), str(key_file)
