"""The rules of token exchange (RFC 8693; spec/api/10 §6.2)."""

import pytest
from msgspec.structs import replace

from poolhouse.core.token_exchange import (
    LONGEST_CHAIN,
    Claims,
    Exchange,
    check_exchange,
    check_identity_scopes,
    end_of,
    granted_scopes,
    next_act,
)
from poolhouse.model import (
    ExplicitAuthFlowsType,
    InvalidParameterException,
    IssuedTokenTypeIdentifierType,
    ResourceServerScopeType,
    ResourceServerType,
)
from poolhouse.model import TokenTypeIdentifierType as TokenType
from tests.core.examples import make_client

SERVERS = [ResourceServerType(identifier="rs", scopes=[ResourceServerScopeType(scope_name="a", scope_description="a")])]
ASKED = Exchange(subject_token="x", subject_type=TokenType.ACCESS_TOKEN)
SUBJECT = Claims(sub="ann", iss="i", token_use="access", exp=100, iat=0)


@pytest.mark.parametrize(
    ("requested", "granted"),
    [
        (None, ("openid", "rs/a", "rs/gone", "other")),
        (["rs/a", "rs/a", "openid"], ("rs/a", "openid")),
        (["email", "other", "rs/gone"], ()),
        (["rs/b"], ()),
    ],
)
def test_scopes_are_what_all_three_have(requested, granted):
    """Granted is what is asked for, the subject has and the client may have; the subject's where nothing is asked."""
    app = make_client(allowed_oauth_scopes=["openid", "email", "rs/a", "rs/b", "rs/gone"])
    assert granted_scopes(app, SERVERS, requested, ("openid", "rs/a", "rs/gone", "other")) == granted


@pytest.mark.parametrize(
    "wrong",
    [
        {"audience": "a", "resource": "rs"},
        {"actor_type": TokenType.ACCESS_TOKEN},
        {"actor_provider": "P"},
        {"actor_token": "x"},
        {"wanted": IssuedTokenTypeIdentifierType.ID_TOKEN, "audience": "a"},
        {"wanted": IssuedTokenTypeIdentifierType.ID_TOKEN, "resource": "rs"},
    ],
)
def test_parameters_that_contradict_are_refused(wrong):
    """Audience and resource exclude each other, an actor needs its type, and ID tokens are for the client alone."""
    check_exchange(ASKED)
    with pytest.raises(InvalidParameterException):
        check_exchange(replace(ASKED, **wrong))


def test_flows_follow_from_the_actor():
    """Without an actor the user is impersonated, with one represented."""
    assert ASKED.flow is ExplicitAuthFlowsType.ALLOW_TOKEN_EXCHANGE_IMPERSONATION
    delegated = replace(ASKED, actor_token="y", actor_type=TokenType.ACCESS_TOKEN)
    assert delegated.flow is ExplicitAuthFlowsType.ALLOW_TOKEN_EXCHANGE_DELEGATION


def test_actors_stay_named():
    """The newest actor names the one before it, and nobody is forgotten (RFC 8693 §4.1)."""
    actor = replace(SUBJECT, sub="mail")
    assert next_act(SUBJECT, None) is None
    first = next_act(SUBJECT, actor)
    assert first == {"sub": "mail"}
    delegated = replace(SUBJECT, act=first)
    assert next_act(delegated, None) == first
    assert next_act(delegated, replace(actor, sub="print")) == {"sub": "print", "act": {"sub": "mail"}}


def test_chains_of_actors_end():
    """Tokens do not grow for ever."""
    subject = SUBJECT
    for number in range(LONGEST_CHAIN):
        subject = replace(subject, act=next_act(subject, replace(SUBJECT, sub=str(number))))
    with pytest.raises(InvalidParameterException):
        next_act(subject, SUBJECT)


def test_new_tokens_end_with_what_they_came_from():
    """A token ends with its session; where there is none it does not outlive the one it came from."""
    assert end_of(SUBJECT, 500, 400) == 400
    assert end_of(SUBJECT, 300, 400) == 300
    assert end_of(SUBJECT, None, 400) == 100


def test_identity_is_for_openid():
    """An ID token comes where a sign-in would give one: for openid, or over the API."""
    check_identity_scopes(["openid"])
    check_identity_scopes(["aws.cognito.signin.user.admin"])
    with pytest.raises(InvalidParameterException):
        check_identity_scopes(["rs/a"])


def test_clients_and_users_are_told_apart():
    """A client's own token names no user; an ID token names its client in ``aud``."""
    assert not replace(SUBJECT, client_id="c").names_user
    assert replace(SUBJECT, username="ann").names_user
    identity = replace(SUBJECT, token_use="id", aud="c", id_username="ann")
    assert identity.names_user
    assert identity.app == "c"
    assert replace(SUBJECT, client_id="c", aud="https://api").app == "c"
