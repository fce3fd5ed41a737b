# After the example for groups, Amazon Cognito developer guide, inbound federation Lambda trigger.
ROLES = {"Engineering": "developers", "Sales": "sellers"}


def lambda_handler(event, context):
    told = event["request"]["attributes"]
    if event["request"]["providerType"] == "SAML":
        claims = dict(told.get("samlResponse", {}))
    else:
        claims = {**told.get("userInfo", {}), **told.get("idToken", {})}

    # The provider's own names of groups go no further
    groups = [group.strip() for group in claims.pop("groups", "").strip("[]").split(",")]
    claims["custom:roles"] = ",".join(ROLES[group] for group in groups if group in ROLES)

    event["response"]["userAttributesToMap"] = claims
    return event
