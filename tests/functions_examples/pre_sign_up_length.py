# After "Deny sign-up if username has fewer than five characters", Amazon Cognito developer guide, pre sign-up trigger.
def lambda_handler(event, context):
    if len(event["userName"]) < 5:
        raise Exception("A user name has five characters or more")

    return event
