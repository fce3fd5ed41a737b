def lambda_handler(event, context):
    # Send post authentication data to Amazon CloudWatch logs
    print("Authentication successful")
    print("Trigger function =", event["triggerSource"])
    print("User pool = ", event["userPoolId"])
    print("App client ID = ", event["callerContext"]["clientId"])
    print("User ID = ", event["userName"])

    # Return to Amazon Cognito
    return event
