"""What users do for themselves: sign-up, recovery, attributes, sign-in, tokens (spec/api/03, 04)."""

from tests.matrix.cases.upkeep import TRACKED
from tests.matrix.world import PASSWORD, case
from tests.operations.talk import OTHER_PASSWORD, listed


@case
def sign_up(world):
    """03 §1"""
    name = world.new("new")
    address = f"{name}@matrix.example"
    answer = yield {
        "ClientId": world.client_id,
        "Username": name,
        "Password": PASSWORD,
        "UserAttributes": listed(email=address),
    }
    assert answer["UserConfirmed"] is False
    assert answer["UserSub"] == world.attribute("sub", name)
    assert world.inbox(address)


@case
def confirm_sign_up(world):
    """03 §3"""
    name, address = world.signed_up()
    code = world.inbox(address)[-1].code
    yield {"ClientId": world.client_id, "Username": name, "ConfirmationCode": code}
    assert world.shown(name)["UserStatus"] == "CONFIRMED"


@case
def resend_confirmation_code(world):
    """03 §4"""
    name, address = world.signed_up()
    answer = yield {"ClientId": world.client_id, "Username": name}
    assert answer["CodeDeliveryDetails"]["AttributeName"] == "email"
    assert len(world.inbox(address)) == 2


@case
def forgot_password(world):
    """03 §7"""
    answer = yield {"ClientId": world.client_id, "Username": world.username}
    assert answer["CodeDeliveryDetails"]["DeliveryMedium"] == "EMAIL"
    assert world.inbox(f"{world.username}@matrix.example")[-1].code


@case
def confirm_forgot_password(world):
    """03 §7"""
    world.call("ForgotPassword", ClientId=world.client_id, Username=world.username)
    yield {
        "ClientId": world.client_id,
        "Username": world.username,
        "ConfirmationCode": world.inbox(f"{world.username}@matrix.example")[-1].code,
        "Password": OTHER_PASSWORD,
    }
    assert world.sign_in(password=OTHER_PASSWORD)


# With an access token


@case
def get_user(world):
    """03 §9"""
    answer = yield world.access
    assert answer["Username"] == world.username


@case
def change_password(world):
    """03 §5"""
    yield world.access | {"PreviousPassword": PASSWORD, "ProposedPassword": OTHER_PASSWORD}
    assert world.sign_in(password=OTHER_PASSWORD)


@case
def update_user_attributes(world):
    """03 §9"""
    yield world.access | {"UserAttributes": listed(name="Ann")}
    assert world.attribute("name") == "Ann"


@case
def delete_user_attributes(world):
    """03 §9"""
    world.call("UpdateUserAttributes", **world.access, UserAttributes=listed(name="Ann"))
    yield world.access | {"UserAttributeNames": ["name"]}
    assert world.attribute("name") is None


@case
def get_user_attribute_verification_code(world):
    """03 §6"""
    answer = yield world.access | {"AttributeName": "email"}
    assert answer["CodeDeliveryDetails"]["AttributeName"] == "email"
    assert world.inbox(f"{world.username}@matrix.example")[-1].code


@case
def verify_user_attribute(world):
    """03 §6"""
    name = world.username
    world.call("AdminUpdateUserAttributes", **world.user, UserAttributes=listed(email_verified="false"))
    world.call("GetUserAttributeVerificationCode", **world.access, AttributeName="email")
    code = world.inbox(f"{name}@matrix.example")[-1].code
    yield world.access | {"AttributeName": "email", "Code": code}
    assert world.attribute("email_verified") == "true"


@case
def delete_user(world):
    """03 §10"""
    yield world.access
    assert world.refused("AdminGetUser", **world.user) == "UserNotFoundException"


@case
def global_sign_out(world):
    """04 §11"""
    yield world.access
    assert world.refused("GetUser", **world.access) == "NotAuthorizedException"


# Signing in (04)


