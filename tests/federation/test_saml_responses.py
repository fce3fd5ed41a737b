"""What is believed of SAML responses: those of an implementation of others, and forged ones (design/SECURITY.md §4, 16–19)."""

import base64
import copy
import time
from random import Random

import pytest
import xmlsec
from lxml import etree
from msgspec.structs import replace

from poolhouse.core.saml import Expected, ServiceProvider, instant
from poolhouse.core.saml_metadata import Metadata
from poolhouse.providers import ProviderRefused, saml_response
from poolhouse.providers.failure import UnknownSigner
from tests.federation.certificates import make_pair
from tests.federation.saml_provider import (
    DS,
    ENTITY_ID,
    SIGN_ON,
    SamlProvider,
    decoded,
    encoded,
    encrypt,
    pair,
    sign,
    stranger,
)

SERVICE = ServiceProvider(pool_id="us-east-1_AbCdEfGhI", base_url="https://pool.example")
SAML, SAMLP = "{urn:oasis:names:tc:SAML:2.0:assertion}", "{urn:oasis:names:tc:SAML:2.0:protocol}"
SIGNATURE = f"{{{DS}}}Signature"
UNSIGNED = "SAML Assertion signature is invalid"
EVIL = "admin@example.com"


@pytest.fixture(scope="module")
def provider(tmp_path_factory):
    provider = SamlProvider(tmp_path_factory.mktemp("saml"))
    provider.trust(SERVICE.pool_id, SERVICE.base_url)
    return provider


@pytest.fixture(scope="module")
def answers(provider):
    """Responses to the request _r1 by who is signed in which way: the assertion, the response, and both."""
    made = {}
    for name, (response, assertion) in {"a": (False, True), "r": (True, False), "both": (True, True)}.items():
        provider.options = {"sign_response": response, "sign_assertion": assertion}
        made[name] = decoded(provider._answer(SERVICE.consumer_url, SERVICE.entity_id, "x", "_r1"))
    provider.reset()
    return made


