"""The test API: reset, messages, clock, failures, and who may use it."""

import threading
import time
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from tests.operations.talk import refusal, sign_up
from tests.seeds.conftest import PASSWORD, POOL_ID, SECRET
from tests.seeds.test_application import ALL_OF_IT, counts, sign_in

DAY = 86_400


@pytest.fixture
def call(suite):
    """Call an operation by name."""
    cognito = suite.boto()
    return lambda operation, /, **members: cognito._make_api_call(operation, members)


def test_reset_goes_back_to_the_seed(suite, ask, call, http):
    """Pools that were made go, changed and deleted ones are as in the file, nobody is locked out, the outbox is empty."""
    made = call("CreateUserPool", PoolName="made")["UserPool"]["Id"]
    sign_up(call, {"ClientId": "web"}, "zoe", email="zoe@example.org")
    call("AdminSetUserPassword", UserPoolId=POOL_ID, Username="ann", Password="Battery-Staple-2", Permanent=True)
    call("DeleteUserPoolClient", UserPoolId=POOL_ID, ClientId="machine")
    for _ in range(6):
        with pytest.raises(ClientError):
            sign_in(suite, "ann")
    keys = http.get(f"{suite.url}/{POOL_ID}/.well-known/jwks.json").json()

    assert ask("POST", "reset") == {"status": "ok"}

    assert refusal(call, "DescribeUserPool", UserPoolId=made)[0] == "ResourceNotFoundException"
    assert suite.read(counts) == ALL_OF_IT
    assert "AuthenticationResult" in sign_in(suite, "ann")
    client = call("DescribeUserPoolClient", UserPoolId=POOL_ID, ClientId="machine")["UserPoolClient"]
    assert client["ClientSecret"] == SECRET
    assert http.get(f"{suite.url}/{POOL_ID}/.well-known/jwks.json").json() == keys
    assert ask("GET", "messages") == []


def test_reset_of_one_pool_leaves_the_others(suite, ask, call):
    """One pool goes back to the seed, or goes where the seed has none of its id; others stay."""
    made, kept = (call("CreateUserPool", PoolName=name)["UserPool"]["Id"] for name in ("made", "kept"))
    sign_up(call, {"ClientId": "web"}, "zoe")
    call("CreateUserPoolDomain", UserPoolId=made, Domain="made-domain")
    for pool_id in (made, POOL_ID):
        ask("POST", "reset", {"UserPoolId": pool_id})

    assert refusal(call, "DescribeUserPool", UserPoolId=made)[0] == "ResourceNotFoundException"
    assert call("DescribeUserPoolDomain", Domain="made-domain")["DomainDescription"] == {}
    assert call("DescribeUserPool", UserPoolId=kept)["UserPool"]["Name"] == "kept"
    assert suite.read(counts)["users"] == 4
    for nobody in ("us-east-1_Nowhere", "us-east-1_Operators"):
        told = ask("POST", "reset", {"UserPoolId": nobody}, wanted=404)
        assert told == {"message": f"User pool {nobody} does not exist."}


@pytest.mark.any_database
def test_moto_s_path_resets_too(suite, call, http):
    """The path that suites written for moto use does the same."""
    call("CreateUserPool", PoolName="made")
    assert http.post(f"{suite.url}/moto-api/reset").json() == {"status": "ok"}
    assert [pool["Id"] for pool in call("ListUserPools", MaxResults=10)["UserPools"]] == [POOL_ID]


@pytest.fixture
def mailing(call):
    """A client whose sign-ups send codes; gives a function that signs up."""
    pool_id = call("CreateUserPool", PoolName="mailing", AutoVerifiedAttributes=["email"])["UserPool"]["Id"]
    client = call("CreateUserPoolClient", UserPoolId=pool_id, ClientName="c")["UserPoolClient"]
    return lambda name: sign_up(call, client, name, email=f"{name}@example.org")


def test_messages_are_those_of_the_outbox(suite, ask, mailing):
    """Messages are listed as ``poolhouse outbox --json`` shows them: by address, the newest, those after another."""
    for name in ("ann", "bob", "carl"):
        mailing(name)
    every = ask("GET", "messages")
    assert [message["to"] for message in every] == ["ann@example.org", "bob@example.org", "carl@example.org"]
    assert list(every[0]) == [
        *("id", "at", "channel", "to", "subject", "body", "code", "template", "user_pool_id", "username")
    ]
    assert every[0]["code"] in every[0]["body"]
    assert ask("GET", "messages?to=bob%40example.org") == [every[1]]
    assert ask("GET", "messages?last=true") == [every[2]]
    assert ask("GET", f"messages?after={every[0]['id']}") == every[1:]
    assert ask("DELETE", "messages?to=bob%40example.org") == {"deleted": 1}
    assert ask("GET", "messages") == [every[0], every[2]]
    assert ask("DELETE", "messages") == {"deleted": 2}


