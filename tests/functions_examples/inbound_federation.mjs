// After the example for groups, Amazon Cognito developer guide, inbound federation Lambda trigger.
const ROLES = { Engineering: "developers", Sales: "sellers" };

export const handler = async (event) => {
  const { providerType, attributes } = event.request;
  const claims =
    providerType === "SAML" ? { ...attributes.samlResponse } : { ...attributes.userInfo, ...attributes.idToken };

  // The provider's own names of groups go no further
  const groups = claims.groups?.replace(/^\[|\]$/g, "").split(",") ?? [];
  delete claims.groups;
  claims["custom:roles"] = groups.map((group) => ROLES[group.trim()]).filter(Boolean).join(",");

  event.response.userAttributesToMap = claims;
  return event;
};
