def lambda_handler(event, context):
    # Version 1 of the event: claims of the ID token
    event["response"] = {
        "claimsOverrideDetails": {
            "claimsToAddOrOverride": {"my_first_attribute": "first_value", "my_second_attribute": "second_value"},
            "claimsToSuppress": ["email"],
            "groupOverrideDetails": {
                "groupsToOverride": ["group-A", "group-B", "group-C"],
                "iamRolesToOverride": ["arn:aws:iam::123456789012:role/sns_callerA"],
                "preferredRole": "arn:aws:iam::123456789012:role/sns_caller",
            },
        }
    }
    return event