@pytest.fixture(scope="module")
def expected(provider):
    return Expected(service=SERVICE, request_id="_r1", private_key=None, now=time.time_ns() // 1_000_000)


def read(posted, expected, *certificates):
    """What a response says by the provider, which has these certificates or its own."""
    return saml_response.read(
        posted,
        Metadata(entity_id=ENTITY_ID, sign_on_url=SIGN_ON, certificates=certificates or (pair().bare,)),
        expected,
    )


def refusal(root, expected, *certificates):
    """Why a response is not believed, without the words that all begin with."""
    posted = root if isinstance(root, str) else encoded(root)
    with pytest.raises(ProviderRefused) as refused:
        read(posted, expected, *certificates)
    assert refused.value.error == "server_error"
    return refused.value.description.removeprefix("Invalid SAML response received: ").removesuffix(". ")


def bare(answers):
    """A response without any signature."""
    root = copy.deepcopy(answers["a"])
    for signature in root.findall(f".//{SIGNATURE}"):
        signature.getparent().remove(signature)
    return root


def signed(root, part="a", key=None, **options):
    """Sign the assertion of a response, or the response."""
    sign(root.find(f"{SAML}Assertion") if part == "a" else root, (key or pair()).key, **options)
    return root


@pytest.mark.parametrize("kind", ["a", "r", "both"])
def test_what_is_said(answers, expected, kind):
    """By a signed assertion, a signed response, and where both are: the name exactly, and attributes by their names."""
    answer = read(encoded(answers[kind]), expected)
    assert answer.assertion.claims == {
        "urn:oid:0.9.2342.19200300.100.1.3": "ann@example.com",
        "urn:oid:2.5.4.42": "Ann",
        "NameID": "Ann@Example.com",
    }
    assert abs(answer.issued_at - expected.now) < 60_000
    assert answer.id == answers[kind].find(f"{SAML}Assertion").get("ID")


def test_namespaces_that_nobody_sees(answers, expected):
    """A signature may cover prefixes that only values use, also where that of the response does not."""
    root = signed(bare(answers), prefixes="xs xsi")
    assert read(encoded(root), expected)
    assert read(encoded(signed(root, "r")), expected)


def test_values(answers, expected):
    """Several values are a list, an empty one is blank, and one without a value is not there."""
    root = bare(answers)
    statement = root.find(f".//{SAML}AttributeStatement")
    for name, values in {"groups": ["a b", "c"], "blank": [""], "none": []}.items():
        attribute = etree.SubElement(statement, f"{SAML}Attribute", Name=name)
        for value in values:
            etree.SubElement(attribute, f"{SAML}AttributeValue").text = value
    claims = read(encoded(signed(root)), expected).assertion.claims
    assert (claims["groups"], claims["blank"], "none" in claims) == (["a b", "c"], "", False)


@pytest.mark.parametrize(
    ("method", "digest"),
    [
        (xmlsec.constants.TransformRsaSha512, xmlsec.constants.TransformSha512),
        (xmlsec.constants.TransformRsaSha384, xmlsec.constants.TransformSha256),
    ],
)
def test_other_algorithms(answers, expected, method, digest):
    """Those of the SHA-2 family are as good."""
    assert read(encoded(signed(bare(answers), method=method, digest=digest)), expected)


@pytest.mark.parametrize(
    "options",
    [
        {"method": xmlsec.constants.TransformRsaSha1},
        {"digest": xmlsec.constants.TransformSha1},
        {"key": "stranger"},
        None,
    ],
)
def test_signatures_that_verify_nothing(answers, expected, options):
    """SHA-1, a key of somebody else, whose certificate comes along, and no signature at all."""
    root = bare(answers)
    if options:
        options = options | ({"key": stranger()} if "key" in options else {})
        root = signed(root, **options)
    assert refusal(root, expected) == UNSIGNED


@pytest.mark.parametrize("part", ["a", "r"])
@pytest.mark.parametrize("change", ["name", "value", "digest"])
def test_what_was_changed_since(answers, expected, part, change):
    """Nothing that a signature covers, and nothing of the signature."""
    root = copy.deepcopy(answers[part])
    element = {
        "name": root.find(f".//{SAML}NameID"),
        "value": root.find(f".//{SAML}AttributeValue"),
        "digest": root.find(f".//{{{DS}}}DigestValue"),
    }[change]
    element.text = EVIL if change != "digest" else "A" * 43 + "="
    assert refusal(root, expected) == UNSIGNED


def test_both_signatures_count(answers, expected):
    """Where there are two, neither may be wrong."""
    root = copy.deepcopy(answers["both"])
    root.find(f"{SIGNATURE}/{{{DS}}}SignatureValue").text = "AAAA"
    assert refusal(root, expected) == UNSIGNED
    assert refusal(signed(signed(bare(answers), key=stranger()), "r"), expected) == UNSIGNED


def evil_of(element):
    """A copy without its signature that says to be somebody else."""
    evil = copy.deepcopy(element)
    for signature in evil.findall(SIGNATURE):
        evil.remove(signature)
    for number, each in enumerate([evil, *evil.iter(f"{SAML}Assertion")]):
        each.set("ID", f"_evil{number}")
    evil.find(f".//{SAML}NameID").text = EVIL
    return evil


def wrap_response(number, root):
    """The first two of the signature wrapping attacks: on a signed response."""
    evil, original = evil_of(root), copy.deepcopy(root)
    signature = original.find(SIGNATURE)
    original.remove(signature)
    if number == 1:
        signature.append(original)
    evil.insert(1, signature)
    if number == 2:
        evil.insert(1, original)
    return evil


def wrap_assertion(number, root):
    """The others: on a signed assertion."""
    root = copy.deepcopy(root)
    original = root.find(f"{SAML}Assertion")
    evil, signature = evil_of(original), original.find(SIGNATURE)
    if number == 3:
        root.insert(1, evil)
    elif number == 4:
        root.replace(original, evil)
        evil.append(original)
    elif number == 5:
        root.replace(original, evil)
        evil.insert(1, signature)
        root.append(original)
    elif number == 6:
        root.replace(original, evil)
        evil.insert(1, signature)
        signature.append(original)
    elif number == 7:
        extensions = etree.Element(f"{SAMLP}Extensions")
        extensions.append(evil)
        root.insert(1, extensions)
    elif number == 8:
        root.replace(original, evil)
        original.remove(signature)
        holder = etree.SubElement(signature, f"{{{DS}}}Object")
        holder.append(original)
        evil.insert(1, signature)
    return root


@pytest.mark.parametrize("number", range(1, 9))
def test_signature_wrapping(answers, expected, number):
    """Each of the eight ways to have one thing verified and another one used."""
    root = wrap_response(number, answers["r"]) if number < 3 else wrap_assertion(number, answers["a"])
    assert refusal(root, expected) in {
        UNSIGNED,
        "SAML response must have one Assertion",
        "SAML response must have one assertion",
    }


def test_one_identifier_for_two(answers, expected):
    """Is refused wherever the second one is, and however it is written."""
    for name in ("ID", "Id", "id"):
        root = copy.deepcopy(answers["a"])
        root.find(f".//{SAML}Subject").set(name, root.find(f"{SAML}Assertion").get("ID"))
        assert refusal(root, expected) == "SAML response has an identifier twice"


def test_a_signature_of_another_thing(answers, expected):
    """An empty reference, a reference to nothing, and a transform that leaves out what it likes verify nothing."""
    for uri in ("", "#nothing", None):
        root = copy.deepcopy(answers["a"])
        reference = root.find(f".//{{{DS}}}Reference")
        reference.attrib.pop("URI")
        if uri is not None:
            reference.set("URI", uri)
        assert refusal(root, expected) == UNSIGNED
    root = copy.deepcopy(answers["a"])
    root.find(f".//{{{DS}}}Transform").set("Algorithm", "http://www.w3.org/TR/1999/REC-xpath-19991116")
    assert refusal(root, expected) == UNSIGNED


def test_comments_cut_nothing(answers, expected):
    """A name with a comment in it is the whole name that was signed (design/SECURITY.md §4, 17)."""
    posted = etree.tostring(bare(answers)).replace(b"Ann@Example.com", b"admin@example.com<!-- -->.evil.example")
    root = signed(etree.fromstring(posted))
    assert read(encoded(root), expected).assertion.claims["NameID"] == "admin@example.com.evil.example"
    later = copy.deepcopy(answers["a"])
    name = later.find(f".//{SAML}NameID")
    name.text, comment = "Ann@", etree.Comment("x")
    comment.tail = "Example.com"
    name.append(comment)
    assert read(encoded(later), expected).assertion.claims["NameID"] == "Ann@Example.com"


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE r SYSTEM "http://127.0.0.1:9/x.dtd">',
        '<!DOCTYPE r [<!ENTITY a "x"><!ENTITY b "&a;&a;">]>',
    ],
)
def test_no_document_types(answers, expected, declaration):
    """They are how XML is attacked, also in another encoding (design/SECURITY.md §4, 19)."""
    text = declaration + etree.tostring(answers["a"]).decode()
    assert (
        refusal(base64.b64encode(text.encode()).decode(), expected) == "SAML response has a document type declaration"
    )
    other = '<?xml version="1.0" encoding="UTF-16"?>' + text
    assert refusal(base64.b64encode(other.encode("utf-16")).decode(), expected) == "SAML response is not well-formed"


