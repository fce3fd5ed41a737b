"""Identity providers by SAML 2.0: what they say of themselves, and of who comes from them (spec/http/06 §6.6).

Differs from Cognito (SAML): signatures and digests with SHA-1 verify nothing, nor do RSA keys of less than 2048 bits and
certificates that have expired, also where they expired after the provider was recorded. Nothing is fetched when a
provider is recorded: MetadataURL is read at the first sign-in.
"""

import asyncio
import contextlib
import logging
from base64 import b64decode
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from msgspec import Struct

from poolhouse.core.provider_details import DECRYPTION_KEY
from poolhouse.core.saml import Answer, Expected, ServiceProvider
from poolhouse.core.saml_metadata import Metadata, read_metadata
from poolhouse.model import IdentityProviderType, InvalidParameterException
from poolhouse.providers.failure import ProviderRefused, UnknownSigner, Unreachable, told_to_operator
from poolhouse.providers.http import HttpClient

T = TypeVar("T")
log = logging.getLogger(__name__)

LIFETIME_SECONDS = 6 * 3600
# How soon metadata is read again for the sake of a signature that fits none of its certificates.
RENEWAL_SECONDS = 60
MOST_KEPT = 1000
ACCEPTED = "application/samlmetadata+xml, application/xml, text/xml, */*"
MISSING = (
    "SAML needs the package %s, which is not installed: run pip install 'poolhouse[saml]' and start the server again"
)


class Kept(Struct, frozen=True):
    """Metadata, and when it was read, in milliseconds."""

    metadata: Metadata
    read_at: int


class Saml:
    """The SAML providers of pools; ``settings`` are a provider's, its secrets opened."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http
        self._kept: OrderedDict[str, Kept] = OrderedDict()

    async def metadata(self, settings: IdentityProviderType, now: int) -> Metadata:
        """Return what a provider says of itself, at most six hours ago; raises ProviderRefused."""
        with told_to_operator(settings):
            return (await self._read(settings, now, LIFETIME_SECONDS)).metadata

    async def read_response(
        self,
        settings: IdentityProviderType,
        posted: str,
        *,
        service: ServiceProvider,
        request_id: str | None,
        now: int,
    ) -> Answer:
        """Return what a provider had a browser post, checked; ``now`` is in milliseconds.

        ``request_id`` is what it answers, None where nothing was asked. Raises ProviderRefused.
        """
        expected = Expected(
            service=service, request_id=request_id, private_key=_details(settings).get(DECRYPTION_KEY), now=now
        )
        return await self._checked(_read_response, settings, posted, expected)

    async def check_logout(
        self, settings: IdentityProviderType, posted: str, *, service: ServiceProvider, request_id: str, now: int
    ) -> None:
        """Check the answer to a request to end a session, which a provider had a browser post; raises ProviderRefused."""
        expected = Expected(service=service, request_id=request_id, private_key=None, now=now)
        await self._checked(_read_logout, settings, posted, expected)

    async def _checked(
        self,
        read: Callable[[str, Metadata, Expected], T],
        settings: IdentityProviderType,
        posted: str,
        expected: Expected,
    ) -> T:
        """Return what a message says, if need be by metadata that is read anew; raises ProviderRefused."""
        with told_to_operator(settings):
            kept = await self._read(settings, expected.now, LIFETIME_SECONDS)
            try:
                return await asyncio.to_thread(read, posted, kept.metadata, expected)
            except UnknownSigner:
                renewed = await self._read(settings, expected.now, RENEWAL_SECONDS)
                if renewed.metadata.certificates == kept.metadata.certificates:
                    raise
                return await asyncio.to_thread(read, posted, renewed.metadata, expected)

    async def _read(self, settings: IdentityProviderType, now: int, seconds: int) -> Kept:
        """Return metadata that was read at most so many seconds ago; raises ProviderRefused."""
        details = _details(settings)
        if "MetadataFile" in details:
            return Kept(_parse(details["MetadataFile"]), now)
        url = details["MetadataURL"]
        kept = self._kept.get(url)
        if kept is None or now - kept.read_at > seconds * 1000:
            kept = self._kept[url] = Kept(await self._fetch(url), now)
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return kept

    async def _fetch(self, url: str) -> Metadata:
        try:
            answer = await self._http.read(url, ACCEPTED)
        except Unreachable as failure:
            raise _no_metadata(str(failure)) from None
        if answer.status != 200:
            raise _no_metadata(f"status {answer.status}")
        return _parse(answer.body.decode("utf-8", "replace"))


def _read_response(posted: str, metadata: Metadata, expected: Expected) -> Answer:
    """Return what a response says; raises ProviderRefused, and UnknownSigner."""
    with _installed():
        from poolhouse.providers import saml_response
    return saml_response.read(posted, metadata, expected)


def _read_logout(posted: str, metadata: Metadata, expected: Expected) -> None:
    with _installed():
        from poolhouse.providers import saml_logout
    saml_logout.read(posted, metadata, expected)


@contextlib.contextmanager
def _installed() -> Iterator[None]:
    """Import what is heavy, and only for those who installed what it needs; raises ProviderRefused."""
    try:
        yield
    except ImportError as error:
        log.error(MISSING, error.name)  # noqa: TRY400
        raise ProviderRefused("SAML is not available", error="server_error") from None


def _parse(text: str) -> Metadata:
    try:
        return read_metadata(text)
    except InvalidParameterException as error:
        raise _no_metadata(error.message) from None


def _no_metadata(detail: str) -> ProviderRefused:
    return ProviderRefused("Error in reading SAML metadata", error="server_error", detail=f"metadata: {detail}")


def have_expired(certificates: Sequence[str], now: int) -> bool:
    """Tell whether none of some certificates, DER in base64, is good any more; ``now`` is in milliseconds.

    What cannot be read counts as good: it verifies nothing, and that shows at the first sign-in.
    """
    from cryptography import x509  # heavy, and hardly ever used

    def has_expired(certificate: str) -> bool:
        try:
            read = x509.load_der_x509_certificate(b64decode(certificate))
        except ValueError:
            return False
        return read.not_valid_after_utc.timestamp() * 1000 < now

    return bool(certificates) and all(map(has_expired, certificates))


def _details(settings: IdentityProviderType) -> Mapping[str, str]:
    return settings.provider_details or {}
