"""Every page of the console: it can be read, understood by assistive technology, and used by keyboard."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import times_sent
from tests.conftest import Server

pytestmark = [pytest.mark.browser, pytest.mark.any_database]

OPERATOR, OPERATOR_PASSWORD = "eve@example.org", "a-long-operator-password"


@pytest.fixture(scope="module")
def signed_in(chromium: Browser, session_server: Server) -> dict:
    """The cookies of an operator who signed in, for windows to begin with."""
    from poolhouse.flows import operators

    session_server.run(operators.ensure_operator(session_server.deps, OPERATOR, OPERATOR_PASSWORD))
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{session_server.url}/console/")
    page.get_by_label("Email").fill(OPERATOR)
    page.get_by_label("Password", exact=True).fill(OPERATOR_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/console/")
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def console(server: Server, browse, signed_in: dict) -> Callable[..., Page]:
    """Open a page of the console."""

    def open_page(path: str, **options) -> Page:
        page = browse(storage_state=signed_in, base_url=server.url, **options)
        page.goto(f"/console{path}")
        return page

    return open_page


def user_pool(call, **settings) -> str:
    """A pool as the dialog makes one, with a domain for its login pages."""
    members = {"PoolName": "Customers", "UsernameAttributes": ["email"], "AutoVerifiedAttributes": ["email"]} | settings
    pool_id = call("CreateUserPool", **members)["UserPool"]["Id"]
    call("CreateUserPoolDomain", UserPoolId=pool_id, Domain=pool_id.lower().replace("_", ""), ManagedLoginVersion=2)
    return pool_id


def choose(page: Page, kind: str, *, return_url: str = "") -> None:
    """Fill in the dialog and send it."""
    page.get_by_role("radio", name=kind).check()
    if return_url:
        page.get_by_label("Return URL").fill(return_url)
    page.get_by_role("button", name="Create user directory").click()


def test_welcome(server: Server, browse, examine):
    """The first visit, and a password that is too short."""
    from poolhouse.flows import operators

    page = browse()
    page.goto(server.run(operators.invite(server.deps)))
    examine(page, "console-welcome")
    page.get_by_label("Email address").fill("fay@example.org")
    page.get_by_label("Password").fill("short")
    page.get_by_role("button", name="Create operator").click()
    expect(page.get_by_role("alert")).to_be_visible()
    examine(page, "console-welcome-error")


def test_pools(console, examine, call):
    """The list of user pools, empty and filled."""
    page = console("/?region=eu-north-1")
    examine(page, "console-pools-empty")
    for name in ("Customers", "Staff of the northern branch"):
        call("CreateUserPool", PoolName=name)
    page.goto("/console/")
    examine(page, "console-pools")
    page.get_by_text(OPERATOR).click()
    examine(page, "console-pools-menu")
    page.set_viewport_size({"width": 360, "height": 740})
    brand, menu = (page.locator(each).bounding_box() for each in (".brand", ".menu"))
    assert abs(brand["y"] - menu["y"]) < brand["height"], "one line, on a small phone as well"


def test_create_pool(console, examine):
    """The dialog as it opens, for a machine, and with something to mend; clicked twice it makes one pool."""
    page = console("/pools/new")
    examine(page, "console-create-pool")
    page.get_by_role("radio", name="Machine-to-machine").check()
    expect(page.get_by_label("Return URL")).to_be_hidden()
    examine(page, "console-create-pool-machine")
    choose(page, "Traditional web", return_url="http://app.example/callback")
    expect(page.get_by_role("alert")).to_be_visible()
    examine(page, "console-create-pool-error")
    assert times_sent(page) == 1


@pytest.mark.parametrize(
    ("kind", "return_url"),
    [
        ("Traditional web", "http://localhost:3000/callback"),
        ("Single-page", "http://localhost:3000/"),
        ("Mobile", "org.example.shop://signed-in"),
        ("Machine-to-machine", ""),
    ],
    ids=["web", "spa", "mobile", "machine"],
)
def test_set_up_application(console, examine, request, kind, return_url):
    """What the dialog leads to, for every kind of application: its guide and its client."""
    page = console("/pools/new")
    choose(page, kind, return_url=return_url)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Set up your")
    name = request.node.callspec.id.split("-")[-1]
    while page.locator("details.snippet:not([open])").count():
        page.locator("details.snippet:not([open]) summary").first.click()
    examine(page, f"console-setup-{name}")
    page.get_by_role("link", name="Details").click()
    examine(page, f"console-client-{name}")


def test_overview(console, examine):
    """A pool at a glance, and its app clients."""
    page = console("/pools/new")
    choose(page, "Traditional web")
    page.get_by_role("link", name="Go to overview").click()
    examine(page, "console-overview")
    page.get_by_role("link", name="App clients").click()
    examine(page, "console-clients-filled")


def test_client_secret(console, examine, call):
    """The list of app clients, empty and filled; one client, its secret hidden and shown; one with the longest name."""
    pool_id = user_pool(call)
    page = console(f"/pools/{pool_id}/clients")
    examine(page, "console-clients-empty")
    call("CreateUserPoolClient", UserPoolId=pool_id, ClientName="Back office", GenerateSecret=True)
    page.reload()
    examine(page, "console-clients")
    page.get_by_role("link", name="Back office").click()
    examine(page, "console-client")
    page.get_by_text("Show client secret").click()
    examine(page, "console-client-secret")
    page.get_by_role("link", name="Quick setup guide").click()
    examine(page, "console-setup-api")
    long = call("CreateUserPoolClient", UserPoolId=pool_id, ClientName="W" * 128)["UserPoolClient"]
    page.set_viewport_size({"width": 360, "height": 740})
    for path in ("", f"/clients/{long['ClientId']}", f"/clients/{long['ClientId']}/setup"):
        page.goto(f"/console/pools/{pool_id}{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path


def test_create_and_edit_client(console, examine, call):
    """Another application for a pool, and other URLs for it: what is wrong is said, what is right is kept."""
    pool_id = user_pool(call)
    page = console(f"/pools/{pool_id}/clients")
    page.get_by_role("link", name="Create app client").click()
    examine(page, "console-create-client")
    page.get_by_role("radio", name="Single-page").check()
    page.get_by_label("Name your application").fill("Shop window")
    page.get_by_label("Return URL").fill("app.example")
    page.get_by_role("button", name="Create app client").click()
    expect(page.get_by_role("alert")).to_be_focused()
    assert page.get_by_label("Return URL").get_attribute("aria-invalid") == "true"
    assert page.title().startswith("Error: ")
    examine(page, "console-create-client-error")
    page.get_by_label("Return URL").fill("https://app.example/")
    page.get_by_role("button", name="Create app client").click()
    page.get_by_role("link", name="Details").click()

    page.get_by_role("link", name="Edit").click()
    examine(page, "console-edit-client")
    page.get_by_label("Callback URLs").fill("https://app.example/\nhttp://app.example/")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("alert")).to_contain_text("http://app.example/ cannot use the HTTP protocol.")
    examine(page, "console-edit-client-error")
    page.get_by_label("Callback URLs").fill("https://app.example/\nhttp://localhost:3000/")
    page.get_by_label("Sign-out URLs").fill("https://app.example/bye")
    page.get_by_role("button", name="Save changes").click()
    examine(page, "console-client-edited")
    (client,) = call("ListUserPoolClients", UserPoolId=pool_id)["UserPoolClients"]
    client = call("DescribeUserPoolClient", UserPoolId=pool_id, ClientId=client["ClientId"])["UserPoolClient"]
    assert client["CallbackURLs"] == ["https://app.example/", "http://localhost:3000/"]
    assert client["LogoutURLs"] == ["https://app.example/bye"]
    assert client["AllowedOAuthFlows"] == ["code"]
    assert client["PreventUserExistenceErrors"] == "ENABLED"


def test_pool_without_a_domain(console, examine, call):
    """The guide of a client without login pages says what is missing."""
    pool_id = call("CreateUserPool", PoolName="Bare")["UserPool"]["Id"]
    client = call("CreateUserPoolClient", UserPoolId=pool_id, ClientName="c")["UserPoolClient"]
    page = console(f"/pools/{pool_id}/clients/{client['ClientId']}/setup")
    expect(page.get_by_text("has no domain yet")).to_be_visible()
    examine(page, "console-setup-no-domain")


def test_dialog_by_keyboard(console):
    """Tab, Space, arrows and Enter are enough to make a user pool."""
    page = console("/pools/new")
    keys = page.keyboard
    page.get_by_role("radio", name="Traditional web").focus()
    keys.press("ArrowDown")
    expect(page.get_by_role("radio", name="Single-page")).to_be_checked()
    for name in ("Name your application", "Email", "Phone number", "Username", "Enable self-registration", "name"):
        keys.press("Tab")
        expect(page.get_by_label(name, exact=True).first).to_be_focused()
    keys.press("Space")
    expect(page.get_by_role("checkbox", name="name", exact=True)).to_be_checked()
    page.get_by_label("Return URL").focus()
    keys.type("http://localhost:3000/")
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Set up your single-page application")


def test_focus_is_seen(console):
    """Whatever has the focus by keyboard has an outline, from the first link to the last button."""
    page = console("/pools/new")
    seen = 0
    while True:
        page.keyboard.press("Tab")
        if not page.evaluate("document.activeElement !== document.body"):
            break
        assert page.evaluate(
            "[document.activeElement, document.activeElement.parentElement]"
            ".some((e) => e.matches('.tile, :focus-visible') && parseFloat(getComputedStyle(e).outlineWidth) >= 2)"
        ), page.evaluate("document.activeElement.outerHTML")
        seen += 1
        if page.evaluate("document.activeElement.textContent === 'Create user directory'"):
            break
    assert seen > 20


def test_users(console, examine, call):
    """The users of a pool: none, some, those searched for, and none that match."""
    pool_id = user_pool(call)
    page = console(f"/pools/{pool_id}/users")
    examine(page, "console-users-empty")
    for name in ("ann", "bartholomew.featherstonehaugh"):
        attributes = [
            {"Name": "email", "Value": f"{name}@example.org"},
            {"Name": "email_verified", "Value": "true"},
        ]
        call("AdminCreateUser", UserPoolId=pool_id, Username=f"{name}@example.org", UserAttributes=attributes)
    page.reload()
    examine(page, "console-users")
    page.get_by_label("starting with").fill("ann@")
    page.get_by_role("button", name="Search").click()
    examine(page, "console-users-found")
    page.get_by_label("starting with").fill("zoe")
    page.get_by_role("button", name="Search").click()
    examine(page, "console-users-none")


@pytest.mark.parametrize("names", [["email"], []], ids=["by-email", "by-name"])
def test_create_user(console, examine, call, request, names):
    """The form for a new user, and what it says of a bad value."""
    pool_id = user_pool(call, UsernameAttributes=names)
    page = console(f"/pools/{pool_id}/users/new")
    examine(page, f"console-create-user-{request.node.callspec.id.split('-', 1)[-1]}")
    if not names:
        page.get_by_label("User name").fill("gus")
    page.get_by_label("Email address", exact=False).first.fill("gus@example.org")
    page.get_by_label("Phone number", exact=False).first.fill("12")
    page.get_by_role("button", name="Create user").click()
    expect(page.get_by_role("alert")).to_be_visible()
    examine(page, f"console-create-user-error-{request.node.callspec.id.split('-', 1)[-1]}")


@pytest.mark.parametrize(
    ("name", "path", "status"),
    [
        ("landing", "/landing?code=4a8f2a1c-1f7a-4a56-9a53-0b6f3f1d2e9a", 200),
        ("landing-error", "/landing?error=access_denied&error_description=The+user+said+no", 200),
        ("landing-empty", "/landing", 200),
        ("signed-out", "/signed-out", 200),
        ("callback-refused", "/callback?code=1&state=2", 400),
        ("welcome-refused", "/welcome?token=AAAA", 400),
        ("not-found", "/pools/us-east-1_AAAAAAAAA", 404),
        ("no-page", "/nowhere", 404),
    ],
)
def test_messages(console, examine, name, path, status):
    """Pages that only say something."""
    page = console("/")
    answer = page.goto(f"/console{path}")
    assert answer.status == status
    examine(page, f"console-{name}")


def test_expired_form(console, examine):
    """A form of an earlier session is refused on a page that says what to do."""
    page = console("/pools/new")
    for field in page.locator("input[name=csrf]").all():
        field.evaluate("field => { field.value = 'stale'; }")
    with page.expect_response(lambda answer: answer.request.method == "POST") as answer:
        page.get_by_role("button", name="Create user directory").click()
    assert answer.value.status == 403
    expect(page.get_by_role("heading", name="This form has expired")).to_be_visible()
    examine(page, "console-expired")


def test_outbox(server: Server, console, examine, call):
    """The messages that stay in the house, and how their codes are copied."""
    pool_id = user_pool(call)
    for name in ("ann", "bob"):
        attributes = [{"Name": "email", "Value": f"{name}@shop.example"}]
        call("AdminCreateUser", UserPoolId=pool_id, Username=f"{name}@shop.example", UserAttributes=attributes)
    page = console("/outbox")
    examine(page, "console-outbox")
    page.get_by_label("Sent to").fill("ann@shop.example")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("listitem")).to_have_count(1)
    page.get_by_label("Sent to").fill("nobody@shop.example")
    page.get_by_role("button", name="Search").click()
    examine(page, "console-outbox-empty")
