"""Keys of SAML providers, and certificates of them."""

import datetime as dt
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


@dataclass(frozen=True)
class Pair:
    """A private key in PEM, and a certificate of it in PEM."""

    key: str
    certificate: str

    @property
    def bare(self) -> str:
        """The certificate as metadata has it."""
        return "".join(self.certificate.splitlines()[1:-1])


def make_pair(days: tuple[int, int] = (-1, 365), bits: int = 2048) -> Pair:
    """Make a key with a certificate that is valid between two days from now."""
    key = rsa.generate_private_key(65537, bits)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "idp.example")])
    now = dt.datetime.now(dt.UTC)
    first, last = (now + dt.timedelta(day) for day in days)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    built = builder.serial_number(1).not_valid_before(first).not_valid_after(last).sign(key, SHA256())
    return Pair(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        built.public_bytes(Encoding.PEM).decode(),
    )
