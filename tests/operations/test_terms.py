"""Terms documents over the wire (spec/api/10 §7, spec/http/07 §7.7, 09 B12, B14)."""

import re

import pytest

from tests.operations.refusals import refused, unchecked

LINKS = {"cognito:default": "https://example.org/terms", "cognito:german": "https://example.org/de/bedingungen"}
KIND = {"TermsSource": "LINK", "Enforcement": "NONE"}


@pytest.fixture
def client(pool, app):
    """A client without terms, as members of a request."""
    made = app(pool())
    return {"UserPoolId": made["UserPoolId"], "ClientId": made["ClientId"]}


def create(call, client, name="terms-of-use", **members):
    return call("CreateTerms", **{**client, **KIND, "TermsName": name, "Links": LINKS, **members})["Terms"]


def key(terms):
    return {"UserPoolId": terms["UserPoolId"], "TermsId": terms["TermsId"]}


def test_terms_are_answered_as_set(call, client):
    """By their id and by their client."""
    made = create(call, client)
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", made["TermsId"])
    assert made == {
        **client,
        **KIND,
        "TermsId": made["TermsId"],
        "TermsName": "terms-of-use",
        "Links": LINKS,
        "CreationDate": made["CreationDate"],
        "LastModifiedDate": made["CreationDate"],
    }
    assert call("DescribeTerms", **key(made))["Terms"] == made
    assert call("DescribeTermsByClient", **client, TermsName="terms-of-use")["Terms"] == made


def test_b12_a_client_has_one_of_a_name(call, client, app):
    """Until it is deleted; another client has its own."""
    made = create(call, client)
    again = {**client, **KIND, "TermsName": "terms-of-use", "Links": LINKS}
    refused(call, "TermsExistsException", "CreateTerms", **again)
    create(call, client, "privacy-policy")
    create(call, client | {"ClientId": app(client["UserPoolId"])["ClientId"]})
    assert call("DeleteTerms", **key(made)) == {}
    create(call, client)


def test_an_update_changes_what_it_names(call, client, server):
    """Links are replaced as a whole; the id and the creation date stay."""
    made = create(call, client)
    server.clock.advance(5)
    same = call("UpdateTerms", **key(made))["Terms"]
    assert same["LastModifiedDate"] > made["LastModifiedDate"]
    assert same | {"LastModifiedDate": made["LastModifiedDate"]} == made
    links = {"cognito:french": "https://example.org/fr"}
    changed = call("UpdateTerms", **key(made), TermsName="privacy-policy", Links=links, **KIND)["Terms"]
    assert (changed["TermsName"], changed["Links"]) == ("privacy-policy", links)
    assert (changed["TermsId"], changed["CreationDate"]) == (made["TermsId"], made["CreationDate"])
    assert call("DescribeTermsByClient", **client, TermsName="privacy-policy")["Terms"] == changed
    refused(call, "ResourceNotFoundException", "DescribeTermsByClient", **client, TermsName="terms-of-use")


def test_an_update_cannot_take_the_name_of_another(call, client):
    """The name that the document has is its own."""
    made, other = create(call, client), create(call, client, "privacy-policy")
    refused(call, "TermsExistsException", "UpdateTerms", **key(other), TermsName="terms-of-use")
    call("UpdateTerms", **key(made), TermsName="terms-of-use")
    assert call("DescribeTerms", **key(other))["Terms"] == other


@pytest.mark.parametrize("name", ["other", "terms-of-use-2", "Terms-of-use", ""])
def test_b14_there_are_two_names(server, client, name):
    """Others are refused."""
    members = {**client, **KIND, "TermsName": name, "Links": LINKS}
    refused(unchecked(server), "InvalidParameterException", "CreateTerms", **members)


