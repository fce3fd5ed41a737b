// amazon-cognito-identity-js: custom authentication, without the password and after it.
import { AuthenticationDetails, CognitoUser, CognitoUserPool } from "amazon-cognito-identity-js";

const [endpoint, UserPoolId, ClientId, Username, Password, answer] = process.argv.slice(2);
const pool = new CognitoUserPool({ UserPoolId, ClientId, endpoint });
const asked = [];

const signIn = (begin, Password) =>
  new Promise((onSuccess, onFailure) => {
    const user = new CognitoUser({ Username, Pool: pool });
    user.setAuthenticationFlowType("CUSTOM_AUTH");
    const customChallenge = (parameters) => {
      asked.push(parameters);
      user.sendCustomChallengeAnswer(answer, { onSuccess, onFailure, customChallenge });
    };
    user[begin](new AuthenticationDetails({ Username, Password }), { onSuccess, onFailure, customChallenge });
  });

const sessions = [await signIn("initiateAuth"), await signIn("authenticateUser", Password)];
console.log(
  JSON.stringify({ asked, users: sessions.map((session) => session.getAccessToken().payload.username) }),
);
