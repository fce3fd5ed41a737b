// After "Migrate a user with an existing password", Amazon Cognito developer guide, migrate user Lambda trigger, as
// it was kept on GitHub: answers by `context.succeed`, refuses by a callback with a mere text.
const user = { password: "Test123", emailAddress: "bella@example.com" };

export const handler = (event, context, callback) => {
  if (event.triggerSource === "UserMigration_Authentication") {
    if (event.request.password === user.password) {
      event.response.userAttributes = { email: user.emailAddress, email_verified: "true" };
      event.response.finalUserStatus = "CONFIRMED";
      event.response.messageAction = "SUPPRESS";
      context.succeed(event);
    } else {
      callback("Bad password");
    }
  } else {
    callback(`Bad triggerSource ${event.triggerSource}`);
  }
};
