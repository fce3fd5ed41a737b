"""The issuer of a pool's tokens."""

from poolhouse.core.pool import Pool
from poolhouse.flows.calls import Identity

# Verifiers that know Cognito hard-code these (spec/http/01 §1.1).
ORIGINAL = "https://cognito-idp.{region}.amazonaws.com/{pool_id}"
UPDATED = "https://issuer-cognito-idp.{region}.amazonaws.com/{pool_id}"


def issuer_of(identity: Identity, pool: Pool) -> str:
    """Return the ``iss`` of the pool's tokens and discovery document, without a final slash.

    Differs from Cognito (issuer): by default it is ``<public URL>/<pool id>``, where verifiers can fetch the keys;
    ``POOLHOUSE_ISSUER=aws`` gives Cognito's own, for verifiers that hard-code it.
    """
    template = identity.issuer
    if template == "aws":
        configured = pool.settings.issuer_configuration
        template = UPDATED if configured is not None and configured.type == "UPDATED" else ORIGINAL
    return template.format(public_url=identity.public_url, region=pool.region, pool_id=pool.id)
