/** For `node --import`: a process that runs a plugin's tests gives them the contract of this Understudy. */

import { lendCore } from "../plugin/own-core.js";

lendCore();
