"""Where links to a pool's own pages lead."""

from poolhouse.core.classic_style import ClassicStyle
from poolhouse.core.pool import Pool
from poolhouse.flows.calls import Identity

BY_PATH = "/auth/"
# The folder of the classic pages' styles below the static files of a domain.
CLASSIC = "classic"


def base_url_of(identity: Identity, pool: Pool) -> str | None:
    """Return the base of links to a pool's domain, None where it has none: the custom domain before the prefix.

    Without ``auth_domain`` it is the form by path, which needs no name service.

    Differs from Cognito (domains): every domain is also served by path, ``/auth/<domain>/…``, which needs no name
    service; links and discovery use that form unless POOLHOUSE_AUTH_DOMAIN is set. Changes work at once.
    """
    name = pool.settings.custom_domain or pool.settings.domain
    if name is None:
        return None
    if identity.auth_domain is None:
        return f"{identity.public_url}{BY_PATH}{name}"
    return f"https://{name}" if pool.settings.custom_domain else f"https://{name}.{identity.auth_domain}"


def logo_url_of(identity: Identity, pool: Pool, style: ClassicStyle) -> str | None:
    """Return where the logo of classic pages is, None where there is none, or no domain to show it."""
    base = base_url_of(identity, pool)
    if base is None or style.logo_name is None:
        return None
    return f"{base}/static/{CLASSIC}/{style.client_id}/{style.version}/{style.logo_name}"