def test_waiting_for_a_message(suite, ask, mailing):
    """A request waits until the message is there, and no longer than it says."""
    later = threading.Timer(0.3, mailing, ["ann"])
    later.start()
    begun = time.monotonic()
    (found,) = ask("GET", "messages?to=ann%40example.org&wait=20")
    assert found["to"] == "ann@example.org"
    assert 0.2 < time.monotonic() - begun < 15
    later.join()
    begun = time.monotonic()
    assert ask("GET", "messages?to=nobody%40example.org&wait=0.2") == []
    assert time.monotonic() - begun < 5


def test_the_clock_moves_tokens_and_not_signatures(suite, ask, call):
    """Tokens run out when the clock is moved on, while signed requests of punctual clients are still taken."""
    token = sign_in(suite, "ann")["AuthenticationResult"]["AccessToken"]
    call("GetUser", AccessToken=token)
    before = ask("GET", "clock")

    moved = ask("POST", "clock", {"advance": DAY})
    assert moved["moved"] == DAY
    assert 0 <= moved["now"] - before["now"] - DAY * 1000 < 60_000
    assert datetime.fromisoformat(moved["time"]).timestamp() * 1000 == moved["now"]
    assert refusal(call, "GetUser", AccessToken=token) == ("NotAuthorizedException", "Access Token has expired")
    made = call("CreateUserPool", PoolName="tomorrow")["UserPool"]
    assert (made["CreationDate"] - datetime.now(UTC)).total_seconds() > DAY - 60

    assert ask("POST", "clock", {"set": "2030-01-31T12:00:00+01:00"})["time"].startswith("2030-01-31T11:00:0")
    assert ask("POST", "clock", {"set": moved["now"]})["moved"] == pytest.approx(DAY, abs=60)
    assert ask("POST", "clock", {"advance": -DAY})["moved"] == pytest.approx(0, abs=60)
    assert ask("DELETE", "clock")["moved"] == 0
    call("GetUser", AccessToken=token)


def test_a_reset_puts_everything_right(ask):
    """Reset puts the clock back and cancels failures."""
    ask("POST", "clock", {"advance": DAY})
    ask("POST", "failures", {"operation": "ListUserPools", "error": "TooManyRequestsException"})
    ask("POST", "reset")
    assert ask("GET", "clock")["moved"] == 0
    assert ask("GET", "failures") == []


@pytest.mark.any_database
def test_the_next_calls_fail(suite, ask, call):
    """As many calls as ordered fail with the type, text and status asked for; then all is as before."""
    told = {"operation": "ListUserPools", "error": "TooManyRequestsException", "message": "Rate exceeded", "times": 2}
    (order,) = ask("POST", "failures", told)
    assert order == told | {"status": None, "delay": 0.0}
    for _ in range(2):
        call("DescribeUserPool", UserPoolId=POOL_ID)
        assert refusal(call, "ListUserPools", MaxResults=1) == ("TooManyRequestsException", "Rate exceeded")
    assert call("ListUserPools", MaxResults=1)["UserPools"]
    assert ask("GET", "failures") == []

    ask("POST", "failures", {"operation": "*", "error": "ThrottlingException", "status": 429})
    with pytest.raises(ClientError) as refused:
        call("DescribeUserPool", UserPoolId=POOL_ID)
    assert refused.value.response["Error"]["Code"] == "ThrottlingException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
    ask("POST", "failures", {"operation": "DescribeUserPool", "status": 503})
    with pytest.raises(ClientError) as refused:
        call("DescribeUserPool", UserPoolId=POOL_ID)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503


@pytest.mark.any_database
def test_calls_come_late(ask, call):
    """An order without an error only takes its time, and orders can be cancelled."""
    ask("POST", "failures", {"operation": "ListUserPools", "delay": 0.3})
    begun = time.monotonic()
    assert call("ListUserPools", MaxResults=1)["UserPools"]
    assert time.monotonic() - begun >= 0.3

    for operation in ("ListUserPools", "GetUser"):
        ask("POST", "failures", {"operation": operation, "status": 500})
    (left,) = ask("DELETE", "failures?operation=GetUser")
    assert left["operation"] == "ListUserPools"
    assert ask("DELETE", "failures") == []
    call("ListUserPools", MaxResults=1)


