def lambda_handler(event, context):
    if event["callerContext"]["clientId"] == "user-pool-app-client-id-to-be-blocked":
        raise Exception("Cannot authenticate users from this user pool app client")

    # Return to Amazon Cognito
    return event
