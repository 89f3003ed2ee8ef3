/**
 * A client on the segment, as a process of its own in its namespace: asks an address by a connect to a closed port,
 * because the refusal comes from the kernel that has the address. Sends claim frames too.
 */

import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { createInterface } from "node:readline";

const closedPort = 9;

function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: closedPort });
    const finish = (answer: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    // What has arrived while this process could not run is read after the timer, and before what setImmediate runs.
    const timer = setTimeout(() => setImmediate(() => finish(false)), 300);
    socket.once("connect", () => finish(true));
    socket.once("error", (error: NodeJS.ErrnoException) => finish(error.code === "ECONNREFUSED"));
  });
}

function send(address: string, payload: Buffer): Promise<boolean> {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  return new Promise((resolve) => {
    socket.send(payload, 6940, address, (error) => {
      socket.close();
      resolve(error === null);
    });
  });
}

for await (const line of createInterface({ input: process.stdin })) {
  const [what, address = "", payload = ""] = line.split(" ");
  const answer = what === "send" ? await send(address, Buffer.from(payload, "hex")) : await answers(address);
  process.stdout.write(`${JSON.stringify({ answered: what, answer })}\n`);
}