def test_noise(answers, expected):
    """Whatever happens to a response on its way, it is refused or says what it said."""
    random, document = Random(1), etree.tostring(answers["both"])
    for _ in range(200):
        changed = bytearray(document)
        for _ in range(random.choice([1, 3, 20])):
            changed[random.randrange(len(changed))] = random.choice(b'<>&"=/ a\x00\xff')
        try:
            said = read(base64.b64encode(changed).decode(), expected)
        except ProviderRefused:
            continue
        assert said.assertion.claims["NameID"] == "Ann@Example.com"


@pytest.mark.parametrize("posted", ["", "%%%", "PGE+", "PGEvPg==", "A" * 100_001])
def test_garbage(expected, posted):
    """What is no response, or longer than one may be."""
    assert refusal(posted, expected)


def at(expected, **seconds):
    return {name: instant(expected.now + offset * 1000) for name, offset in seconds.items()}


CHANGES = {
    "expired": (".//{S}Conditions", {"NotOnOrAfter": -61}, "SAML Assertion has expired"),
    "future": (".//{S}Conditions", {"NotBefore": 62}, "SAML Assertion is not yet valid"),
    "confirmation expired": (".//{S}SubjectConfirmationData", {"NotOnOrAfter": -61}, "SAML Assertion has expired"),
    "confirmation future": (".//{S}SubjectConfirmationData", {"NotBefore": 62}, "SAML Assertion is not yet valid"),
    "issued in the future": ("{S}Assertion", {"IssueInstant": 62}, "SAML Assertion is not yet valid"),
    "session over": (".//{S}AuthnStatement", {"SessionNotOnOrAfter": -61}, "SAML Assertion has expired"),
    "no end": (".//{S}SubjectConfirmationData", {"NotOnOrAfter": None}, "SAML Assertion has no end"),
    "no time": (".//{S}Conditions", {"NotOnOrAfter": "soon"}, "NotOnOrAfter of the SAML Assertion is no time"),
    "recipient": (
        ".//{S}SubjectConfirmationData",
        {"Recipient": "https://other.example/saml2/idpresponse"},
        "Recipient of the SAML Assertion is not the assertion consumer service",
    ),
    "another request": (
        ".//{S}SubjectConfirmationData",
        {"InResponseTo": "_r2"},
        "InResponseTo of the SAML Assertion is not the id of a request",
    ),
    "no request": (
        ".//{S}SubjectConfirmationData",
        {"InResponseTo": None},
        "InResponseTo of the SAML Assertion is not the id of a request",
    ),
    "method": (
        ".//{S}SubjectConfirmation",
        {"Method": "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"},
        "SAML Assertion has no bearer confirmation",
    ),
    "version": ("{S}Assertion", {"Version": "1.1"}, "SAML Assertion is not of version 2.0"),
    "response destination": (
        ".",
        {"Destination": "https://other.example/saml2/idpresponse"},
        "Destination of the SAML response is not this address",
    ),
    "response without destination": (
        ".",
        {"Destination": None},
        "Destination of the SAML response is not this address",
    ),
    "response request": (".", {"InResponseTo": "_r2"}, "InResponseTo of the SAML response is not the id of a request"),
    "response version": (".", {"Version": "1.1"}, "SAML response is none of version 2.0"),
    "status": (
        ".//{P}StatusCode",
        {"Value": "urn:oasis:names:tc:SAML:2.0:status:Requester"},
        "Status of the SAML response is not Success: Requester",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_it_is_good_for(answers, expected, name):
    """A response that is signed in order, but for another time, place or request (design/SECURITY.md §4, 18)."""
    path, changes, text = CHANGES[name]
    root = bare(answers)
    element = root.find(path.format(S=SAML, P=SAMLP)) if path != "." else root
    for attribute, value in changes.items():
        element.attrib.pop(attribute, None)
        if value is not None:
            element.set(attribute, instant(expected.now + value * 1000) if isinstance(value, int) else value)
    assert refusal(signed(root, "r"), expected) == text


def test_within_the_skew(answers, expected):
    """A minute of difference between clocks does no harm."""
    root = bare(answers)
    root.find(f".//{SAML}Conditions").set("NotOnOrAfter", instant(expected.now - 58_000))
    root.find(f".//{SAML}Conditions").set("NotBefore", instant(expected.now + 58_000))
    assert read(encoded(signed(root)), expected)


def edit_audience(root):
    root.find(f".//{SAML}Audience").text = "urn:amazon:cognito:sp:us-east-1_Other"


def add_restriction(root):
    restriction = etree.SubElement(root.find(f".//{SAML}Conditions"), f"{SAML}AudienceRestriction")
    etree.SubElement(restriction, f"{SAML}Audience").text = "https://other.example"


def drop_restriction(root):
    conditions = root.find(f".//{SAML}Conditions")
    conditions.remove(conditions[0])


def drop(path):
    def change(root):
        element = root.find(path)
        element.getparent().remove(element)

    return change


def issue_by_other(root):
    root.find(f"{SAML}Assertion/{SAML}Issuer").text = "https://other.example"


def respond_by_other(root):
    root.find(f"{SAML}Issuer").text = "https://other.example"


def add_condition(root):
    etree.SubElement(root.find(f".//{SAML}Conditions"), f"{SAML}Condition")


def empty_name(root):
    root.find(f".//{SAML}NameID").text = " "


def two_names(root):
    name = root.find(f".//{SAML}NameID")
    name.addnext(copy.deepcopy(name))


def smile(root):
    root.find(f".//{SAML}AttributeValue").text = "Ann 🙂"


AUDIENCE = f"Audience restriction in the SAML Assertion does not allow it for {SERVICE.entity_id}"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (edit_audience, AUDIENCE),
        (add_restriction, AUDIENCE),
        (drop_restriction, "SAML Assertion has no Audience restriction"),
        (drop(f".//{SAML}Conditions"), "SAML response must have one Conditions element"),
        (drop(f".//{SAML}NameID"), "SAML response must have one NameID"),
        (drop(f".//{SAML}SubjectConfirmation"), "SAML Assertion has no bearer confirmation"),
        (drop(f".//{SAML}AuthnStatement"), "SAML Assertion has no AuthnStatement"),
        (drop(f"{SAML}Assertion/{SAML}Issuer"), "SAML response must have one Issuer"),
        (issue_by_other, "Issuer is not the identity provider"),
        (respond_by_other, "Issuer is not the identity provider"),
        (add_condition, "SAML Assertion has a condition that is not known"),
        (empty_name, "NameID is empty"),
        (two_names, "SAML response must have one NameID"),
        (smile, "SAML Assertion has characters that take four bytes"),
    ],
)
def test_what_it_must_say(answers, expected, change, text):
    """For whom it is, by whom, and about whom."""
    root = bare(answers)
    change(root)
    assert refusal(signed(root, "r"), expected) == text


