"""Request rates: read, set, and held by all surfaces and processes (spec/api/09 §1, spec/api/10 §8)."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest
from botocore.exceptions import ClientError

from poolhouse.core.rates import CHALLENGE, FREE, MAXIMUM, SIGN_IN, Category, Use
from poolhouse.flows.rates import RateLimiter
from poolhouse.flows.upkeep import look_after
from tests.operations.refusals import refused

GET, UPDATE = "GetProvisionedLimit", "UpdateProvisionedLimit"
AWAY = "ap-northeast-3"
OVER = ("TooManyRequestsException", "Rate exceeded", 400)


def definition(category="UserToken", **attributes):
    return {"LimitClass": "API_CATEGORY", "Attributes": {"Category": category} | attributes}


@pytest.fixture
def at_rest(server, monkeypatch):
    """The server's clock stands still, so a second's budget does not fill up; gives what moves it on, in seconds."""
    moment = server.clock.now()
    monkeypatch.setattr(server.clock, "now", lambda: moment + server.clock.offset)
    return server.clock.advance


@pytest.fixture
def limit(server) -> Iterator:
    """Set a limit, also one below the free value; it is gone after the test, as those of other tests are before it."""

    def load(tx):
        return tx.rates.limits()

    def put(category, value, region="us-east-1"):
        def commit(tx):
            tx.rates.set_limit(region, category, value)
            return load(tx)

        server.deps.rates.take_over(server.write(commit))

    def forget(tx):
        for table in ("rate_limits", "rate_budgets"):
            tx.rates._sql.run(f"DELETE FROM {table}")
        return load(tx)

    def begin_anew():
        server.deps.rates.take_over(server.write(forget))
        server.deps.rates._shares.clear()

    begin_anew()
    yield put
    begin_anew()


@pytest.fixture
def away(server):
    """A client of another Region."""
    return server.boto(region_name=AWAY)


def over(function, **members):
    """Call what must be over the limit."""
    with pytest.raises(ClientError) as caught:
        function(**members)
    answer = caught.value.response
    assert (answer["Error"]["Code"], answer["Error"]["Message"]) == OVER[:2]
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == OVER[2]


@pytest.mark.parametrize("category", Category)
def test_every_category_has_a_free_limit(call, category):
    """What nobody set is answered with the free value, for both values."""
    asked = definition(category.value)
    assert call(GET, LimitDefinition=asked) == {
        "Limit": {
            "LimitDefinition": asked,
            "ProvisionedLimitValue": FREE[category],
            "FreeLimitValue": FREE[category],
        }
    }


@pytest.mark.usefixtures("limit")
def test_a_limit_is_set_for_a_region(call, away):
    """It is answered in its Region and in no other."""
    made = call(UPDATE, LimitDefinition=definition(), RequestedLimitValue=500)["Limit"]
    assert (made["ProvisionedLimitValue"], made["FreeLimitValue"]) == (500, 120)
    assert call(GET, LimitDefinition=definition())["Limit"] == made
    assert away.get_provisioned_limit(LimitDefinition=definition())["Limit"]["ProvisionedLimitValue"] == 120


@pytest.mark.usefixtures("limit")
@pytest.mark.parametrize(
    ("code", "value"), [("InvalidParameterException", 119), ("ServiceQuotaExceededException", MAXIMUM + 1)]
)
def test_a_limit_is_between_the_free_one_and_the_maximum(call, code, value):
    """Less or more is refused, and nothing is set."""
    refused(call, code, UPDATE, LimitDefinition=definition(), RequestedLimitValue=value)
    assert call(GET, LimitDefinition=definition())["Limit"]["ProvisionedLimitValue"] == 120
    for edge in (120, MAXIMUM):
        call(UPDATE, LimitDefinition=definition(), RequestedLimitValue=edge)


def test_a_limit_must_be_defined(call):
    """An unknown category does not exist; other attributes are refused."""
    refused(call, "ResourceNotFoundException", GET, LimitDefinition=definition("Everything"))
    refused(call, "InvalidParameterException", GET, LimitDefinition=definition(Pool="p"))
    refused(call, "InvalidParameterException", GET, LimitDefinition={"LimitClass": "API_CATEGORY", "Attributes": {}})
    strange = definition() | {"LimitClass": "STORAGE"}
    refused(call, "InvalidParameterException", GET, LimitDefinition=strange)


@pytest.mark.usefixtures("at_rest")
def test_signed_calls_count_in_their_region(cognito, away, limit):
    """The third listing of a second that allows two is refused; elsewhere, and in another category, nothing is."""
    limit("UserPoolRead", 2, region=AWAY)
    for _ in range(2):
        away.list_user_pools(MaxResults=1)
    over(away.list_user_pools, MaxResults=1)
    cognito.list_user_pools(MaxResults=1)
    with pytest.raises(away.exceptions.ResourceNotFoundException):
        away.list_groups(UserPoolId="ap-northeast-3_nobody")


def test_a_second_later_there_is_more(away, limit, at_rest):
    """A budget fills up with its rate."""
    limit("UserPoolRead", 2, region=AWAY)
    for _ in range(3):
        away.list_user_pools(MaxResults=1)
        away.list_user_pools(MaxResults=1)
        over(away.list_user_pools, MaxResults=1)
        at_rest(1)


@pytest.mark.usefixtures("at_rest")
def test_unsigned_requests_and_bad_signatures(server, limit):
    """Nobody uses up a Region's budget without a key of it."""
    limit("UserPoolRead", 1, region=AWAY)
    stranger = server.boto(region_name=AWAY, aws_secret_access_key="wrong")
    for _ in range(3):
        with pytest.raises(ClientError) as caught:
            stranger.list_user_pools(MaxResults=1)
        assert caught.value.response["Error"]["Code"] == "InvalidSignatureException"
    server.boto(region_name=AWAY).list_user_pools(MaxResults=1)


