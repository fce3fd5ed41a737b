"""The redirect to an identity provider, and the cookies that know the browser again (spec/http/03 §3.10)."""

from collections.abc import Mapping
from dataclasses import replace

from poolhouse.core.identity_providers import IdentityProvider
from poolhouse.flows.authorization import Authorization, refuse
from poolhouse.flows.calls import PublicCall
from poolhouse.flows.round_trips import choose_binding, set_out
from poolhouse.providers import ProviderRefused
from poolhouse.web.domains import DomainContext
from poolhouse.web.responses import Header, Response, domain_redirect, set_cookie

BINDING = "csrf-state"
# The same for browsers that take ``SameSite=None`` for ``Strict``.
LEGACY_BINDING = "csrf-state-legacy"


async def go_to_provider(
    call: PublicCall,
    domain: DomainContext,
    request: Authorization,
    provider: IdentityProvider,
    cookies: Mapping[str, str],
    extra: list[Header],
) -> Response:
    """Return the redirect to a provider, with further headers. Raises AuthorizationRefused where there is no way there."""
    binding = choose_binding(call, find_binding(cookies))
    try:
        location = await set_out(call, request, provider, base_url=domain.base_url, binding=binding)
    except ProviderRefused as error:
        raise refuse(request, error.error, error.description) from error
    return domain_redirect(location, request_id=call.origin.request_id, extra=[*extra, *bind(domain, binding)])


def find_binding(cookies: Mapping[str, str]) -> str | None:
    """Return what binds ways to a browser, None where it has nothing yet."""
    return cookies.get(BINDING) or cookies.get(LEGACY_BINDING)


def bind(domain: DomainContext, binding: str) -> list[Header]:
    """Return the cookies; a provider that comes back by a form of its own needs one that crosses sites.

    Browsers take ``SameSite=None`` only together with ``Secure``, and that under plain http on this machine as well,
    but for Safari. Without ``SameSite`` Chromium sends a cookie with a form of another site for two minutes only.
    """
    scope = domain.cookie_scope
    crossing = set_cookie(replace(scope, secure=True), BINDING, binding, same_site="None")
    return [crossing, set_cookie(scope, LEGACY_BINDING, binding, same_site=None)]
