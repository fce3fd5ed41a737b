// aws-amplify in one pool, whose endpoint is the only setting beside the pool and the client.
import { Amplify } from "aws-amplify";
import { confirmSignIn, fetchAuthSession, signIn, signOut } from "aws-amplify/auth";
import { cognitoUserPoolsTokenProvider } from "aws-amplify/auth/cognito";

// Amplify names a device after the navigator, which Node has from version 21 on.
globalThis.navigator ??= { userAgent: `Node.js/${process.versions.node}` };

export const configure = (userPoolEndpoint, userPoolId, userPoolClientId) =>
  Amplify.configure({ Auth: { Cognito: { userPoolId, userPoolClientId, userPoolEndpoint } } });

// Sign in with an answer for each step, by its name; a function makes the answer when it is asked for.
export const passing = async (step, answers) => {
  const steps = [];
  for (; ; step = await confirmSignIn({ challengeResponse: await answer(answers, step.nextStep) })) {
    steps.push(step.nextStep.signInStep);
    if (step.isSignedIn) return steps;
  }
};
const answer = (answers, { signInStep, ...nextStep }) => {
  if (!(signInStep in answers)) throw new Error(`${signInStep} was not expected: ${JSON.stringify(nextStep)}`);
  const given = answers[signInStep];
  return typeof given === "function" ? given(nextStep) : given;
};

export const signInAnew = async (username, password, options, answers = {}) => {
  await signOut();
  return passing(await signIn({ username, password, options }), answers);
};

export const accessToken = async () => (await fetchAuthSession()).tokens.accessToken.toString();
export const refreshToken = async () =>
  (await cognitoUserPoolsTokenProvider.authTokenStore.loadTokens()).refreshToken;
