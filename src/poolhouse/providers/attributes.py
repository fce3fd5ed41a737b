"""What is asked at a provider's address of attributes (spec/http/06 §6.4 (4))."""

from poolhouse.model import IdentityProviderType
from poolhouse.model import IdentityProviderTypeType as Kind

# https://developers.google.com/people/api/rest/v1/people/get, personFields: any other name is an error there. What else
# can be mapped is in the ID token.
GOOGLE_FIELDS = frozenset(
    {
        *("addresses", "ageRanges", "biographies", "birthdays", "calendarUrls", "clientData", "coverPhotos"),
        *("emailAddresses", "events", "externalIds", "genders", "imClients", "interests", "locales", "locations"),
        *("memberships", "metadata", "miscKeywords", "names", "nicknames", "occupations", "organizations"),
        *("phoneNumbers", "photos", "relations", "sipAddresses", "skills", "urls", "userDefined"),
    }
)


def attributes_address(settings: IdentityProviderType, address: str | None) -> str | None:
    """Return the address with the names of the mapped claims behind it, where the provider wants to know them.

    None where nothing is to be asked: the provider has no such address, or nothing that it tells there is mapped.
    """
    details, kind = settings.provider_details or {}, settings.provider_type
    if address is None or details.get("attributes_url_add_attributes") != "true":
        return address
    # The tokens themselves can be mapped, and no provider knows them as claims.
    names = sorted(set((settings.attribute_mapping or {}).values()) - {"access_token", "id_token"})
    if kind is Kind.Google:
        names = [name for name in names if name in GOOGLE_FIELDS]
    return f"{address}{','.join(names)}" if names else None
