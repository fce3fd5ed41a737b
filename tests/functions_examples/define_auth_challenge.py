def lambda_handler(event, context):
    response = event["response"]
    session = event["request"]["session"]
    names = [step["challengeName"] for step in session]
    if names == ["SRP_A"]:
        response.update(issueTokens=False, failAuthentication=False, challengeName="PASSWORD_VERIFIER")
    elif names == ["SRP_A", "PASSWORD_VERIFIER"] and session[1]["challengeResult"] is True:
        response.update(issueTokens=False, failAuthentication=False, challengeName="CUSTOM_CHALLENGE")
    elif names == ["SRP_A", "PASSWORD_VERIFIER", "CUSTOM_CHALLENGE"] and session[2]["challengeResult"] is True:
        response.update(issueTokens=True, failAuthentication=False)
    else:
        response.update(issueTokens=False, failAuthentication=True)
    return event
