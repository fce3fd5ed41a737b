"""Who calls: a signature, an access token, or nobody known; each becomes the call that its operations take."""

from collections import OrderedDict
from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from poolhouse.api import sigv4
from poolhouse.api.errors import MissingAuthenticationTokenException, ProtocolError, UnrecognizedClientException
from poolhouse.api.explain import missing, validation_error
from poolhouse.core.access_key import AccessKey
from poolhouse.core.aws_signature import signing_key
from poolhouse.core.replica import Reach
from poolhouse.flows.calls import AdminCall, Call, Deps, Origin, PublicCall, UserCall
from poolhouse.flows.installation import open_access_key
from poolhouse.flows.tokens import read_access_token
from poolhouse.model import (
    ModelError,
    NotAuthorizedException,
    Operation,
    PasswordResetRequiredException,
    UserNotConfirmedException,
    UserStatusType,
)

# The scope that lets an access token use the user's own operations; tokens of the API always have it.
SELF_SERVICE = "aws.cognito.signin.user.admin"
# Operations for which an app client proves itself, or a signature does it in its place (spec/api/01 §3).
ALSO_SIGNED = frozenset({"GetDerivedToken"})
UNKNOWN_KEY = "The security token included in the request is invalid."
CONSOLE = "console"


class Signatures:
    """Verifies SigV4 signatures against the stored access keys.

    Differs from Cognito (access keys): there are no policies, so every access key may call every signed operation in
    every Region; a session token is refused, since nobody issues temporary credentials.

    Derived signing keys are kept, since each costs four HMACs and an unsealing; the row of the access key is read
    for every request, so that a deleted key is refused at once.
    """

    capacity = 256

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._derived: OrderedDict[tuple[bytes, str, str], bytes] = OrderedDict()

    async def check(self, headers: Mapping[str, str], query: bytes, body: bytes, now: int) -> sigv4.Claim:
        """Return who signed the request; ``now`` is milliseconds.

        Raises MissingAuthenticationTokenException, IncompleteSignatureException, UnrecognizedClientException
        or InvalidSignatureException (spec/api/01 §3.4).
        """
        if "authorization" not in headers:
            raise MissingAuthenticationTokenException("Missing Authentication Token")
        claim = sigv4.read_claim(headers)
        sigv4.check_claim(claim, now)
        if "x-amz-security-token" in headers:
            # Nobody issues temporary credentials here.
            raise UnrecognizedClientException(UNKNOWN_KEY)
        key = await self._deps.store.read(lambda tx: tx.access_keys.find(claim.key_id))
        if key is None or not key.enabled:
            raise UnrecognizedClientException(UNKNOWN_KEY)
        sigv4.check_signature(claim, self._signing_key(key, claim), headers, query, body)
        return claim

    async def find_signer(self, call: PublicCall, headers: Mapping[str, str], query: bytes, body: bytes) -> PublicCall:
        """Return a call with the Region of its signature, where it has a good one.

        SDKs sign with whatever keys they find, so a bad one is no reason to refuse a client that proves itself.
        """
        try:
            claim = await self.check(headers, query, body, call.now)
        except ProtocolError:
            return call
        return replace(call, signed_in=claim.region)

    def _signing_key(self, key: AccessKey, claim: sigv4.Claim) -> bytes:
        name = (key.sealed_secret, claim.date, claim.region)
        derived = self._derived.get(name)
        if derived is None:
            derived = self._derived[name] = signing_key(open_access_key(self._deps, key), claim.scope)
            if len(self._derived) > self.capacity:
                self._derived.popitem(last=False)
        else:
            self._derived.move_to_end(name)
        return derived


def admin_call(deps: Deps, now: int, origin: Origin, claim: sigv4.Claim, reach: Reach) -> AdminCall:
    """Return the call of whoever made the signature."""
    return AdminCall(deps=deps, now=now, origin=origin, reach=reach, region=claim.region, principal=claim.key_id)


def console_call(deps: Deps, now: int, origin: Origin, region: str, reach: Reach) -> AdminCall:
    """Return a call of the program's own console."""
    return AdminCall(deps=deps, now=now, origin=origin, reach=reach, region=region, principal=CONSOLE, builtin=True)


def public_call(deps: Deps, now: int, origin: Origin, reach: Reach) -> PublicCall:
    """Return a call of nobody in particular."""
    return PublicCall(deps=deps, now=now, origin=origin, reach=reach)


async def user_call(call: Call, row: Operation, request: Struct) -> UserCall:
    """Return the call of the user whose access token ``request`` holds.

    Raises NotAuthorizedException, PasswordResetRequiredException, UserNotConfirmedException or
    UserNotFoundException (spec/api/04 §11), as far as the operation declares them.
    """
    token: str | None = getattr(request, "access_token", None)
    if token is None:
        raise validation_error([missing("accessToken")])
    try:
        return await _bearer_call(call, token)
    except ModelError as error:
        if type(error) in row.errors:
            raise
        raise NotAuthorizedException(error.message) from error


async def _bearer_call(call: Call, token: str) -> UserCall:
    bearer = await read_access_token(call, token)
    user = bearer.user
    if SELF_SERVICE not in bearer.scopes:
        raise NotAuthorizedException("Access Token does not have required scopes")
    if not user.enabled:
        raise NotAuthorizedException("User is disabled.")
    if user.status == UserStatusType.RESET_REQUIRED:
        raise PasswordResetRequiredException("Password reset required for the user")
    if user.status == UserStatusType.UNCONFIRMED:
        raise UserNotConfirmedException("User is not confirmed.")
    return UserCall(
        deps=call.deps,
        now=call.now,
        origin=call.origin,
        reach=call.reach,
        pool=bearer.pool,
        client=bearer.client,
        user=user,
        session=bearer.session,
        scopes=bearer.scopes,
        device_key=bearer.claims.device_key,
    )