def test_what_nobody_asked_for(answers, expected):
    """An answer to a request is none where there was no request, and the other way round."""
    assert "InResponseTo" in refusal(answers["a"], replace(expected, request_id=None))


def test_certificates(answers, expected):
    """Any of the metadata will do; not one whose time is over or to come, nor a weak one, nor what is none."""
    root = answers["a"]
    good = pair().bare
    assert read(encoded(root), expected, "AAAA", good)
    for certificate in ("AAAA", "%", stranger().bare):
        with pytest.raises(UnknownSigner):
            read(encoded(root), expected, certificate)
    for made in (make_pair((-9, -1)), make_pair((1, 9)), make_pair(bits=1024)):
        forged = signed(bare(answers), key=made)
        assert refusal(forged, expected, made.bare) == UNSIGNED


@pytest.fixture(scope="module")
def lock():
    """What assertions are encrypted with."""
    return make_pair()


def sealed(root, lock, **options):
    """A response with its assertion encrypted."""
    assertion = root.find(f"{SAML}Assertion")
    wrapper = etree.Element(f"{SAML}EncryptedAssertion")
    root.replace(assertion, wrapper)
    wrapper.append(assertion)
    encrypt(wrapper, assertion, lock.certificate, **options)
    return root


@pytest.mark.parametrize("data", [xmlsec.constants.TransformAes256Gcm, xmlsec.constants.TransformAes256Cbc])
def test_encrypted(answers, expected, lock, data):
    """An assertion that was signed and then encrypted is read; a response that was signed afterwards as well."""
    expected = replace(expected, private_key=lock.key)
    for whole in (True, False):
        root = sealed(copy.deepcopy(answers["a"]), lock, data=data, whole=whole)
        assert read(encoded(root), expected).assertion.claims
    assert read(encoded(signed(sealed(bare(answers), lock, data=data), "r")), expected).assertion.claims


def test_encrypted_and_wrong(answers, expected, lock):
    """One text for all that can be wrong: another key, another wrapping, another text, and no signature."""
    asked, root = replace(expected, private_key=lock.key), answers["a"]
    assert refusal(sealed(copy.deepcopy(root), stranger()), asked) == UNSIGNED
    old = sealed(copy.deepcopy(root), lock, transport=xmlsec.constants.TransformRsaPkcs1)
    assert refusal(old, asked) == UNSIGNED
    assert refusal(sealed(bare(answers), lock), asked) == UNSIGNED
    for data in (xmlsec.constants.TransformAes256Gcm, xmlsec.constants.TransformAes256Cbc):
        changed = sealed(copy.deepcopy(root), lock, data=data)
        values = changed.findall(".//{http://www.w3.org/2001/04/xmlenc#}CipherValue")
        values[-1].text = "A" * 400
        assert refusal(changed, asked) == UNSIGNED
    assert refusal(root, asked) == "SAML response must have one EncryptedAssertion"
    assert refusal(sealed(copy.deepcopy(root), lock), expected) == "SAML response must have one Assertion"
