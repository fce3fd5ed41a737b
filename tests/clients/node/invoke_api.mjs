// The Lambda Invoke API for the handlers of a directory, the only argument: function:NAME is the export `handler` of NAME.mjs.
// Prints its port.
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const run = (handler, event, context) =>
  new Promise((resolve, reject) => {
    // What is called first answers: the callback, a method of the context, or the promise.
    const done = (error, result) => (error ? reject(error) : resolve(result));
    const returned = handler(event, { ...context, done, succeed: resolve, fail: reject }, done);
    if (typeof returned?.then === "function") returned.then(resolve, reject);
  });

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const arn = decodeURIComponent(request.url.split("/")[3]);
  const name = arn.split(":")[6];
  const answer = (status, headers, document) => {
    response.writeHead(status, { "Content-Type": "application/json", ...headers });
    response.end(JSON.stringify(document ?? null));
  };
  let handler;
  try {
    ({ handler } = await import(pathToFileURL(`${process.argv[2]}/${name}.mjs`)));
  } catch {
    return answer(404, { "x-amzn-ErrorType": "ResourceNotFoundException" }, { Type: "User" });
  }
  try {
    answer(200, {}, await run(handler, JSON.parse(Buffer.concat(chunks)), { invokedFunctionArn: arn }));
  } catch (error) {
    answer(200, { "X-Amz-Function-Error": "Unhandled" }, { errorType: error.name, errorMessage: error.message ?? error });
  }
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
