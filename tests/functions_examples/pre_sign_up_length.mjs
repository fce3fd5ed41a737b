// After "Deny sign-up if username has fewer than five characters", Amazon Cognito developer guide, pre sign-up trigger:
// the callback is called a second time, which counts for nothing.
export const handler = (event, context, callback) => {
  if (event.userName.length < 5) {
    callback(new Error("A user name has five characters or more"), event);
  }

  callback(null, event);
};
