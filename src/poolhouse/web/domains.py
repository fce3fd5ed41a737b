"""Which pool domain a request is for, and what the URLs of a pool domain are."""

from urllib.parse import urlsplit

from msgspec import Struct
from starlette.types import Scope

from poolhouse.core.domain import Domain
from poolhouse.core.pool import Pool
from poolhouse.flows.calls import Deps, Identity
from poolhouse.flows.links import BY_PATH
from poolhouse.flows.links import base_url_of as base_url_of  # noqa: PLC0414 - part of this module's vocabulary
from poolhouse.storage import Tx
from poolhouse.web.responses import CookieScope

# Prefix domains answer below this parent without any set-up: browsers resolve it to the loopback address.
LOCAL_PARENT = "auth.localhost"


class DomainContext(Struct, frozen=True, kw_only=True):
    """A pool domain as a request found it.

    ``path`` is the path below it. ``host`` is the name of a domain that has a host to itself, None for one served
    by path.
    """

    identity: Identity
    pool: Pool
    domain: Domain
    path: str
    host: str | None = None

    @property
    def base_url(self) -> str:
        """The base of the domain's URLs, without a final slash; it never comes from what a request says of itself."""
        if self.host is None:
            return f"{self.identity.public_url}{BY_PATH}{self.domain.name}"
        return _host_url(self.identity, self.domain, self.host)

    @property
    def cookie_path(self) -> str:
        """The path that the domain's cookies are sent below."""
        return urlsplit(self.base_url).path if self.host is None else "/"

    @property
    def managed(self) -> bool:
        """Whether the domain shows managed login (version 2), not the classic pages."""
        return self.domain.description.managed_login_version == 2

    @property
    def cookie_scope(self) -> CookieScope:
        """Where the cookies of this domain's pages go, on this very host (spec/http/03 §3.10).

        Differs from Cognito (cookies): on a domain served by path the cookies have ``Path=/auth/<domain>`` and no
        ``Domain``, so that pools on one host do not share them; ``Secure`` is left out where the public URL is http.
        """
        return CookieScope(self.cookie_path, self.base_url.startswith("https:"))

    @property
    def session_scope(self) -> CookieScope:
        """Where the SSO cookie goes: also to subdomains of a domain with a host to itself (spec/http/01 §1.3)."""
        return CookieScope(self.cookie_path, self.base_url.startswith("https:"), self.host)


class Address(Struct, frozen=True, kw_only=True):
    """Where a request says that it goes: a pool domain that may not exist, and the path below it.

    ``host`` is the name in ``Host``, None for a domain served by path. ``prefix`` tells hosts below a parent of
    prefix domains from those of custom domains. The domain itself is found in whatever transaction the answer
    needs anyway.
    """

    name: str
    path: str
    host: str | None = None
    prefix: bool = True

    def find(self, tx: Tx, identity: Identity) -> DomainContext | None:
        """Return the pool domain at this address.

        Through a replica that is not active there is none: it takes no requests of users (spec/api/10 §3).

        Differs from Cognito (domains of replicas): through an active one prefix domains are served as custom ones are.
        """
        found = tx.catalogue.find_domain(self.name)
        if found is None:
            return None
        pool, domain = found
        if pool.replicas:
            pool = pool.seen_in(identity.region) or pool
            if pool.seat is not None and not pool.seat.is_active:
                return None
        if self.host is not None and domain.custom == self.prefix:
            return None
        return DomainContext(identity=identity, pool=pool, domain=domain, path=self.path, host=self.host)


async def find_domain(scope: Scope, deps: Deps) -> DomainContext | None:
    """Return the pool domain that a request is for, by its ``Host`` or by ``/auth/<domain>/…``."""
    address = await find_address(scope, deps)
    return None if address is None else await deps.store.read(lambda tx: address.find(tx, deps.identity))


async def find_address(scope: Scope, deps: Deps) -> Address | None:
    """Return the address of a request to a pool domain; only where it could be one of two does this ask the store."""
    custom, other = _addresses(deps.identity, _host(scope), scope["path"])
    if custom is None or other is None:
        return custom or other
    found = await deps.store.read(lambda tx: custom.find(tx, deps.identity))
    return other if found is None else custom


def _addresses(identity: Identity, given: bytes, path: str) -> tuple[Address | None, Address | None]:
    """Return where a request may go: to a domain with a host to itself, or, if that is not there, to one by path."""
    host, by_path = _host_name(given), _by_path(path)
    if "." not in host:
        return None, by_path
    prefix = _prefix(identity, host)
    if prefix is not None:
        return Address(name=prefix, path=path, host=host), None
    if not _may_be_custom(identity, host):
        return None, by_path
    return Address(name=host, path=path, host=host, prefix=False), by_path


def _by_path(path: str) -> Address | None:
    if not path.startswith(BY_PATH):
        return None
    name, _, rest = path.removeprefix(BY_PATH).partition("/")
    return Address(name=name, path=f"/{rest}")


def _host(scope: Scope) -> bytes:
    """Return ``Host`` as it came; empty where there is none or several."""
    given = [value for name, value in scope["headers"] if name == b"host"]
    return given[0] if len(given) == 1 else b""


def _host_name(given: bytes) -> str:
    """Return the name in ``Host``, in lower case and without the port."""
    text = given.decode("latin-1").lower()
    return text if text.startswith("[") else text.partition(":")[0].removesuffix(".")


def _prefix(identity: Identity, host: str) -> str | None:
    """Return the prefix in a host below a parent of prefix domains, None for any other host."""
    parents = [LOCAL_PARENT]
    if identity.auth_domain is not None:
        parents.append(identity.auth_domain.partition(":")[0])
    return next((host.removesuffix(f".{parent}") for parent in parents if host.endswith(f".{parent}")), None)


def _may_be_custom(identity: Identity, host: str) -> bool:
    """Tell whether a name of several labels can be a custom domain: not an address, nor the installation's own."""
    return not host.rpartition(".")[2].isdecimal() and host != urlsplit(identity.public_url).hostname


def _host_url(identity: Identity, domain: Domain, host: str) -> str:
    """Return the base URL of a domain with a host to itself; only below ``auth_domain`` it is https in any case."""
    if not domain.custom and identity.auth_domain and not host.endswith(f".{LOCAL_PARENT}"):
        return f"https://{domain.name}.{identity.auth_domain}"
    public = urlsplit(identity.public_url)
    port = f":{public.port}" if public.port else ""
    return f"{public.scheme}://{host}{port}"
