export const handler = function (event, context) {
  event.response = {
    claimsAndScopeOverrideDetails: {
      idTokenGeneration: {
        claimsToAddOrOverride: { family_name: "xyz" },
        claimsToSuppress: ["email", "birthdate"],
      },
      accessTokenGeneration: {
        scopesToAdd: ["openid", "email", "solar-system-data/asteroids.add"],
        scopesToSuppress: ["phone_number", "aws.cognito.signin.user.admin"],
      },
      groupOverrideDetails: { groupsToOverride: ["new-group-A", "new-group-B"] },
    },
  };
  // Return to Amazon Cognito
  context.done(null, event);
};
