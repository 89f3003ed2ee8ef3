/** The secondary's end of a path in a process of its own, to be killed: `node one-end-program.js <url>`. */

import { otherNode, testNode } from "@understudy/core/conformance/capabilities";
import { makeEnd } from "./pair.js";

await makeEnd({ url: process.argv[2] }, otherNode(testNode())).start(() => undefined);
