// aws-amplify: sign-up that signs in, choice among first factors, passkeys, codes by text message and mail.
import {
  associateWebAuthnCredential,
  autoSignIn,
  confirmSignUp,
  deleteWebAuthnCredential,
  listWebAuthnCredentials,
  signOut,
  signUp,
  updateMFAPreference,
} from "aws-amplify/auth";
import { configure, passing, signInAnew } from "./amplify_session.mjs";
import { ask, inbox, tell } from "./dialogue.mjs";
import { asked } from "./requests.mjs";

const [endpoint, poolId, clientId, cora, dan, password, mail, phone] = process.argv.slice(2);
configure(endpoint, poolId, clientId);
const found = {};

// What Node lacks for passkeys: a window, and the browser's authenticator, which the test plays.
class PublicKeyCredential {
  constructor({ rawId, response, ...members }, Response) {
    const { transports, ...buffers } = response;
    Object.assign(this, members, { rawId: decoded(rawId), response: new Response() });
    for (const [name, value] of Object.entries(buffers)) this.response[name] = decoded(value);
    this.response.getTransports = () => transports;
  }
  getClientExtensionResults = () => ({});
}
class AuthenticatorAttestationResponse {
  getPublicKeyAlgorithm = () => -7;
  getAuthenticatorData = () => new ArrayBuffer(0);
  getPublicKey = () => null;
}
class AuthenticatorAssertionResponse {}
const decoded = (text) => Uint8Array.from(Buffer.from(text, "base64url")).buffer;
const encoded = (name, value) => (value instanceof ArrayBuffer ? Buffer.from(value).toString("base64url") : value);
const browser = async (verb, { publicKey }, Response) =>
  new PublicKeyCredential(JSON.parse(await ask(`${verb} ${JSON.stringify(publicKey, encoded)}`)), Response);
const credentials = {
  create: (options) => browser("create", options, AuthenticatorAttestationResponse),
  get: (options) => browser("get", options, AuthenticatorAssertionResponse),
};
const withBrowser = async (work) => {
  Object.assign(globalThis, { PublicKeyCredential, AuthenticatorAttestationResponse, AuthenticatorAssertionResponse });
  Object.defineProperty(globalThis, "navigator", { value: { credentials }, configurable: true });
  globalThis.window = { document: {}, isSecureContext: true, PublicKeyCredential };
  try {
    return await work();
  } finally {
    delete globalThis.window;
  }
};

const join = async (username, email, authFlowType) => {
  const options = { userAttributes: { email }, autoSignIn: { authFlowType } };
  const steps = [(await signUp({ username, password, options })).nextStep.signUpStep];
  steps.push((await confirmSignUp({ username, confirmationCode: await inbox(email) })).nextStep.signUpStep);
  asked();
  return [...steps, ...(await passing(await autoSignIn(), {})), ...asked()];
};
found.joined = await join(cora, mail, "USER_AUTH");

const authFlowType = "USER_AUTH";
let offered;
const choose = (factor) => ({
  CONTINUE_SIGN_IN_WITH_FIRST_FACTOR_SELECTION: ({ availableChallenges }) => {
    offered = availableChallenges;
    return factor;
  },
  CONFIRM_SIGN_IN_WITH_EMAIL_CODE: () => inbox(mail),
  CONFIRM_SIGN_IN_WITH_PASSWORD: password,
});
const chosen = {};
for (const factor of ["EMAIL_OTP", "PASSWORD", "PASSWORD_SRP"])
  chosen[factor] = await signInAnew(cora, undefined, { authFlowType }, choose(factor));
found.chosen = chosen;
found.offered = offered;
const preferred = {};
for (const preferredChallenge of ["EMAIL_OTP", "PASSWORD", "PASSWORD_SRP"])
  preferred[preferredChallenge] = await signInAnew(
    cora,
    preferredChallenge === "EMAIL_OTP" ? undefined : password,
    { authFlowType, preferredChallenge },
    choose(),
  );
found.preferred = preferred;

await withBrowser(async () => {
  await associateWebAuthnCredential();
  found.passkeys = (await listWebAuthnCredentials()).credentials;
  const preferredChallenge = "WEB_AUTHN";
  found.passkey = [await signInAnew(cora, undefined, { authFlowType, preferredChallenge }, choose())];
  found.passkey.push(await signInAnew(cora, undefined, { authFlowType }, choose("WEB_AUTHN")));
  await deleteWebAuthnCredential({ credentialId: found.passkeys[0].credentialId });
});

await signInAnew(dan, password);
await updateMFAPreference({ sms: "ENABLED", email: "ENABLED" });
const second = (factor) => ({
  CONTINUE_SIGN_IN_WITH_MFA_SELECTION: factor,
  CONFIRM_SIGN_IN_WITH_SMS_CODE: () => inbox(phone),
  CONFIRM_SIGN_IN_WITH_EMAIL_CODE: () => inbox(`dan-${mail}`),
});
found.second = [await signInAnew(dan, password, {}, second("SMS")), await signInAnew(dan, password, {}, second("EMAIL"))];
await updateMFAPreference({ sms: "PREFERRED" });
found.second.push(await signInAnew(dan, password, { authFlowType: "USER_PASSWORD_AUTH" }, second()));
await signOut();

// Amplify forgets a second autoSignIn within a third of a second of the first.
found.joinedByPassword = await join(`${cora}-2`, `2-${mail}`, "USER_SRP_AUTH");
await signOut();

tell(found);
