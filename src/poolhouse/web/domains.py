"""Which pool domain a request is for, and what the URLs of a pool domain are."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.types import Scope

from poolhouse.core.domain import Domain
from poolhouse.core.pool import Pool
from poolhouse.flows.calls import Deps, Identity
from poolhouse.flows.links import BY_PATH
from poolhouse.flows.links import base_url_of as base_url_of  # noqa: PLC0414 - part of this module's vocabulary
from poolhouse.web.responses import CookieScope

# Prefix domains answer below this parent without any set-up: browsers resolve it to the loopback address.
LOCAL_PARENT = "auth.localhost"


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainContext:
    """A pool domain as a request found it.

    ``base_url`` has no final slash and never comes from what the request said of itself; ``path`` is the path
    below it. ``host`` is the name of a domain that has a host to itself, None for one served by path.
    """

    pool: Pool
    domain: Domain
    base_url: str
    cookie_path: str
    path: str
    host: str | None = None

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


async def find_domain(scope: Scope, deps: Deps) -> DomainContext | None:
    """Return the pool domain that a request is for, by its ``Host`` or by ``/auth/<domain>/…``.

    Differs from Cognito (domains): every domain is also served by path, ``/auth/<domain>/…``, which needs no name
    service; links and discovery use that form unless POOLHOUSE_AUTH_DOMAIN is set. Changes work at once.
    """
    path: str = scope["path"]
    host = _host(scope)
    if "." in host:
        prefix = _prefix(deps.identity, host)
        if prefix is not None:
            return await _by_host(deps, prefix, host, path)
        if _may_be_custom(deps.identity, host):
            found = await _by_host(deps, host, host, path)
            if found is not None:
                return found
    if not path.startswith(BY_PATH):
        return None
    name, _, rest = path.removeprefix(BY_PATH).partition("/")
    return await _by_path(deps, name, f"/{rest}")


async def _by_host(deps: Deps, name: str, host: str, path: str) -> DomainContext | None:
    found = await deps.store.read(lambda tx: tx.catalogue.find_domain(name))
    if found is None or found[1].custom != (name == host):
        return None
    pool, domain = found
    base_url = _host_url(deps.identity, domain, host)
    return DomainContext(pool=pool, domain=domain, base_url=base_url, cookie_path="/", path=path, host=host)


async def _by_path(deps: Deps, name: str, path: str) -> DomainContext | None:
    found = await deps.store.read(lambda tx: tx.catalogue.find_domain(name))
    if found is None:
        return None
    pool, domain = found
    base_url = f"{deps.identity.public_url}{BY_PATH}{domain.name}"
    cookie_path = urlsplit(base_url).path
    return DomainContext(pool=pool, domain=domain, base_url=base_url, cookie_path=cookie_path, path=path)


def _host(scope: Scope) -> str:
    """Return the name in ``Host``, in lower case and without the port; empty where there is none or several."""
    given = [value for name, value in scope["headers"] if name == b"host"]
    if len(given) != 1:
        return ""
    text: str = given[0].decode("latin-1").lower()
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