@case
def initiate_auth(world):
    """04 §2"""
    parameters = {"USERNAME": world.username, "PASSWORD": PASSWORD}
    answer = yield {"ClientId": world.client_id, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": parameters}
    token = answer["AuthenticationResult"]["AccessToken"]
    assert world.call("GetUser", AccessToken=token)["Username"] == world.username


@case
def respond_to_auth_challenge(world):
    """04 §3"""
    name = world.new_user(permanent=False)
    parameters = {"USERNAME": name, "PASSWORD": PASSWORD}
    asked = world.call(
        "InitiateAuth", ClientId=world.client_id, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters
    )
    answer = yield {
        "ClientId": world.client_id,
        "ChallengeName": "NEW_PASSWORD_REQUIRED",
        "Session": asked["Session"],
        "ChallengeResponses": {"USERNAME": name, "NEW_PASSWORD": OTHER_PASSWORD},
    }
    assert answer["AuthenticationResult"]["AccessToken"]
    assert world.shown(name)["UserStatus"] == "CONFIRMED"


@case
def get_tokens_from_refresh_token(world):
    """04 §11"""
    answer = yield {"ClientId": world.client_id, "RefreshToken": world.tokens["RefreshToken"]}
    token = answer["AuthenticationResult"]["AccessToken"]
    assert world.call("GetUser", AccessToken=token)["Username"] == world.username


@case
def revoke_token(world):
    """04 §11"""
    refresh = {"ClientId": world.client_id, "RefreshToken": world.tokens["RefreshToken"]}
    yield {"ClientId": world.client_id, "Token": world.tokens["RefreshToken"]}
    assert world.refused("GetTokensFromRefreshToken", **refresh) == "NotAuthorizedException"


# Tokens without a user present (10 §6)


@case
def get_client_token(world):
    """10 §6.1"""
    world.call("CreateResourceServer", **world.pool, Identifier="api", Name="api", Scopes=SCOPES)
    machine = world.new_client(
        GenerateSecret=True,
        ExplicitAuthFlows=["ALLOW_CLIENT_TOKEN_AUTH"],
        AllowedOAuthFlows=["client_credentials"],
        AllowedOAuthScopes=["api/read"],
        AllowedOAuthFlowsUserPoolClient=True,
    )
    answer = yield {"ClientId": machine["ClientId"], "Secret": machine["ClientSecret"], "Scopes": ["api/read"]}
    assert answer["ClientAuthenticationResult"]["TokenType"] == "Bearer"


SCOPES = [{"ScopeName": "read", "ScopeDescription": "to read"}]


@case
def get_derived_token(world):
    """10 §6.2"""
    trusted = world.new_client(
        GenerateSecret=True, ExplicitAuthFlows=["ALLOW_TOKEN_EXCHANGE_IMPERSONATION", "ALLOW_REFRESH_TOKEN_AUTH"]
    )
    answer = yield {
        "ClientId": trusted["ClientId"],
        "ClientSecret": trusted["ClientSecret"],
        "SubjectToken": world.tokens["AccessToken"],
        "SubjectTokenType": "ACCESS_TOKEN",
    }
    assert (answer["IssuedTokenType"], answer["TokenType"]) == ("ACCESS_TOKEN", "Bearer")


# Sessions (10 §1)


def tracked(world) -> None:
    world.call("SetUserPoolSessionConfiguration", **world.pool, **TRACKED)


@case
def list_user_sessions(world):
    """10 §1.3"""
    tracked(world)
    answer = yield world.access
    assert [it["IsCurrentSession"] for it in answer["Sessions"]] == [True]


@case
def admin_list_user_sessions(world):
    """10 §1.3"""
    tracked(world)
    assert world.access
    answer = yield world.user
    assert [it["IsCurrentSession"] for it in answer["Sessions"]] == [False]


@case
def revoke_user_session(world):
    """10 §1.4"""
    tracked(world)
    (other,) = world.names("ListUserSessions", "Sessions", "SessionId", **world.access)
    new = {"AccessToken": world.sign_in()["AccessToken"]}
    yield new | {"SessionId": other}
    assert world.refused("GetUser", **world.access) == "NotAuthorizedException"
    assert world.call("GetUser", **new)


@case
def admin_revoke_user_session(world):
    """10 §1.4"""
    tracked(world)
    (session,) = world.names("ListUserSessions", "Sessions", "SessionId", **world.access)
    yield world.user | {"SessionId": session}
    assert world.refused("GetUser", **world.access) == "NotAuthorizedException"
