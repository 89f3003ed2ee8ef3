/** A node process that answers pulse until it is stopped: `node stopped-node-program.js <folder of the pulse>`. */

import { connectNode } from "./pulse-kit.js";

connectNode(process.argv[2] ?? "");
