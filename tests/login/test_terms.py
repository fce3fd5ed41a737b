"""The sentence with the terms documents on the sign-up page (spec/http/07 §7.7, 09 S7, S8, B13)."""

import re
from html import unescape

import pytest

from poolhouse.core.terms import LINK_OF_LANGUAGE
from poolhouse.login.texts import LANGUAGES, texts_of

TERMS, PRIVACY = "https://example.org/terms", "https://example.org/privacy?a=1&b=2"
SENTENCE = "By signing up, you agree to our Terms of use and Privacy policy."


def give(site, name: str, **links: str) -> None:
    """Give the client of a site a document with links by language."""
    site.call(
        "CreateTerms",
        UserPoolId=site.pool_id,
        ClientId=site.client_id,
        TermsName=name,
        TermsSource="LINK",
        Enforcement="NONE",
        Links={f"cognito:{language.replace('_', '-')}": url for language, url in links.items()},
    )


def agreement(page) -> str | None:
    """The words of the sentence, None where there is none."""
    found = re.search(r'<p class="terms">(.*?)</p>', page.html, re.DOTALL)
    return found and unescape(re.sub(r"<[^>]*>", "", found[1])).strip()


def links(page) -> dict[str, str]:
    """Where the words of the sentence lead."""
    found = re.search(r'<p class="terms">(.*?)</p>', page.html, re.DOTALL)
    anchors = re.findall(r'<a href="([^"]*)"[^>]*>(.*?)</a>', found[1] if found else "")
    return {unescape(words): unescape(url) for url, words in anchors}


def test_s7_both_documents_make_the_sentence(front, visitor):
    """With two links, which leave the form as it is."""
    site = front()
    give(site, "terms-of-use", default=TERMS)
    give(site, "privacy-policy", default=PRIVACY)
    page = visitor(site).open("/signup" + site.query())
    assert agreement(page) == SENTENCE
    assert links(page) == {"Terms of use": TERMS, "Privacy policy": PRIVACY}
    outside = [given for tag, given in page.elements if tag == "a" and given["href"] in {TERMS, PRIVACY}]
    assert all(given["target"] == "_blank" and "noopener" in given["rel"] for given in outside)


@pytest.mark.parametrize("name", ["terms-of-use", "privacy-policy"])
def test_s8_one_document_makes_none(front, visitor, name):
    """Nor do the documents of another client."""
    site, other = front(), front()
    give(site, name, default=TERMS)
    for each in ("terms-of-use", "privacy-policy"):
        give(other, each, default=TERMS)
    assert agreement(visitor(site).open("/signup" + site.query())) is None


def test_s7_links_are_those_of_the_language(front, visitor):
    """Each document's own, its default where it lacks the language (B13)."""
    site = front()
    give(site, "terms-of-use", default=TERMS, german=f"{TERMS}/de", portuguese_brazil=f"{TERMS}/pt")
    give(site, "privacy-policy", default=PRIVACY)
    german = visitor(site).open("/signup" + site.query(lang="de"))
    assert agreement(german) == (
        "Mit der Registrierung stimmen Sie unseren Nutzungsbedingungen und unserer Datenschutzerklärung zu."
    )
    assert links(german) == {"Nutzungsbedingungen": f"{TERMS}/de", "Datenschutzerklärung": PRIVACY}
    assert f"{TERMS}/pt" in links(visitor(site).open("/signup" + site.query(lang="pt-BR"))).values()
    for language in ("en", "fr"):
        page = visitor(site).open("/signup" + site.query(lang=language))
        assert list(links(page).values()) == [TERMS, PRIVACY]


def test_a_document_without_a_link_is_only_named(front, visitor):
    """Where it has neither the language nor a default; where none has a link, nothing is said."""
    site = front()
    give(site, "terms-of-use", german=f"{TERMS}/de")
    give(site, "privacy-policy", german=f"{PRIVACY}/de", english=PRIVACY)
    page = visitor(site).open("/signup" + site.query())
    assert agreement(page) == SENTENCE
    assert links(page) == {"Privacy policy": PRIVACY}
    assert len(links(visitor(site).open("/signup" + site.query(lang="de")))) == 2
    assert agreement(visitor(site).open("/signup" + site.query(lang="ja"))) is None


def test_the_sentence_stays_when_the_form_was_filled_in_wrongly(front, visitor):
    """It is part of the page, whatever the answer to a form is."""
    site = front()
    give(site, "terms-of-use", default=TERMS)
    give(site, "privacy-policy", default=PRIVACY)
    browser = visitor(site)
    page = browser.open("/signup" + site.query())
    for typed in ({}, {"username": "sam", "password": "short"}):
        page = browser.send(page, **typed)
        assert page.status == 200
        assert agreement(page) == SENTENCE


def test_addresses_are_quoted(front, visitor):
    """An address cannot leave its attribute."""
    site = front()
    url = 'https://example.org/"><script>alert(1)</script>'
    give(site, "terms-of-use", default=url)
    give(site, "privacy-policy", default=PRIVACY)
    page = visitor(site).open("/signup" + site.query())
    assert "<script>alert" not in page.html
    assert links(page)["Terms of use"] == url


def test_changes_show_at_once(front, visitor):
    """A deleted document takes the sentence away."""
    site = front()
    give(site, "terms-of-use", default=TERMS)
    give(site, "privacy-policy", default=PRIVACY)
    browser = visitor(site)
    assert agreement(browser.open("/signup" + site.query()))
    (made, _) = site.call("ListTerms", UserPoolId=site.pool_id)["Terms"]
    site.call("DeleteTerms", UserPoolId=site.pool_id, TermsId=made["TermsId"])
    assert agreement(browser.open("/signup" + site.query())) is None


def test_classic_pages_have_no_sentence(front, visitor):
    """Terms documents belong to managed login."""
    site = front(version=1)
    give(site, "terms-of-use", default=TERMS)
    give(site, "privacy-policy", default=PRIVACY)
    page = visitor(site).open("/signup" + site.query())
    assert page.has("signUpButton")
    assert agreement(page) is None
    assert TERMS not in page.html


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_a_sentence_with_both_documents(language):
    """Each named once; and a key for its links."""
    assert sorted(name for _, name in texts_of(language).pieces("agreement") if name) == ["privacy", "terms"]
    assert LINK_OF_LANGUAGE.keys() == set(LANGUAGES)
