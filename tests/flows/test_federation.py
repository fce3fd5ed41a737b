"""Users who come from identity providers, from the provider's word to their tokens (spec/http/06 §6.4, §6.5, 09 §9.8)."""

import asyncio
import json
import threading

import pytest
from msgspec.structs import replace

from poolhouse.core.acr import Method
from poolhouse.core.federation import Assertion
from poolhouse.core.grants import OAuthError
from poolhouse.core.log_delivery import activity_record
from poolhouse.core.replica import Regional, Replica
from poolhouse.flows.calls import Origin, PublicCall
from poolhouse.flows.federation import arrive
from poolhouse.flows.sign_in_tokens import finish_with_tokens
from poolhouse.model import ReplicaStatusType
from tests.operations.talk import OTHER_PASSWORD, listed, named, shown, sign_in, sign_up
from tests.operations.test_groups import claims
from tests.operations.test_provider_links import GOOGLE, LINK, OIDC, at, local

MAPPING = {"email": "email", "given_name": "given_name", "custom:roles": "roles"}
SCHEMA = [
    {"Name": "roles", "AttributeDataType": "String", "Mutable": True},
    {"Name": "tenant", "AttributeDataType": "String", "Mutable": False},
]


def a_call(server) -> PublicCall:
    """A request from somewhere."""
    origin = Origin(request_id="r", address="192.0.2.1", user_agent="Mozilla/5.0 (X11; Linux) Firefox/130.0")
    return PublicCall(deps=server.deps, now=server.deps.clock.now(), origin=origin)


async def arrive_at(server, client_id, provider, assertion, seat=None):
    """Who signs in at an app by what a provider says."""
    call = a_call(server)

    def load(tx):
        pool, client = tx.catalogue.find_app(client_id)
        return replace(pool, seat=seat), client, tx.identity_providers.find(pool.id, provider)

    return await arrive(call, *await call.store.read(load), assertion)


class Door:
    """A pool with an OIDC provider ``MyIdP`` and Google, and an app, at which users of these arrive."""

    def __init__(self, server, call, pool, app, **settings) -> None:
        self.server, self.call = server, call
        self.pool_id = pool(**{"Schema": SCHEMA, "UsernameConfiguration": {"CaseSensitive": False}} | settings)
        self.provide("MyIdP", AttributeMapping=MAPPING)
        call(
            "CreateIdentityProvider",
            UserPoolId=self.pool_id,
            ProviderName="Google",
            ProviderType="Google",
            ProviderDetails=GOOGLE,
            AttributeMapping={"email": "email", "email_verified": "email_verified"},
        )
        self.app = app(self.pool_id)
        self.seat = None

    def provide(self, name, **members) -> None:
        self.call(
            "CreateIdentityProvider",
            UserPoolId=self.pool_id,
            ProviderName=name,
            ProviderType="OIDC",
            ProviderDetails=OIDC,
            **members,
        )

    def map(self, **mapping) -> None:
        mapping = {name.replace("custom_", "custom:"): claim for name, claim in mapping.items()}
        self.call(
            "UpdateIdentityProvider", UserPoolId=self.pool_id, ProviderName="MyIdP", AttributeMapping=MAPPING | mapping
        )

    def change(self, **settings) -> None:
        self.call("UpdateUserPool", UserPoolId=self.pool_id, **settings)

    async def arrive(self, assertion, provider="MyIdP"):
        """Who that is, by the flow."""
        return await arrive_at(self.server, self.app["ClientId"], provider, assertion, self.seat)

    def enter(self, sub="AbC", /, provider="MyIdP", **told):
        """What a sign-in ends in; the claims are the ID token's."""
        return self.server.run(self.arrive(Assertion(id_token={"sub": sub, **told}), provider))

    def tokens(self, signed_in):
        """The tokens of a sign-in, with all that it left to write."""
        return self.server.run(finish_with_tokens(a_call(self.server), signed_in))

    def refused(self, sub="AbC", /, **told) -> str:
        """What the application is told instead."""
        with pytest.raises(OAuthError) as raised:
            self.enter(sub, **told)
        assert raised.value.error == "invalid_request"
        return raised.value.description

    def shown(self, username="myidp_abc"):
        return named(shown(self.call, self.pool_id, username)["UserAttributes"])

    def users(self) -> list[str]:
        return sorted(user["Username"] for user in self.call("ListUsers", UserPoolId=self.pool_id)["Users"])


