// Questions to the test that runs a script: a line of output that begins with "? " is answered by a line of input.
import { createInterface } from "node:readline";

let lines;

export const ask = async (question) => {
  lines ??= createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  console.log(`? ${question}`);
  return (await lines.next()).value;
};

export const inbox = (address) => ask(`inbox ${address}`);
export const authenticator = (secret) => ask(`authenticator ${secret}`);

// The end: the result is the last line of output. A library's timers and open connections are not waited for.
export const tell = (result) => process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit());
