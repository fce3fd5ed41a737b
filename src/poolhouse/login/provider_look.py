"""How a branding document wants identity providers shown (spec/http/07 §7.8.2)."""

from dataclasses import dataclass
from typing import Any

from poolhouse.core.branding import setting
from poolhouse.login.pictures import Picture

_FEDERATED = "FEDERATED"
# No public document tells the word for "Domain search input"; these are what it may be (spec/http/06 §6.7).
_SEARCHES = frozenset({"DOMAIN_SEARCH", "DOMAIN_SEARCH_INPUT"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderLook:
    """How identity providers are shown: in which order, by buttons or an input, and on which side of the own form.

    ``order`` names those that come first. ``has_icons`` says whether buttons have icons, ``icons`` are the client's own.
    """

    order: tuple[str, ...] = ()
    search: bool = False
    below: bool = False
    has_icons: bool = True
    icons: tuple[Picture, ...] = ()


def provider_look(settings: Any, icons: tuple[Picture, ...]) -> ProviderLook:
    """Return what settings say of identity providers; ``icons`` are the pictures for their buttons."""
    order = setting(settings, "categories.auth.federation.order")
    methods = _methods(settings)
    kinds = [kind for kind, _ in methods]
    style = setting(settings, "categories.auth.federation.interfaceStyle")
    return ProviderLook(
        order=tuple(name for name in order if isinstance(name, str)) if isinstance(order, list) else (),
        search=style in _SEARCHES or (_FEDERATED, "INPUT") in methods,
        below=_FEDERATED in kinds[1:],
        has_icons=setting(settings, "componentClasses.idpButtons.icons.enabled") is not False,
        icons=icons,
    )


def _methods(settings: Any) -> list[tuple[Any, Any]]:
    """Return the ways to sign in, as they follow on the page: what each is, and whether it is a button or an input."""
    rows = setting(settings, "categories.auth.authMethodOrder")
    entries = [entry for row in rows if isinstance(row, list) for entry in row] if isinstance(rows, list) else []
    return [(entry.get("type"), entry.get("display")) for entry in entries if isinstance(entry, dict)]
