// amazon-cognito-identity-js: SRP sign-in, the session's tokens, user attributes, refresh, global sign-out.
import { AuthenticationDetails, CognitoUser, CognitoUserPool } from "amazon-cognito-identity-js";

const [endpoint, UserPoolId, ClientId, Username, Password] = process.argv.slice(2);
const pool = new CognitoUserPool({ UserPoolId, ClientId, endpoint });
const user = new CognitoUser({ Username, Pool: pool });

const promised = (work) => new Promise((resolve, reject) => work(resolve, reject));
const session = await promised((onSuccess, onFailure) =>
  user.authenticateUser(new AuthenticationDetails({ Username, Password }), { onSuccess, onFailure }),
);
const attributes = await promised((resolve, reject) =>
  user.getUserAttributes((error, found) => (error ? reject(error) : resolve(found))),
);
const refreshed = await promised((resolve, reject) =>
  user.refreshSession(session.getRefreshToken(), (error, found) => (error ? reject(error) : resolve(found))),
);
await promised((onSuccess, onFailure) => user.globalSignOut({ onSuccess, onFailure }));
console.log(
  JSON.stringify({
    claims: session.getIdToken().payload,
    attributes: Object.fromEntries(attributes.map(({ Name, Value }) => [Name, Value])),
    refreshed: refreshed.getAccessToken().getJwtToken() !== session.getAccessToken().getJwtToken(),
  }),
);