@pytest.mark.any_database
def test_the_token_endpoint_fails(suite, ask, http):
    """OAuth endpoints fail in their own form, by whichever path they are reached; questions of browsers do not count."""
    asked = {"url": f"{suite.url}/auth/people/oauth2/token", "data": {"grant_type": "client_credentials"}}
    ask("POST", "failures", {"operation": "/oauth2/token", "error": "temporarily_unavailable"})
    assert http.options(asked["url"]).status_code == 200
    failed = http.post(**asked, auth=("machine", SECRET))
    assert (failed.status_code, failed.json()) == (503, {"error": "temporarily_unavailable"})
    assert http.post(**asked, auth=("machine", SECRET)).status_code == 200


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("path", "document", "told"),
    [
        ("failures", {"operation": "ListUserPool", "status": 500}, "There is no operation ListUserPool."),
        ("failures", {"operation": "/oauth2/x", "status": 500}, "There is no operation /oauth2/x."),
        ("failures", {"operation": "GetUser"}, "A failure needs an error, a status or a delay."),
        ("failures", {"operation": "GetUser", "status": 400}, "A status below 500 needs an error."),
        (
            "failures",
            {"operation": "GetUser", "error": "Oops"},
            "There is no error Oops; with a status it may be used all the same.",
        ),
        ("failures", {"operation": "GetUser", "error": "a b", "status": 400}, "The error is no name."),
        ("failures", {"operation": "GetUser", "delay": 61}, "Expected 'float' <= 60.0 - at '$.delay'."),
        ("failures", {"operation": "GetUser", "time": 1}, "Object contains unknown field 'time'."),
        ("failures", [], "Expected 'object', got 'array'."),
        ("clock", {}, "Give either 'advance', in seconds, or 'set', a time."),
        ("clock", {"advance": 1e12}, "The clock can be put to times of the years 2000 to 2199."),
        ("clock", {"set": "2030-01-31T12:00:00"}, "The time in 'set' needs an offset, such as Z."),
        ("clock", {"set": "tomorrow"}, "Invalid RFC3339 encoded datetime - at '$.set'."),
        ("reset", {"Pool": "x"}, "Object contains unknown field 'Pool'."),
    ],
)
def test_what_makes_no_sense_is_refused(ask, path, document, told):
    """A wrong request is answered 400 with a sentence."""
    assert ask("POST", path, document, wanted=400) == {"message": told}


@pytest.mark.any_database
def test_other_wrong_requests(ask):
    """Unknown paths, methods, parameters, types and ids have their own status."""
    assert "/test/reset, /test/messages" in ask("GET", "nothing", wanted=404)["message"]
    assert ask("GET", "reset", wanted=405) == {"message": "/test/reset takes POST."}
    assert (
        ask("GET", "messages?form=x", wanted=400)["message"]
        == "There is no parameter form; there are to, last, after, wait."
    )
    assert ask("GET", "messages?wait=61", wanted=400) == {"message": "The wait can be at most 60 seconds."}
    assert ask("GET", "messages?wait=soon", wanted=400)
    assert ask("GET", "messages?wait=nan", wanted=400)
    assert ask("GET", "messages?after=x", wanted=404)
    assert ask("POST", "reset", wanted=400, content=b"{", headers={"content-type": "application/json"})
    assert ask("POST", "reset", wanted=415, content=b"{}", headers={"content-type": "text/plain"})


FOREIGN = [
    {"host": "rebound.example.org"},
    {"host": "localhost.example.org:7665"},
    {"host": "people.auth.localhost:7665"},
    {"origin": "https://example.org"},
    {"origin": "null"},
    {"origin": "http://localhost:1"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"x-forwarded-for": "192.0.2.1"},
    {"forwarded": "for=192.0.2.1"},
    {"x-real-ip": "127.0.0.1"},
]


@pytest.mark.any_database
@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_pages_of_the_web_cannot_drive_it(suite, ask, headers):
    """A page under a name that leads to the loopback, one of another origin, or a proxy is refused; nothing is done."""
    ask("POST", "failures", {"operation": "GetUser", "status": 500})
    for method, path in (("POST", "reset"), ("GET", "messages"), ("DELETE", "failures")):
        assert ask(method, path, wanted=403, headers=headers)["message"].startswith("The test API ")
    assert len(ask("GET", "failures")) == 1


@pytest.mark.any_database
def test_programs_of_this_machine_are_welcome(module_suite, ask):
    """Each name of the loopback will do, and so do pages of the server's own origin."""
    port = module_suite.settings.port
    for host in (f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}", "localhost"):
        ask("GET", "clock", headers={"host": host, "origin": f"http://{host}", "sec-fetch-site": "same-origin"})


@pytest.mark.any_database
def test_nothing_of_it_is_there_without_the_setting(server, http):
    """Where the setting is off, its paths answer as any other path that is not there."""
    for path in ("/test/reset", "/test/clock", "/test/", "/moto-api/reset"):
        answers = [http.request(method, server.url + path) for method in ("GET", "POST", "DELETE")]
        assert {answer.status_code for answer in answers} == {404}
        assert {answer.text for answer in answers} == {http.get(f"{server.url}/nothing-here").text}
    assert type(server.app._router).__name__ == "Router"


@pytest.mark.any_database
def test_password_is_still_checked(suite):
    """The test API opens no way in: a wrong password is refused."""
    with pytest.raises(ClientError):
        sign_in(suite, "ann", PASSWORD + "x")
