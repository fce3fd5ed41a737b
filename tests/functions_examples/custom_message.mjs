const handler = async (event) => {
  if (event.triggerSource === "CustomMessage_ForgotPassword") {
    const { codeParameter } = event.request;
    event.response.smsMessage = `Use ${codeParameter} to choose a new password`;
    event.response.emailSubject = "A new password";
    event.response.emailMessage = `Use the code ${codeParameter} to choose a new password`;
  }
  return event;
};

export { handler };
