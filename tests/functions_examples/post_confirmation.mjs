import { randomUUID } from "node:crypto";

export const handler = async (event) => {
  console.log(`welcome ${event.userName} ${randomUUID()}`);
  return event;
};
