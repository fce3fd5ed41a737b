"""The part of the sign-in page that leads to identity providers (spec/http/06 §6.7, spec/http/03 §3.1.1).

Differs from Cognito (buttons of identity providers): they are links, without the trademarks of other companies; the icon
is the first letter, or the asset ``IDP_BUTTON_ICON`` whose ``ResourceId`` names the provider. No public document tells
how a style asks for "Domain search input": here ``interfaceStyle`` is ``DOMAIN_SEARCH``, or the way ``FEDERATED`` of
``authMethodOrder`` has the display ``INPUT``. Providers without an identifier keep their buttons then.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from poolhouse.core.grants import LOCAL_PROVIDER
from poolhouse.core.identity_providers import IdentityProvider
from poolhouse.core.parameters import drop_parameters
from poolhouse.core.provider_choice import (
    NAMING,
    Offer,
    find_by_address,
    is_social,
    offer_classic,
    offer_managed,
    title_of,
)
from poolhouse.login.pictures import Picture
from poolhouse.login.view import Field, Form
from poolhouse.login.visit import Visit
from poolhouse.web.responses import Response

SEARCHED, SEARCH_BUTTON = "email", "domainSearchButton"
MAX_ADDRESS = 320


@dataclass(frozen=True, slots=True)
class ProviderButton:
    """A link to a provider: its caption, and what stands before it, pictures or the first letter of its name."""

    name: str
    caption: str
    address: str
    social: bool = False
    letter: str = ""
    icons: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Buttons under a heading, and a form that finds a provider by an e-mail address.

    ``lead`` is the key of the heading, ``terms`` that of what stands below; both may be empty.
    """

    buttons: Sequence[ProviderButton]
    search: Form | None = None
    lead: str = ""
    terms: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What the page shows of identity providers; ``below`` says that the form for the pool's own users comes first."""

    groups: Sequence[Group]
    below: bool

    @property
    def wrong(self) -> bool:
        """Whether the input was filled in wrongly."""
        return any(group.search is not None and group.search.wrong for group in self.groups)


def find_section(visit: Visit, *, address: str = "", error: str = "") -> Section | None:
    """Return what the page shows of identity providers; None where there is none, or the pool's own users are asked for.

    ``address`` is what was typed into the input, ``error`` what is wrong with it.
    """
    offer = _find_offer(visit)
    if visit.request.named == LOCAL_PROVIDER or not (offer.buttons or offer.searched):
        return None
    search = _search_form(visit, address, error) if offer.searched else None
    groups = _classic_groups(visit, offer, search) if visit.classic else [_group(visit, offer, search)]
    return Section(groups=groups, below=visit.place.style.providers.below and visit.is_local)


def _group(visit: Visit, offer: Offer, search: Form | None) -> Group:
    return Group(buttons=_buttons(visit, offer.buttons), search=search, lead="corporate" if search else "")


def _classic_groups(visit: Visit, offer: Offer, search: Form | None) -> list[Group]:
    social = [provider for provider in offer.buttons if is_social(provider)]
    others = [provider for provider in offer.buttons if not is_social(provider)]
    groups = [
        Group(buttons=_buttons(visit, social), lead="social", terms="legal"),
        Group(buttons=_buttons(visit, others), lead="corporate", search=search),
    ]
    return [group for group in groups if group.buttons or group.search]


def find_searched(visit: Visit, address: str) -> str | None:
    """Return where a browser goes on whose user has an e-mail address; None where that is the address of no provider."""
    found = find_by_address(_find_offer(visit).searched, address)
    return None if found is None else _authorize(visit, f"idp_identifier={quote(found[1], safe='')}")


def may_leave(visit: Visit) -> Visit:
    """Return the visit with pages whose forms may lead to the providers that are searched."""
    if not any(map(_is_plain, _find_offer(visit).searched)):
        return visit
    return replace(visit, place=replace(visit.place, redirect_scheme="http"))


def _find_offer(visit: Visit) -> Offer:
    providers = visit.request.providers
    if visit.classic:
        return offer_classic(providers)
    look = visit.place.style.providers
    return offer_managed(providers, search=look.search, order=look.order)


def _is_plain(provider: IdentityProvider) -> bool:
    """Whether a provider is on this machine, under http."""
    details = provider.settings.provider_details or {}
    known = ("authorize_url", "oidc_issuer", "SSORedirectBindingURI", "MetadataURL")
    return next((details[name] for name in known if name in details), "").startswith("http:")


def _buttons(visit: Visit, providers: Iterable[IdentityProvider]) -> list[ProviderButton]:
    return [_button(visit, provider) for provider in providers]


def _button(visit: Visit, provider: IdentityProvider) -> ProviderButton:
    title, look = title_of(provider), visit.place.style.providers
    plain = visit.classic and not is_social(provider)
    icons = tuple(icon for icon in look.icons if icon.subject == provider.name) if look.has_icons else ()
    return ProviderButton(
        name=provider.name,
        caption=title if plain else visit.text("continue_with", provider=title),
        address=_authorize(visit, f"identity_provider={quote(provider.name, safe='')}"),
        social=is_social(provider),
        letter=title[0] if look.has_icons and not icons and not plain else "",
        icons=icons,
    )


def _authorize(visit: Visit, naming: str) -> str:
    """Return the path of this request with a provider named: going there is the business of one endpoint."""
    query = drop_parameters(visit.place.query, NAMING)
    return f"{visit.place.root}/oauth2/authorize?{query}&{naming}"


def _search_form(visit: Visit, address: str, error: str) -> Form:
    field = Field(
        id="domainSearchInput",
        name=SEARCHED,
        label=visit.text("email"),
        type="email",
        value=address,
        placeholder="name@host.com" if visit.classic else "",
        autocomplete="email",
        maxlength=MAX_ADDRESS,
        focus=not visit.is_local,
        error=error,
    )
    return Form(
        name="cognitoDomainSearchForm",
        action=visit.action("/login"),
        fields=[field],
        button=SEARCH_BUTTON,
        caption=visit.text("next"),
    )


def leave_by_search(visit: Visit) -> Response | None:
    """Return the redirect of a user who typed an e-mail address; None where no provider is found by it."""
    path = find_searched(visit, visit.given(SEARCHED))
    if path is None:
        return None
    return visit.leave(visit.place.domain.base_url.removesuffix(visit.place.root) + path)
