def lambda_handler(event, context):
    if event["triggerSource"] == "CustomMessage_SignUp":
        code = event["request"]["codeParameter"]
        event["response"]["smsMessage"] = f"Welcome to the service. Your confirmation code is {code}"
        event["response"]["emailSubject"] = "Welcome to the service"
        event["response"]["emailMessage"] = f"Thank you for signing up. {code} is your verification code"
    return event
