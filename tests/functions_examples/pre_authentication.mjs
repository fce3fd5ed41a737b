const handler = async (event) => {
  if (event.request.userAttributes.email?.endsWith("@blocked.example")) {
    throw new Error("Cannot authenticate users from this domain");
  }

  return event;
};

export { handler };