@pytest.mark.usefixtures("at_rest")
def test_sign_in_and_refresh_count_apart(call, cognito, pool, app, user, limit):
    """Refreshing uses up UserToken, signing in UserAuthentication (spec/api/09 §1)."""
    pool_id = pool()
    client_id, username = app(pool_id)["ClientId"], user(pool_id)
    given = {"USERNAME": username, "PASSWORD": "Correct-Horse-1"}
    sign_in = {"ClientId": client_id, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": given}
    token = call("InitiateAuth", **sign_in)["AuthenticationResult"]["RefreshToken"]
    limit("UserAuthentication", 1)
    limit("UserToken", 1)
    cognito.initiate_auth(**sign_in)
    over(cognito.initiate_auth, **sign_in)
    refresh = {"ClientId": client_id, "AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": {"REFRESH_TOKEN": token}}
    call("InitiateAuth", **refresh)
    over(cognito.initiate_auth, **refresh)
    over(cognito.revoke_token, ClientId=client_id, Token=token)


@pytest.mark.usefixtures("at_rest")
def test_oauth_endpoints_answer_429(call, server, pool, app, limit):
    """The token endpoint tells clients when to come again; client_credentials count as ClientAuthentication."""
    pool_id, prefix = pool(), "rates-of-machines"
    call("CreateUserPoolDomain", UserPoolId=pool_id, Domain=prefix)
    scope = [{"ScopeName": "read", "ScopeDescription": "d"}]
    call("CreateResourceServer", UserPoolId=pool_id, Identifier="rs", Name="rs", Scopes=scope)
    machine = app(
        pool_id,
        GenerateSecret=True,
        ExplicitAuthFlows=[],
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthFlows=["client_credentials"],
        AllowedOAuthScopes=["rs/read"],
    )
    limit("ClientAuthentication", 1)

    def ask(secret):
        form = {"grant_type": "client_credentials", "client_id": machine["ClientId"], "client_secret": secret}
        return httpx.post(f"{server.url}/auth/{prefix}/oauth2/token", data=form)

    assert ask("wrong").json() == {"error": "invalid_client"}
    assert ask(machine["ClientSecret"]).status_code == 200
    refusal = ask(machine["ClientSecret"])
    assert (refusal.status_code, refusal.headers["retry-after"]) == (429, "1")
    assert refusal.json() == {"error": "too_many_requests"}
    assert refusal.headers["access-control-allow-origin"] == "*"


@pytest.mark.usefixtures("at_rest")
def test_login_pages_answer_429(call, server, pool, app, limit):
    """Signing in on the pages counts as UserAuthentication; looking at them does not."""
    pool_id, prefix = pool(), "rates-of-people"
    call("CreateUserPoolDomain", UserPoolId=pool_id, Domain=prefix)
    client = app(
        pool_id,
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthFlows=["code"],
        AllowedOAuthScopes=["openid"],
        CallbackURLs=["https://app.example/cb"],
        SupportedIdentityProviders=["COGNITO"],
    )
    limit("UserAuthentication", 1)
    query = {"client_id": client["ClientId"], "response_type": "code", "redirect_uri": "https://app.example/cb"}
    page = f"{server.url}/auth/{prefix}/login"
    # A forged form counts too: it costs the same.
    assert httpx.post(page, params=query, data={"username": "ann"}).status_code == 403
    refusal = httpx.post(page, params=query, data={"username": "ann"})
    assert (refusal.status_code, refusal.headers["retry-after"]) == (429, "1")
    assert httpx.get(page, params=query).status_code == 200


def limiters(server, rate, count):
    """Nodes that know of a limit: limiters over one database."""
    return [RateLimiter(server.store, {Category.USER_AUTHENTICATION: rate}) for _ in range(count)]


async def ask_all(nodes, use, requests, now):
    """Send requests to all nodes at once; give how many are let through."""
    answers = await asyncio.gather(*(node.admit("xx-test-1", use, now) for _ in range(requests) for node in nodes))
    return sum(answers)


@pytest.mark.parametrize("rate", [1, 7, 240])
def test_nodes_share_a_budget(server, limit, rate):
    """However many nodes are asked for more than the limit, together they let just the limit through."""
    now = server.clock.now()

    async def run():
        nodes = limiters(server, rate, 3)
        first = await ask_all(nodes, SIGN_IN, rate + 50, now)
        return first, await ask_all(nodes, SIGN_IN, rate + 50, now + 1000)

    first, second = server.run(run())
    # What one node holds the others are refused, and it may give it out later.
    assert 0.8 * rate <= first <= rate
    assert 0.8 * rate <= second <= 2 * rate - first


def test_a_share_that_is_not_used_costs_little(server, limit):
    """Of a node that falls silent the others lose a twentieth of a second's budget at most."""
    now = server.clock.now()

    async def run():
        silent, busy = limiters(server, 100, 2)
        taken = [await silent.admit("xx-test-2", SIGN_IN, now) for _ in range(8)]
        return sum(taken) + sum([await busy.admit("xx-test-2", SIGN_IN, now) for _ in range(120)])

    assert 95 <= server.run(run()) <= 100


def test_answers_to_challenges_spill_over(server, limit):
    """Beyond three times the limit, answers use up the sign-ins: of 280 at a limit of 80, forty (spec/api/09 §1)."""
    now = server.clock.now()

    async def run():
        (node,) = limiters(server, 80, 1)
        answered = [await node.admit("xx-test-3", CHALLENGE, now) for _ in range(280)]
        signed_in = [await node.admit("xx-test-3", SIGN_IN, now) for _ in range(70)]
        return sum(answered), sum(signed_in)

    assert server.run(run()) == (280, 40)


def test_without_a_limit_nothing_is_asked(server):
    """No limit, no database: a limiter that knows of none lets everything through."""

    class NoStore:
        async def write(self, work):
            raise AssertionError("the database was asked")

    idle = RateLimiter(NoStore())
    assert idle.is_idle
    assert server.run(idle.admit("us-east-1", Use(Category.USER_READ), 0))
    elsewhere = RateLimiter(NoStore(), {Category.USER_TOKEN: 5})
    assert server.run(elsewhere.admit("us-east-1", Use(Category.USER_READ), 0))


def test_other_nodes_hear_of_a_limit(server, call, limit):
    """What one node was told is in force on the others as soon as they have looked."""
    call(UPDATE, LimitDefinition=definition(), RequestedLimitValue=130)
    server.deps.rates.take_over({})
    server.run(look_after(server.deps))
    assert server.deps.rates.find("us-east-1", Category.USER_TOKEN) == 130
