USERS = {
    "belladonna": {"password": "Test123!", "emailAddress": "bella@example.com"},
    "chimera": {"password": "Fire-Breather-9", "emailAddress": "chimera@example.com"},
}


def lambda_handler(event, context):
    user = USERS.get(event["userName"])
    if event["triggerSource"] == "UserMigration_Authentication":
        # Authenticate the user with the existing user directory service
        if not user or user["password"] != event["request"]["password"]:
            raise Exception("Bad password")
        event["response"]["userAttributes"] = {"email": user["emailAddress"], "email_verified": "true"}
        event["response"]["finalUserStatus"] = "CONFIRMED"
        event["response"]["messageAction"] = "SUPPRESS"
    elif event["triggerSource"] == "UserMigration_ForgotPassword":
        # Look up the user in the existing user directory service
        if not user:
            raise Exception("Bad user name")
        # A verified address lets the password-reset code be sent to the user
        event["response"]["userAttributes"] = {"email": user["emailAddress"], "email_verified": "true"}
        event["response"]["messageAction"] = "SUPPRESS"
    return event
