import json
import logging

logger = logging.getLogger()
logger.setLevel(logging.INFO)


def lambda_handler(event, context):
    logger.info("welcome %s (%s)", event["userName"], context.function_name)
    print(json.dumps(event["request"]["userAttributes"]))
    return event
