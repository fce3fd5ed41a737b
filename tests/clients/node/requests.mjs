// What fetch is asked for, by challenge or operation; `asked` tells what was asked for since it was last called.
const requests = [];
const fetched = globalThis.fetch;
globalThis.fetch = (url, options) => {
  const { ChallengeName } = JSON.parse(options.body);
  requests.push(ChallengeName ?? new Headers(options.headers).get("X-Amz-Target").split(".").pop());
  return fetched(url, options);
};
export const asked = () => requests.splice(0);