@pytest.fixture
def door(server, call, pool, app):
    """A door of a pool with these settings."""
    return lambda **settings: Door(server, call, pool, app, **settings)


def test_coming_for_the_first_time(door):
    """Makes a profile named for provider and subject, in the provider's group, whose e-mail address is unverified (X1, X7)."""
    here = door()
    signed_in = here.enter("AbC", email="ann@example.org", given_name="Ann", unmapped="x")
    assert (signed_in.provider, signed_in.vouched, signed_in.methods) == ("MyIdP", 1, {Method.FEDERATED})
    user = shown(here.call, here.pool_id, "myidp_abc")
    assert (user["Username"], user["UserStatus"], user["Enabled"]) == ("myidp_abc", "EXTERNAL_PROVIDER", True)
    token = claims(here.tokens(signed_in).id_token)
    (identity,) = token.pop("identities")
    assert identity.pop("dateCreated").isdigit()
    assert identity == {
        "userId": "AbC",
        "providerName": "MyIdP",
        "providerType": "OIDC",
        "issuer": OIDC["oidc_issuer"],
        "primary": "true",
    }
    group = f"{here.pool_id}_MyIdP"
    told = {name: token.get(name) for name in ("cognito:username", "cognito:groups", "email", "email_verified")}
    assert told == {
        "cognito:username": "myidp_abc",
        "cognito:groups": [group],
        "email": "ann@example.org",
        "email_verified": False,
    }
    made = here.call("GetGroup", UserPoolId=here.pool_id, GroupName=group)["Group"]
    assert made["Description"] == "Autogenerated group for users who sign in using MyIdP"
    assert "Precedence" not in made
    # The next one joins it.
    here.enter("other")
    members = here.call("ListUsersInGroup", UserPoolId=here.pool_id, GroupName=group)["Users"]
    assert [user["Username"] for user in members] == ["myidp_abc", "myidp_other"]


def test_coming_again(door):
    """What changed is written, what is missing stays, what is blank goes; nothing new is no change (X2, X3, X4)."""
    here = door()
    first = here.enter(email="ann@example.org", given_name="Ann", roles=["a b", "c"])
    assert here.shown()["custom:roles"] == "[a+b, c]"
    again = here.enter(email="ann@example.org", roles=["a b", "c"])
    assert (again.user.id, again.user.revision) == (first.user.id, first.user.revision)
    here.call(
        "AdminUpdateUserAttributes",
        UserPoolId=here.pool_id,
        Username="myidp_abc",
        UserAttributes=listed(email_verified="true"),
    )
    here.enter(email="ann@example.org", given_name="Anna")
    assert {"given_name": "Anna", "email_verified": "true"}.items() <= here.shown().items()
    here.enter(email="new@example.org", roles="")
    after = here.shown()
    assert (after["email"], after["email_verified"], after["given_name"]) == ("new@example.org", "false", "Anna")
    assert "custom:roles" not in after


def test_attributes_that_do_not_fit(door):
    """Missing required ones, ones that cannot change and wrong ones end the sign-in; unwritable ones do not (X5)."""
    required = [{"Name": name, "Required": True, "Mutable": True} for name in ("given_name", "family_name")]
    here = door(Schema=[*SCHEMA, *required])
    assert here.refused() == "attributes required: [given_name, family_name]"
    here.map(family_name="family_name", custom_tenant="tenant", birthdate="birthdate", phone_number="phone")
    full = {"given_name": "Ann", "family_name": "Lee"}
    assert here.refused(**full, phone="0123") == "Invalid phone number format."
    assert here.refused(**full, roles="x" * 2049) == (
        "user.custom:roles: String must be no longer than 2048 characters "
    )
    assert here.users() == []
    here.enter(**full, tenant="acme")
    assert {"family_name": "Lee", "custom:tenant": "acme"}.items() <= here.shown().items()
    assert here.refused(**full, tenant="acme") == "user.custom:tenant: Attribute cannot be updated. "
    assert here.refused(given_name="", family_name="Lee") == "attributes required: [given_name]"
    client = {"UserPoolId": here.pool_id, "ClientId": here.app["ClientId"]}
    here.call("UpdateUserPoolClient", **client, WriteAttributes=["given_name", "family_name"])
    assert here.enter(**full, tenant="other", birthdate="1990-01-01", email="a@x.org").user.username == "myidp_abc"
    assert here.shown()["custom:tenant"] == "acme"
    assert not {"birthdate", "email"} & here.shown().keys()


