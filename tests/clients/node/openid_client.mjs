// npm's openid-client: discovery, code with PKCE, refresh, userinfo, revocation. Only the issuer is a setting.
import * as client from "openid-client";
import { ask, tell } from "./dialogue.mjs";

const [issuer, clientId, callback] = process.argv.slice(2);
const config = await client.discovery(new URL(issuer), clientId, undefined, client.None(), {
  execute: [client.allowInsecureRequests],
});
const verifier = client.randomPKCECodeVerifier();
const state = client.randomState();
const nonce = client.randomNonce();
const url = client.buildAuthorizationUrl(config, {
  redirect_uri: callback,
  scope: "openid email",
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state,
  nonce,
});
const answer = new URL(await ask(url.href));
const tokens = await client.authorizationCodeGrant(config, answer, {
  pkceCodeVerifier: verifier,
  expectedState: state,
  expectedNonce: nonce,
});
const claims = tokens.claims();
const user = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
await client.tokenRevocation(config, tokens.refresh_token);
let afterwards = "still good";
try {
  await client.refreshTokenGrant(config, tokens.refresh_token);
} catch (error) {
  afterwards = error.error;
}
tell({ claims, user, refreshed: Boolean(refreshed.access_token), afterwards });
