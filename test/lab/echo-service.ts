/**
 * What a service looks like to the probing client: it answers datagrams and HTTP requests on the HA address with the
 * machine's name. It binds before the address is there (ip_nonlocal_bind of its namespace), as a warm service does.
 */

import { createSocket } from "node:dgram";
import { createServer } from "node:http";

const [address = "", name = "", echoPort = "", httpPort = ""] = process.argv.slice(2);

const udp = createSocket("udp4");
udp.on("message", (question, from) => {
  udp.send(Buffer.concat([question.subarray(0, 4), Buffer.from(name)]), from.port, from.address, () => {});
});
const http = createServer((_request, response) => {
  response.setHeader("connection", "close");
  response.end(name);
});
udp.bind(Number(echoPort), address, () => {
  http.listen(Number(httpPort), address, () => process.stdout.write("ready\n"));
});
