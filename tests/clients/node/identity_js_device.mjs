// amazon-cognito-identity-js: a device is confirmed, signs in by its own secret, and is forgotten.
import { AuthenticationDetails, CognitoUser, CognitoUserPool } from "amazon-cognito-identity-js";
import "./haste.mjs";
import { asked } from "./requests.mjs";

const [endpoint, UserPoolId, ClientId, Username, Password] = process.argv.slice(2);
const pool = new CognitoUserPool({ UserPoolId, ClientId, endpoint });

const promised = (work) => new Promise((resolve, reject) => work(resolve, reject));
const signIn = async () => {
  const user = new CognitoUser({ Username, Pool: pool });
  const details = new AuthenticationDetails({ Username, Password });
  asked();
  const session = await promised((onSuccess, onFailure) => user.authenticateUser(details, { onSuccess, onFailure }));
  return { user, session, asked: asked(), key: session.getAccessToken().payload.device_key };
};
const refresh = ({ user, session }) =>
  promised((resolve) =>
    user.refreshSession(session.getRefreshToken(), (error) => resolve(error ? error.message : "refreshed")),
  );

const first = await signIn();
const second = await signIn();
const refreshed = await refresh(second);
const devices = await promised((onSuccess, onFailure) => second.user.listDevices(10, null, { onSuccess, onFailure }));
await promised((onSuccess, onFailure) => second.user.forgetSpecificDevice(second.key, { onSuccess, onFailure }));
const afterwards = await refresh(second);
const third = await signIn();
console.log(
  JSON.stringify({
    asked: [first.asked, second.asked, third.asked],
    keys: [first.key, second.key, third.key],
    devices: devices.Devices.map((device) => device.DeviceKey),
    refreshed,
    afterwards,
  }),
);