@pytest.mark.parametrize(
    "links",
    [
        {},
        None,
        {"cognito:klingon": "https://example.org/"},
        {"default": "https://example.org/"},
        {"cognito:default": ""},
        {"cognito:default": "https://example.org/a b"},
        {"cognito:default": "https://example.org/" + "x" * 1005},
        {"cognito:default": "javascript:alert(1)"},
        {"cognito:default": "/terms"},
        {"cognito:default": "//example.org/terms"},
        {"cognito:default": "https://"},
        {"cognito:default": "https://[/"},
    ],
)
def test_links_must_be_links(server, call, client, links):
    """In known languages, and to somewhere that a page may link to. Nothing is changed by a refusal."""
    given = {} if links is None else {"Links": links}
    members = {**client, **KIND, "TermsName": "privacy-policy", **given}
    refused(unchecked(server), "InvalidParameterException", "CreateTerms", **members)
    if given:
        made = create(call, client)
        refused(unchecked(server), "InvalidParameterException", "UpdateTerms", **key(made), **given)
        assert call("DescribeTerms", **key(made))["Terms"] == made


def test_all_languages_can_have_links(call, client):
    """Thirteen with the default, and addresses of up to 1,024 characters."""
    languages = (
        "default dutch english french spanish german bahasa-indonesia italian japanese korean portuguese-brazil"
        " chinese-simplified chinese-traditional"
    )
    links = {f"cognito:{language}": "https://example.org/" + "x" * 1004 for language in languages.split()}
    assert len(links) == 13
    assert create(call, client, Links=links)["Links"] == links


def test_terms_of_a_pool_are_listed_by_page(server, call, client, app):
    """Without their links, each once."""
    pool_id = client["UserPoolId"]
    assert call("ListTerms", UserPoolId=pool_id) == {"Terms": []}
    clients = [client, *({"UserPoolId": pool_id, "ClientId": app(pool_id)["ClientId"]} for _ in range(2))]
    made = [create(call, each, name) for each in clients for name in ("terms-of-use", "privacy-policy")]
    listed, token = [], {}
    while True:
        page = call("ListTerms", UserPoolId=pool_id, MaxResults=4, **token)
        listed += page["Terms"]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    shown = {"TermsId", "TermsName", "Enforcement", "CreationDate", "LastModifiedDate"}
    assert listed == sorted(({name: each[name] for name in shown} for each in made), key=lambda each: each["TermsId"])
    assert call("ListTerms", UserPoolId=pool_id)["Terms"] == listed
    for limit in (0, 61):
        refused(unchecked(server), "InvalidParameterException", "ListTerms", UserPoolId=pool_id, MaxResults=limit)


def test_tokens_continue_their_own_list(call, client, pool):
    """One of another pool is not taken."""
    for name in ("terms-of-use", "privacy-policy"):
        create(call, client, name)
    token = call("ListTerms", UserPoolId=client["UserPoolId"], MaxResults=1)["NextToken"]
    refused(call, "InvalidParameterException", "ListTerms", UserPoolId=pool(), NextToken=token)


def test_what_is_not_there_is_not_found(call, client, pool):
    """Neither terms that were deleted, nor those of another pool, nor a client that is none."""
    made, elsewhere = create(call, client), pool()
    call("DeleteTerms", **key(made))
    other = create(call, client)
    for gone in (key(made), key(other) | {"UserPoolId": elsewhere}):
        for operation in ("DescribeTerms", "UpdateTerms", "DeleteTerms"):
            refused(call, "ResourceNotFoundException", operation, **gone)
    for wrong in (client | {"UserPoolId": elsewhere}, client | {"ClientId": "nobody"}):
        terms = {**wrong, **KIND, "TermsName": "privacy-policy", "Links": LINKS}
        refused(call, "ResourceNotFoundException", "CreateTerms", **terms)
        refused(call, "ResourceNotFoundException", "DescribeTermsByClient", **wrong, TermsName="terms-of-use")
    refused(call, "ResourceNotFoundException", "ListTerms", UserPoolId="us-east-1_NobodyXYZ")


def test_deleted_clients_take_their_terms_along(call, client):
    """Nothing of them is listed any more."""
    create(call, client)
    call("DeleteUserPoolClient", **client)
    assert call("ListTerms", UserPoolId=client["UserPoolId"]) == {"Terms": []}
