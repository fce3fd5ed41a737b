// amazon-cognito-identity-js tries what was refused again and again for six seconds: here they pass more quickly.
const timeout = globalThis.setTimeout;
globalThis.setTimeout = (work, delay, ...given) => timeout(work, delay / 100, ...given);