@pytest.mark.parametrize("subject", ["", "a b", "x" * 140, None, ["a"]])
def test_subjects_that_are_no_name(door, subject):
    """Nobody comes in by them, and nobody is made."""
    here = door()
    expected = "The name of the user at the provider cannot be part of a user name."
    if not isinstance(subject, str) or not subject:
        expected = "attributes required: [username]"
    assert here.refused(subject) == expected
    assert here.users() == []


def test_the_functions_of_both_kinds_of_sign_in(door, functions):
    """They are asked in Cognito's order: of a sign-up the first time, of a sign-in later (spec/api/06 §2)."""
    arn = functions.add()
    triggers = ("PreSignUp", "PostConfirmation", "PreAuthentication", "PostAuthentication", "PreTokenGeneration")
    inbound = {"InboundFederation": {"LambdaVersion": "V1_0", "LambdaArn": arn}}
    here = door(LambdaConfig=dict.fromkeys(triggers, arn) | inbound)
    here.tokens(here.enter(email="ann@example.org"))
    here.tokens(here.enter(email="new@example.org"))
    events = functions.events(arn)
    assert [event["triggerSource"] for event in events] == [
        "InboundFederation_ExternalProvider",
        "PreSignUp_ExternalProvider",
        "PostConfirmation_ConfirmSignUp",
        "TokenGeneration_HostedAuth",
        "InboundFederation_ExternalProvider",
        "PreAuthentication_Authentication",
        "PostAuthentication_Authentication",
        "TokenGeneration_HostedAuth",
    ]
    assert [event["userName"] for event in events[:3]] == ["AbC", "myidp_abc", "myidp_abc"]
    assert events[0]["request"] == {
        "providerName": "MyIdP",
        "providerType": "OIDC",
        "attributes": {
            "tokenResponse": {},
            "idToken": {"sub": "AbC", "email": "ann@example.org"},
            "userInfo": {},
        },
    }
    assert events[1]["request"] == {
        "userAttributes": {
            "cognito:email_alias": "",
            "cognito:phone_number_alias": "",
            "email": "ann@example.org",
            "email_verified": "false",
        },
        "validationData": {},
    }
    assert events[1]["callerContext"]["clientId"] == here.app["ClientId"]
    told = events[2]["request"]["userAttributes"]
    assert (told["cognito:user_status"], json.loads(told["identities"])[0]["userId"]) == ("EXTERNAL_PROVIDER", "AbC")
    # Before a sign-in the attributes are the old ones, after it the new ones.
    assert [event["request"]["userAttributes"]["email"] for event in events[5:]] == [
        "ann@example.org",
        "new@example.org",
        "new@example.org",
    ]


def test_what_the_function_before_the_mapping_is_told(door, functions):
    """Every claim as the text that it is in the pool, lists and objects too; what is null is not there."""
    arn = functions.add(lambda event, context: event)
    here = door(LambdaConfig={"InboundFederation": {"LambdaVersion": "V1_0", "LambdaArn": arn}})
    here.enter(email_verified=False, iat=1700000000, roles=["a b", "c"], address={"locality": "Rome"}, nonce=None)
    assert functions.events(arn)[0]["request"]["attributes"]["idToken"] == {
        "sub": "AbC",
        "email_verified": "false",
        "iat": "1700000000",
        "roles": "[a+b, c]",
        "address": '{"locality":"Rome"}',
    }


def deny(event, context):
    raise PermissionError("nope")


