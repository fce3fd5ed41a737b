// After "Auto-confirm users from a registered domain", Amazon Cognito developer guide, pre sign-up Lambda trigger.
export const handler = (event, context, callback) => {
  const { userAttributes } = event.request;
  event.response.autoConfirmUser = false;

  // The application says in an attribute of its own which domain the user belongs to
  const domain = userAttributes.email.split("@")[1];
  if (Object.hasOwn(userAttributes, "custom:domain") && userAttributes["custom:domain"] === domain) {
    event.response.autoConfirmUser = true;
  }

  callback(null, event);
};
