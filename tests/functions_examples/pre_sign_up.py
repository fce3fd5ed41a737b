def lambda_handler(event, context):
    # Confirm the user
    event["response"]["autoConfirmUser"] = True

    # Set the email as verified if it is in the request
    if "email" in event["request"]["userAttributes"]:
        event["response"]["autoVerifyEmail"] = True

    # Set the phone number as verified if it is in the request
    if "phone_number" in event["request"]["userAttributes"]:
        event["response"]["autoVerifyPhone"] = True

    # Return to Amazon Cognito
    return event
