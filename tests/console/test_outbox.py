"""The console's page of messages that stay in the house."""

import re

import httpx
import pytest

from poolhouse.console.pages.pools import PAGE
from poolhouse.core.message import Message


@pytest.fixture
def keep(server):
    """Put a message into the outbox."""

    def put(to: str, **changes) -> None:
        values = {
            "id": "m",
            "at": server.clock.now(),
            "channel": "EMAIL",
            "to": to,
            "subject": "Your <verification> code",
            "body": "Your code is <b>123456</b>.<script>alert(1)</script>",
            "code": "123456",
            "template": "SignUp",
            "user_pool_id": "us-east-1_AbCdEfGhI",
            "username": "ann",
        }
        server.write(lambda tx: tx.outbox.add(Message(**values | changes)))

    return put


def test_a_message_is_shown_as_text(server, browser, keep):
    """With its subject, address and code; nothing of a body of others is HTML here, and only our own links are links."""
    link = f"{server.url}/auth/shop/confirmUser?client_id=c&confirmation_code=1"
    keep("ann@outbox.example")
    other = f"{server.url}/auth-event-feedback?value=Invalid"
    body = f'<a href="{link}">Verify</a> or <a href="{other}">not</a>. <a href="https://evil.example/">me</a>'
    keep("ann@outbox.example", body=body, code=None)
    keep("+15551230188", channel="SMS", subject=None, body="<b>654321</b>", code="654321")
    page = browser.get("/console/outbox", params={"to": "ann@outbox.example"})
    first, second = re.findall(r"<li>.*?</li>", page.text, re.DOTALL)
    assert "Your &lt;verification&gt; code" in second
    assert "Your code is 123456." in second
    assert 'data-copy="123456"' in second
    assert not re.search(r"<script>|<b>|alert", second)
    assert "data-copy" not in first
    assert re.findall(r'href="([^"]+)" target', first) == [link.replace("&", "&amp;"), other]
    assert "me (https://evil.example/)" in first
    assert "us-east-1_AbCdEfGhI" in first
    assert "unsafe" not in page.headers["content-security-policy"]
    (text,) = re.findall(r"<li>.*?</li>", browser.get("/console/outbox?to=%2B15551230188").text, re.DOTALL)
    assert "&lt;b&gt;654321&lt;/b&gt;" in text
    assert "No message to this address." in browser.get("/console/outbox?to=nobody@x.org").text


def test_pages(browser, keep):
    """Newest first, a page at a time; a page number that is none shows the first one."""
    for number in range(PAGE + 2):
        keep("many@outbox.example", subject=f"Subject {number}.")
    first = browser.get("/console/outbox?to=many@outbox.example")
    following = re.search(r'class="pager"><a href="([^"]+)"', first.text)[1].replace("&amp;", "&")
    second = browser.get(following)
    numbers = [int(number) for page in (first, second) for number in re.findall(r"Subject (\d+)\.", page.text)]
    assert numbers == list(range(PAGE + 1, -1, -1))
    assert 'class="pager"' not in second.text
    assert browser.get("/console/outbox?to=many@outbox.example&page=x").text == first.text


def test_only_operators_see_it(server, browser):
    """It is theirs, and the way there is on every page while a channel has no service."""
    with httpx.Client(base_url=server.url) as stranger:
        assert stranger.get("/console/outbox").status_code == 302
    assert 'href="/console/outbox"' in browser.get("/console/").text
    senders, server.deps.courier._senders = server.deps.courier._senders, dict.fromkeys(("EMAIL", "SMS"), object())
    try:
        assert 'href="/console/outbox"' not in browser.get("/console/").text
        assert "Nothing new is kept here." in browser.get("/console/outbox").text
    finally:
        server.deps.courier._senders = senders
