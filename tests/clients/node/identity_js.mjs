// amazon-cognito-identity-js: sign-in by SRP and by password, attributes, an authenticator app, refresh, global sign-out.
import { AuthenticationDetails, CognitoUser, CognitoUserPool } from "amazon-cognito-identity-js";
import "./haste.mjs";
import { authenticator, tell } from "./dialogue.mjs";

const [endpoint, UserPoolId, ClientId, rotating, Username, Password] = process.argv.slice(2);
const pool = new CognitoUserPool({ UserPoolId, ClientId, endpoint });
const user = new CognitoUser({ Username, Pool: pool });

const promised = (work) => new Promise((resolve, reject) => work(resolve, reject));
const called = (work) => promised((resolve, reject) => work((error, found) => (error ? reject(error) : resolve(found))));
const signIn = (whom, flow, answer) =>
  promised((onSuccess, onFailure) => {
    whom.setAuthenticationFlowType(flow);
    const handlers = { onSuccess, onFailure };
    handlers.totpRequired = async (name) => whom.sendMFACode(await answer(), handlers, name);
    whom.authenticateUser(new AuthenticationDetails({ Username, Password }), handlers);
  });
const refresh = (whom, session) => called((done) => whom.refreshSession(session.getRefreshToken(), done));
const refusal = (work) => work.then(() => "done", (error) => error.code);

const session = await signIn(user, "USER_SRP_AUTH");
const attributes = await called((done) => user.getUserAttributes(done));
const refreshed = await refresh(user, session);

let secret;
const code = () => authenticator(secret);
secret = await promised((associateSecretCode, onFailure) => user.associateSoftwareToken({ associateSecretCode, onFailure }));
const shown = await code();
await promised((onSuccess, onFailure) => user.verifySoftwareToken(shown, "phone", { onSuccess, onFailure }));
await called((done) => user.setUserMfaPreference(null, { Enabled: true, PreferredMfa: true }, done));
const passed = await signIn(user, "USER_PASSWORD_AUTH", code);
await promised((onSuccess, onFailure) => user.globalSignOut({ onSuccess, onFailure }));
const afterwards = [];
for (const { refreshToken } of [session, passed])
  afterwards.push(await refusal(refresh(user, { getRefreshToken: () => refreshToken })));

const other = new CognitoUser({ Username, Pool: new CognitoUserPool({ UserPoolId, ClientId: rotating, endpoint }) });
const rotated = await signIn(other, "USER_PASSWORD_AUTH", code);

tell({
  claims: session.getIdToken().payload,
  attributes: Object.fromEntries(attributes.map(({ Name, Value }) => [Name, Value])),
  refreshed: refreshed.getAccessToken().getJwtToken() !== session.getAccessToken().getJwtToken(),
  passed: passed.getAccessToken().payload.username,
  afterwards,
  rotating: await refusal(refresh(other, rotated)),
});
