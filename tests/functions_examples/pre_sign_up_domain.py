# After "Auto-confirm users from a registered domain", Amazon Cognito developer guide, pre sign-up Lambda trigger.
def lambda_handler(event, context):
    attributes = event["request"]["userAttributes"]
    event["response"]["autoConfirmUser"] = False

    # The application says in an attribute of its own which domain the user belongs to
    domain = attributes["email"].split("@")[1]
    if "custom:domain" in attributes and attributes["custom:domain"] == domain:
        event["response"]["autoConfirmUser"] = True

    return event