def test_functions_that_refuse(door, functions):
    """The application reads why; who is refused before the sign-up is not made, who is later stays (X6)."""
    arn = functions.add(deny)
    here = door(LambdaConfig={"InboundFederation": {"LambdaVersion": "V1_0", "LambdaArn": arn}})
    assert here.refused() == "InboundFederation failed with error nope. "
    functions.change(arn, lambda event, context: event | {"response": {"userAttributesToMap": ["x"]}})
    assert here.refused() == "Unrecognizable lambda output "
    functions.change(arn, deny)
    here.change(LambdaConfig={"PreSignUp": arn})
    assert here.refused() == "PreSignUp failed with error nope. "
    assert here.users() == []
    here.change(LambdaConfig={"PostConfirmation": arn})
    assert here.refused(given_name="Ann") == "PostConfirmation failed with error nope. "
    assert here.users() == ["myidp_abc"]
    here.change(LambdaConfig={"PreAuthentication": arn})
    assert here.refused(given_name="Bob") == "PreAuthentication failed with error nope. "
    assert here.shown()["given_name"] == "Ann"
    here.change(LambdaConfig={"PostAuthentication": arn})
    assert here.refused(given_name="Bob") == "PostAuthentication failed with error nope. "


def test_a_function_between_provider_and_mapping(door, functions):
    """What it returns replaces all claims, an empty object none, and the subject stays without being named (X24)."""
    replies = [{}, {"email": "set@example.org", "roles": ["x"]}, {"sub": "Other", "given_name": "Eve"}]
    arn = functions.add(lambda event, context: event | {"response": {"userAttributesToMap": replies.pop(0)}})
    here = door(LambdaConfig={"InboundFederation": {"LambdaVersion": "V1_0", "LambdaArn": arn}})
    here.enter(email="ann@example.org", given_name="Ann")
    assert here.shown()["given_name"] == "Ann"
    here.enter(email="ann@example.org", given_name="Anna")
    after = here.shown()
    assert (after["email"], after["given_name"], after["custom:roles"]) == ("set@example.org", "Ann", "[x]")
    assert here.enter().user.username == "myidp_other"


def test_a_function_that_verifies(door, functions):
    """Pre sign-up verifies addresses that are there; the profile is one of a provider all the same."""

    def verify_all(event, context):
        event["response"] = {"autoConfirmUser": True, "autoVerifyEmail": True, "autoVerifyPhone": True}
        return event

    here = door(LambdaConfig={"PreSignUp": functions.add(verify_all)})
    user = here.enter(email="ann@example.org").user
    assert (user.status, user.attributes["email_verified"]) == ("EXTERNAL_PROVIDER", "true")
    assert "phone_number_verified" not in user.attributes


def test_who_is_linked(door, user):
    """Comes in as the user of the pool, by subject or by an attribute; its group is not joined (X8)."""
    here = door()
    ann = user(here.pool_id, email="ann@example.org", email_verified="true")
    bob = user(here.pool_id)
    for username, source in ((ann, at("Google", "1000")), (bob, at("MyIdP", "bob@example.org", "email"))):
        here.call(LINK, UserPoolId=here.pool_id, DestinationUser=local(username), SourceUser=source)
    token = claims(here.tokens(here.enter("1000", "Google", email="ann@example.org")).id_token)
    assert (token["cognito:username"], token["identities"][0]["primary"]) == (ann, "false")
    assert token["email_verified"] is True
    assert "cognito:groups" not in token
    signed_in = here.enter("whoever", email="bob@example.org", given_name="Bob")
    assert (signed_in.user.username, signed_in.user.attributes["given_name"]) == (bob, "Bob")
    assert here.users() == sorted([ann, bob])


