def lambda_handler(event, context):
    # Version 2 of the event: claims of both tokens, and scopes
    event["response"] = {
        "claimsAndScopeOverrideDetails": {
            "idTokenGeneration": {
                "claimsToAddOrOverride": {"family_name": "xyz"},
                "claimsToSuppress": ["email", "birthdate"],
            },
            "accessTokenGeneration": {
                "scopesToAdd": ["openid", "email", "solar-system-data/asteroids.add"],
                "scopesToSuppress": ["phone_number", "aws.cognito.signin.user.admin"],
            },
            "groupOverrideDetails": {"groupsToOverride": ["new-group-A", "new-group-B"]},
        }
    }
    return event
