"""Managed login branding: the settings document every style starts from, and how overrides are laid over it.

The shape and the values are those of spec/http/07 §7.8.2. Colours are ``RRGGBBAA``.
"""

from typing import Any

Document = dict[str, Any]

LIGHT, DARK = "lightMode", "darkMode"


def _modes(light: Any, dark: Any) -> Document:
    return {LIGHT: light, DARK: dark}


def _button(background: str, text: str, border: str | None = None) -> Document:
    colours = {"backgroundColor": background, "textColor": text}
    return colours if border is None else {**colours, "borderColor": border}


def _outlined(background: str, colour: str) -> Document:
    return _button(background, colour, colour)


def _status(background: str, colour: str) -> Document:
    return {"backgroundColor": background, "borderColor": colour, "indicatorColor": colour}


def _bar() -> Document:
    """Return what the header and the footer of the page have alike."""
    return {
        "backgroundImage": {"enabled": False},
        "logo": {"enabled": False, "location": "START"},
        **_modes(
            {"background": {"color": "fafafaff"}, "borderColor": "d5dbdbff"},
            {"background": {"color": "0f141aff"}, "borderColor": "424650ff"},
        ),
    }


_CATEGORIES: Document = {
    "auth": {
        "authMethodOrder": [
            [{"display": "BUTTON", "type": "FEDERATED"}, {"display": "INPUT", "type": "USERNAME_PASSWORD"}]
        ],
        "federation": {"interfaceStyle": "BUTTON_LIST", "order": []},
    },
    "form": {
        "displayGraphics": True,
        "instructions": {"enabled": False},
        "languageSelector": {"enabled": False},
        "location": {"horizontal": "CENTER", "vertical": "CENTER"},
        "sessionTimerDisplay": "NONE",
    },
    "global": {
        # Cognito's own default is not known; a page that follows the browser is right for everybody.
        "colorSchemeMode": "DYNAMIC",
        "pageFooter": {"enabled": False},
        "pageHeader": {"enabled": False},
        "spacingDensity": "REGULAR",
    },
    "signUp": {"acceptanceElements": [{"enforcement": "NONE", "textKey": "en"}]},
}

_CLASSES: Document = {
    "buttons": {"borderRadius": 8.0},
    "divider": _modes({"borderColor": "ebebf1ff"}, {"borderColor": "232b37ff"}),
    "dropDown": {
        "borderRadius": 8.0,
        **_modes(
            {
                "defaults": {"itemBackgroundColor": "ffffffff"},
                "hover": {
                    "itemBackgroundColor": "f4f4f4ff",
                    "itemBorderColor": "7d8998ff",
                    "itemTextColor": "000716ff",
                },
                "match": {"itemBackgroundColor": "414d5cff", "itemTextColor": "0972d3ff"},
            },
            {
                "defaults": {"itemBackgroundColor": "192534ff"},
                "hover": {
                    "itemBackgroundColor": "081120ff",
                    "itemBorderColor": "5f6b7aff",
                    "itemTextColor": "e9ebedff",
                },
                "match": {"itemBackgroundColor": "d1d5dbff", "itemTextColor": "89bdeeff"},
            },
        ),
    },
    "focusState": _modes({"borderColor": "0972d3ff"}, {"borderColor": "539fe5ff"}),
    "idpButtons": {"icons": {"enabled": True}},
    "input": {
        "borderRadius": 8.0,
        **_modes(
            {
                "defaults": {"backgroundColor": "ffffffff", "borderColor": "7d8998ff"},
                "placeholderColor": "5f6b7aff",
            },
            {
                "defaults": {"backgroundColor": "0f1b2aff", "borderColor": "5f6b7aff"},
                "placeholderColor": "8d99a8ff",
            },
        ),
    },
    "inputDescription": _modes({"textColor": "5f6b7aff"}, {"textColor": "8d99a8ff"}),
    "inputLabel": _modes({"textColor": "000716ff"}, {"textColor": "d1d5dbff"}),
    "link": _modes(
        {"defaults": {"textColor": "0972d3ff"}, "hover": {"textColor": "033160ff"}},
        {"defaults": {"textColor": "539fe5ff"}, "hover": {"textColor": "89bdeeff"}},
    ),
    "optionControls": _modes(
        {
            "defaults": {"backgroundColor": "ffffffff", "borderColor": "7d8998ff"},
            "selected": {"backgroundColor": "0972d3ff", "foregroundColor": "ffffffff"},
        },
        {
            "defaults": {"backgroundColor": "0f1b2aff", "borderColor": "7d8998ff"},
            "selected": {"backgroundColor": "539fe5ff", "foregroundColor": "000716ff"},
        },
    ),
    "statusIndicator": _modes(
        {
            "error": _status("fff7f7ff", "d91515ff"),
            "pending": {"indicatorColor": "AAAAAAAA"},
            "success": _status("f2fcf3ff", "037f0cff"),
            "warning": _status("fffce9ff", "8d6605ff"),
        },
        {
            "error": _status("1a0000ff", "eb6f6fff"),
            "pending": {"indicatorColor": "AAAAAAAA"},
            "success": _status("001a02ff", "29ad32ff"),
            "warning": _status("1d1906ff", "e0ca57ff"),
        },
    ),
}

