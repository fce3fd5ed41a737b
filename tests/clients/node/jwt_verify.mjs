// aws-jwt-verify's CognitoJwtVerifier, with the keys given: it insists on Cognito's own issuer.
import { CognitoJwtVerifier } from "aws-jwt-verify";

const [userPoolId, clientId, tokenUse, token, jwks] = process.argv.slice(2);
const verifier = CognitoJwtVerifier.create({ userPoolId, clientId, tokenUse });
verifier.cacheJwks(JSON.parse(jwks));
console.log(JSON.stringify(await verifier.verify(token)));
