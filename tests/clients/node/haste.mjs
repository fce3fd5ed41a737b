// amazon-cognito-identity-js tries what was refused again and again for six seconds: here they pass more quickly.
// Not for Node itself, whose fetch counts such ticks: it would give up a connection after a hundred milliseconds.
const timeout = globalThis.setTimeout;
globalThis.setTimeout = (work, delay, ...given) => {
  const forNode = new Error().stack.split("\n")[2]?.includes("node:internal");
  return timeout(work, forNode ? delay : delay / 100, ...given);
};