def test_what_a_provider_says_of_who_is_linked(door, user):
    """Becomes the user's like a change of their own, at once, but an address that is another's name (X8)."""
    wait = {"AttributesRequireVerificationBeforeUpdate": ["email"]}
    here = door(AliasAttributes=["email"], AutoVerifiedAttributes=["email"], UserAttributeUpdateSettings=wait)
    user(here.pool_id, email="ann@example.org", email_verified="true")
    bob = user(here.pool_id, password=None, email="bob@example.org", email_verified="true")
    here.call(LINK, UserPoolId=here.pool_id, DestinationUser=local(bob), SourceUser=at("Google", "1"))
    here.call(
        "AdminUpdateUserAttributes", UserPoolId=here.pool_id, Username=bob, UserAttributes=listed(email="b@example.org")
    )
    assert here.enter("1", "Google").user.pending == {"email": "b@example.org"}
    after = here.enter("1", "Google", email="bob@example.net", email_verified="true").user
    assert (after.attributes["email"], after.attributes["email_verified"]) == ("bob@example.net", "true")
    assert (after.status, after.pending) == ("FORCE_CHANGE_PASSWORD", {})
    assert here.shown("bob@example.net") == here.shown(bob)
    taken = {"email": "ann@example.org", "email_verified": True}
    assert here.refused("1", provider="Google", **taken) == "An account with the given email already exists."
    assert here.shown(bob)["email"] == "bob@example.net"


def test_linking_at_the_last_moment(door, user, functions):
    """Who is linked by the function before the sign-up comes in with the next attempt (X9)."""
    here = door()
    ann = user(here.pool_id)

    def link(event, context):
        source = at("Google", event["userName"].partition("_")[2])
        here.call(LINK, UserPoolId=here.pool_id, DestinationUser=local(ann), SourceUser=source)
        return event

    here.change(LambdaConfig={"PreSignUp": functions.add(link)})
    assert here.refused("1000", provider="Google") == "Already found an entry for username google_1000"
    assert here.enter("1000", "Google").user.username == ann
    assert here.users() == [ann]


def test_an_address_is_nobodys_name(door, call, user):
    """Whoever has an address already is neither meant nor in the way, nor loses it, whatever the provider says of it."""
    told = {"email": "ann@example.org", "email_verified": True}
    for settings in ({"UsernameAttributes": ["email"]}, {"AliasAttributes": ["email", "preferred_username"]}):
        here = door(**settings)
        name = "ann@example.org" if "UsernameAttributes" in settings else None
        ann = user(here.pool_id, name, email="ann@example.org", email_verified="true")
        federated = here.enter("1000", "Google", **told).user
        assert (federated.username, federated.attributes["email_verified"]) == ("google_1000", "true")
        known = shown(call, here.pool_id, ann)["Username"]
        assert claims(sign_in(call, here.app, "ann@example.org")["IdToken"])["cognito:username"] == known
        member = {"UserPoolId": here.pool_id, "Username": "google_1000"}
        call("AdminSetUserPassword", **member, Password=OTHER_PASSWORD, Permanent=True)
        assert sign_in(call, here.app, "google_1000", OTHER_PASSWORD)
        assert shown(call, here.pool_id, "ann@example.org")["Username"] == known
    # Nor does one keep others from signing up.
    here = door(UsernameAttributes=["email"])
    here.enter("1000", "Google", **told)
    sign_up(call, here.app, "ann@example.org")
    assert len(here.users()) == 2


def test_names_that_are_taken(door, user):
    """A user of the pool who has the name that a profile would get keeps it, and is not signed in."""
    here = door()
    user(here.pool_id, "myidp_abc")
    assert here.refused("AbC") == "Already found an entry for username myidp_abc"
    assert here.enter("xYz").user.username == "myidp_xyz"
    # Subjects are exact where names are not.
    assert here.refused("XyZ") == "Already found an entry for username myidp_xyz"


def test_who_is_kept_out(door, call):
    """The disabled, also those who are while they come, and users who have not confirmed yet."""
    here = door()
    signed_in = here.enter()
    member = {"UserPoolId": here.pool_id, "Username": "myidp_abc"}
    call("AdminDisableUser", **member)
    assert here.refused() == "User is disabled."
    with pytest.raises(OAuthError, match="User is disabled"):
        here.tokens(signed_in)
    call("AdminEnableUser", **member)
    assert here.enter().user.enabled
    sign_up(call, here.app, "new")
    call(LINK, UserPoolId=here.pool_id, DestinationUser=local("new"), SourceUser=at("Google", "1"))
    assert here.refused("1", provider="Google") == "User is not confirmed."


