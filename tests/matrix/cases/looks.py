"""What the pages of a client look like, and its terms (spec/api/02 §9, 10 §7)."""

from tests.matrix.world import case


def style(world) -> dict:
    made = world.call("CreateManagedLoginBranding", **world.client_of_pool, UseCognitoProvidedValues=True)
    return world.pool | {"ManagedLoginBrandingId": made["ManagedLoginBranding"]["ManagedLoginBrandingId"]}


BLUE = {"components": {"primaryButton": {"lightMode": {"defaults": {"backgroundColor": "0000ffff"}}}}}
LOGO = {"Category": "FORM_LOGO", "ColorMode": "LIGHT", "Extension": "PNG", "Bytes": b"\x89PNG"}


@case
def create_managed_login_branding(world):
    """02 §9"""
    answer = yield world.client_of_pool | {"Settings": BLUE, "Assets": [LOGO]}
    shown = world.call("DescribeManagedLoginBrandingByClient", **world.client_of_pool)
    assert shown == answer
    assert shown["ManagedLoginBranding"]["Settings"] == BLUE


@case
def describe_managed_login_branding(world):
    """02 §9"""
    named = style(world)
    answer = yield named
    assert named.items() <= answer["ManagedLoginBranding"].items()


@case
def describe_managed_login_branding_by_client(world):
    """02 §9"""
    named = style(world)
    answer = yield world.client_of_pool
    assert named.items() <= answer["ManagedLoginBranding"].items()


@case
def update_managed_login_branding(world):
    """02 §9"""
    answer = yield style(world) | {"UseCognitoProvidedValues": False, "Settings": BLUE}
    assert answer["ManagedLoginBranding"]["Settings"] == BLUE


@case
def delete_managed_login_branding(world):
    """02 §9"""
    named = style(world)
    yield named
    assert world.refused("DescribeManagedLoginBranding", **named) == "ResourceNotFoundException"


CSS = ".submitButton-customizable { background-color: #123456; }"


@case
def set_ui_customization(world):
    """02 §9"""
    assert world.domain
    answer = yield world.client_of_pool | {"CSS": CSS}
    assert answer["UICustomization"]["CSS"] == CSS
    assert world.call("GetUICustomization", **world.client_of_pool) == answer


@case
def get_ui_customization(world):
    """02 §9"""
    assert world.domain
    world.call("SetUICustomization", **world.pool, CSS=CSS)
    answer = yield world.client_of_pool
    assert answer["UICustomization"]["CSS"] == CSS


# Terms (10 §7)

LINKS = {"cognito:default": "https://example.org/terms"}
KIND = {"TermsName": "terms-of-use", "TermsSource": "LINK", "Enforcement": "NONE"}


def terms(world) -> dict:
    made = world.call("CreateTerms", **world.client_of_pool, **KIND, Links=LINKS)["Terms"]
    return world.pool | {"TermsId": made["TermsId"]}


@case
def create_terms(world):
    """10 §7"""
    answer = yield world.client_of_pool | KIND | {"Links": LINKS}
    assert world.call("DescribeTerms", **world.pool, TermsId=answer["Terms"]["TermsId"]) == answer
    assert answer["Terms"]["Links"] == LINKS


@case
def describe_terms(world):
    """10 §7"""
    named = terms(world)
    answer = yield named
    assert answer["Terms"]["TermsId"] == named["TermsId"]


@case
def describe_terms_by_client(world):
    """10 §7"""
    named = terms(world)
    answer = yield world.client_of_pool | {"TermsName": "terms-of-use"}
    assert answer["Terms"]["TermsId"] == named["TermsId"]


@case
def update_terms(world):
    """10 §7"""
    changed = {"Links": {"cognito:default": "https://example.org/other"}}
    answer = yield terms(world) | changed
    assert changed.items() <= answer["Terms"].items()


@case
def delete_terms(world):
    """10 §7"""
    named = terms(world)
    yield named
    assert world.refused("DescribeTerms", **named) == "ResourceNotFoundException"


@case
def list_terms(world):
    """10 §7"""
    named = terms(world)
    answer = yield world.pool | {"MaxResults": 60}
    assert [it["TermsId"] for it in answer["Terms"]] == [named["TermsId"]]
