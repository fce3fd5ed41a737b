def lambda_handler(event, context):
    if event["request"]["challengeName"] != "CUSTOM_CHALLENGE":
        return event

    if len(event["request"]["session"]) == 2:
        event["response"]["publicChallengeParameters"] = {"captchaUrl": "url/123.jpg"}
        event["response"]["privateChallengeParameters"] = {"answer": "5"}
        event["response"]["challengeMetadata"] = "CAPTCHA_CHALLENGE"
    return event
