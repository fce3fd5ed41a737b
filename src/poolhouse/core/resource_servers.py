"""Resource servers as Create- and UpdateResourceServer leave them (spec/api/02 §8)."""

from poolhouse.model import (
    CreateResourceServerRequest,
    InvalidParameterException,
    ResourceServerType,
    UpdateResourceServerRequest,
)

MAX_SERVERS = 25
# Scopes below this name are the service's own (spec/api/10 §10).
RESERVED = "aws.cognito"


def resource_server(request: CreateResourceServerRequest | UpdateResourceServerRequest) -> ResourceServerType:
    """Return the resource server that a request describes, wholly; raises InvalidParameterException."""
    if request.identifier == RESERVED or request.identifier.startswith(f"{RESERVED}/"):
        raise InvalidParameterException(f"The identifier {request.identifier} is reserved.")
    names = [scope.scope_name for scope in request.scopes or ()]
    if len(set(names)) < len(names):
        raise InvalidParameterException("The names of scopes must be distinct.")
    return ResourceServerType(
        user_pool_id=request.user_pool_id,
        identifier=request.identifier,
        name=request.name,
        scopes=request.scopes or None,
    )
