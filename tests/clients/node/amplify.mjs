// aws-amplify: passwords, an authenticator app, a remembered device, custom authentication, rotation, global sign-out.
import {
  fetchAuthSession,
  fetchDevices,
  fetchUserAttributes,
  forgetDevice,
  getCurrentUser,
  rememberDevice,
  setUpTOTP,
  signOut,
  updateMFAPreference,
  verifyTOTPSetup,
} from "aws-amplify/auth";
import { accessToken, configure, refreshToken, signInAnew } from "./amplify_session.mjs";
import { authenticator, tell } from "./dialogue.mjs";
import { asked } from "./requests.mjs";

const [endpoint, poolId, clientId, ann, bob, password, colour] = process.argv.slice(2);
configure(endpoint, poolId, clientId);
const found = {};

found.srp = await signInAnew(ann, password);
found.username = (await getCurrentUser()).username;
found.attributes = await fetchUserAttributes();

const tokens = [await refreshToken()];
for (let turn = 0; turn < 2; turn++) {
  await fetchAuthSession({ forceRefresh: true });
  tokens.push(await refreshToken());
}
found.tokens = tokens;

let secret;
const code = () => authenticator(secret);
secret = (await setUpTOTP()).sharedSecret;
await verifyTOTPSetup({ code: await code() });
await updateMFAPreference({ totp: "PREFERRED" });
found.totp = await signInAnew(ann, password, {}, { CONFIRM_SIGN_IN_WITH_TOTP_CODE: code });

await rememberDevice();
found.devices = await fetchDevices();
asked();
found.remembered = [await signInAnew(ann, password), asked()];
await fetchAuthSession({ forceRefresh: true });
asked();
found.password = [await signInAnew(ann, password, { authFlowType: "USER_PASSWORD_AUTH" }), asked()];
await forgetDevice();
found.forgotten = await signInAnew(
  ann,
  password,
  { authFlowType: "USER_PASSWORD_AUTH" },
  { CONFIRM_SIGN_IN_WITH_TOTP_CODE: code },
);

found.signedOut = [await accessToken(), await refreshToken()];
await signOut({ global: true });

const answers = { CONFIRM_SIGN_IN_WITH_CUSTOM_CHALLENGE: colour };
found.custom = [await signInAnew(bob, undefined, { authFlowType: "CUSTOM_WITHOUT_SRP" }, answers)];
found.custom.push(await signInAnew(bob, password, { authFlowType: "CUSTOM_WITH_SRP" }, answers));
await signOut();

tell(found);