def test_coming_twice_at_once(door, functions):
    """Makes one profile, announced once; both come in."""
    both = threading.Barrier(2)

    def wait(event, context):
        both.wait(5)
        return event

    told = functions.add()
    here = door(LambdaConfig={"PreSignUp": functions.add(wait), "PostConfirmation": told})

    async def twice():
        return await asyncio.gather(*(here.arrive(Assertion(id_token={"sub": "AbC"})) for _ in range(2)))

    first, second = here.server.run(twice())
    assert first.user.id == second.user.id
    assert here.users() == ["myidp_abc"]
    assert len(functions.events(told)) == 1


def test_a_provider_that_comes_back(door, call, server):
    """Knows its users again, unless it is another one by the same name."""
    here = door()
    first = here.enter().user
    call("DeleteIdentityProvider", UserPoolId=here.pool_id, ProviderName="MyIdP")
    here.provide("MyIdP")
    assert here.enter().user.sub == first.sub
    call("AdminDisableProviderForUser", UserPoolId=here.pool_id, User=at("MyIdP", "AbC"))
    assert here.refused() == "User is disabled."
    call("DeleteIdentityProvider", UserPoolId=here.pool_id, ProviderName="MyIdP")
    other = {**OIDC, "oidc_issuer": "https://other.example.org"}
    call(
        "CreateIdentityProvider",
        UserPoolId=here.pool_id,
        ProviderName="MyIdP",
        ProviderType="OIDC",
        ProviderDetails=other,
    )
    assert here.refused() == "Already found an entry for username myidp_abc"
    # Its profile can still be changed, and deleted.
    call("AdminEnableUser", UserPoolId=here.pool_id, Username="myidp_abc")
    call("AdminDeleteUser", UserPoolId=here.pool_id, Username="myidp_abc")
    assert here.enter().user.sub != first.sub


def test_what_the_journal_says(door, call):
    """A sign-in passes or fails, with nothing that the pool asked; its event is the one that the tokens name."""
    here = door(UserPoolTier="PLUS", UserPoolAddOns={"AdvancedSecurityMode": "ENFORCED"})
    signed_in = here.enter()
    token = claims(here.tokens(signed_in).id_token)
    member = {"UserPoolId": here.pool_id, "Username": "myidp_abc"}
    call("AdminDisableUser", **member)
    here.refused()
    failed, passed = call("AdminListUserAuthEvents", **member)["AuthEvents"]
    assert (failed["EventResponse"], passed["EventResponse"]) == ("Fail", "Pass")
    assert (passed["EventId"], passed["EventType"]) == (token["event_id"], "SignIn")
    assert passed["ChallengeResponses"] == []
    assert passed["EventContextData"]["IpAddress"] == "192.0.2.1"
    event = here.server.read(lambda tx: tx.auth_events.find(signed_in.user, passed["EventId"]))
    assert activity_record(event, signed_in.user, 0)["message"]["idpName"] == "MyIdP"


def test_levels_and_methods_of_a_provider(door, call):
    """Come from its ID token, by AcrMapping and by the words that are known; they spare nothing of the pool's own."""
    here = door()
    mapping = {"Level3": "urn:strong"}
    call("UpdateIdentityProvider", UserPoolId=here.pool_id, ProviderName="MyIdP", AcrMapping=mapping)
    signed_in = here.enter(acr="urn:strong", amr=["pwd", "face"])
    assert (signed_in.vouched, signed_in.methods) == (3, {Method.FEDERATED, Method.PASSWORD})


def test_a_replica_neither_makes_nor_changes_users(door):
    """Who is there already comes in through it as they are (spec/api/10 §3)."""
    here = door()
    here.enter(given_name="Ann")
    here.seat = Replica(region="eu-west-1", status=ReplicaStatusType.ACTIVE, settings=Regional())
    assert here.enter(given_name="Bob").user.attributes["given_name"] == "Ann"
    assert here.refused("new") == "Operation is not enabled in this Region for the user pool."