_COMPONENTS: Document = {
    "alert": {
        "borderRadius": 12.0,
        **_modes(
            {"error": {"backgroundColor": "fff7f7ff", "borderColor": "d91515ff"}},
            {"error": {"backgroundColor": "1a0000ff", "borderColor": "eb6f6fff"}},
        ),
    },
    "favicon": {"enabledTypes": ["ICO", "SVG"]},
    "form": {
        "backgroundImage": {"enabled": False},
        "borderRadius": 8.0,
        "logo": {"enabled": False, "formInclusion": "IN", "location": "CENTER", "position": "TOP"},
        **_modes(
            {"backgroundColor": "ffffffff", "borderColor": "c6c6cdff"},
            {"backgroundColor": "0f1b2aff", "borderColor": "424650ff"},
        ),
    },
    "idpButton": {
        "custom": {},
        "standard": _modes(
            {
                "active": _outlined("d3e7f9ff", "033160ff"),
                "defaults": _outlined("ffffffff", "424650ff"),
                "hover": _outlined("f2f8fdff", "033160ff"),
            },
            {
                "active": _outlined("354150ff", "89bdeeff"),
                "defaults": _outlined("0f1b2aff", "c6c6cdff"),
                "hover": _outlined("192534ff", "89bdeeff"),
            },
        ),
    },
    "pageBackground": {
        "image": {"enabled": False},
        **_modes({"color": "ffffffff"}, {"color": "0f1b2aff"}),
    },
    "pageFooter": _bar(),
    "pageHeader": _bar(),
    "pageText": _modes(
        {"bodyColor": "414d5cff", "descriptionColor": "414d5cff", "headingColor": "000716ff"},
        {"bodyColor": "b6bec9ff", "descriptionColor": "b6bec9ff", "headingColor": "d1d5dbff"},
    ),
    "phoneNumberSelector": {"displayType": "TEXT"},
    "primaryButton": _modes(
        {
            "active": _button("033160ff", "ffffffff"),
            "defaults": _button("0972d3ff", "ffffffff"),
            "disabled": {"backgroundColor": "ffffffff", "borderColor": "ffffffff"},
            "hover": _button("033160ff", "ffffffff"),
        },
        {
            "active": _button("539fe5ff", "000716ff"),
            "defaults": _button("539fe5ff", "000716ff"),
            "disabled": {"backgroundColor": "ffffffff", "borderColor": "ffffffff"},
            "hover": _button("89bdeeff", "000716ff"),
        },
    ),
    "secondaryButton": _modes(
        {
            "active": _outlined("d3e7f9ff", "033160ff"),
            "defaults": _outlined("ffffffff", "0972d3ff"),
            "hover": _outlined("f2f8fdff", "033160ff"),
        },
        {
            "active": _outlined("354150ff", "89bdeeff"),
            "defaults": _outlined("0f1b2aff", "539fe5ff"),
            "hover": _outlined("192534ff", "89bdeeff"),
        },
    ),
}

DEFAULTS: Document = {"categories": _CATEGORIES, "componentClasses": _CLASSES, "components": _COMPONENTS}


def merged(base: Any, overrides: Any) -> Any:
    """Return ``base`` with ``overrides`` laid over it: objects member by member, anything else whole.

    Keys that ``base`` does not know are kept, as the API returns unknown settings untouched.
    """
    if not isinstance(base, dict) or not isinstance(overrides, dict):
        return overrides
    result = dict(base)
    for key, value in overrides.items():
        result[key] = merged(base[key], value) if key in base else value
    return result


def setting(document: Any, path: str, default: Any = None) -> Any:
    """Return the value at a dotted path, or ``default`` where the document has something else in the way."""
    for key in path.split("."):
        if not isinstance(document, dict) or key not in document:
            return default
        document = document[key]
    return document
