// After "Custom message for admin create user", Amazon Cognito developer guide, custom message Lambda trigger.
export const handler = (event, context, callback) => {
  if (event.userPoolId === "us-east-1_AbCdEfGhI" && event.triggerSource === "CustomMessage_AdminCreateUser") {
    const { codeParameter, usernameParameter } = event.request;
    // Either message has to hold both
    const words = `Your user name is ${usernameParameter} and your temporary password ${codeParameter}`;
    event.response.smsMessage = words;
    event.response.emailSubject = "Welcome";
    event.response.emailMessage = words;
  }

  callback(null, event);
};
