/** The store suite for the memory store: everything but what a disk would keep. */

import { makePlugin } from "@understudy/core/conformance/capabilities";
import { storeConformance } from "@understudy/core/conformance/store";
import plugin from "../src/plugin.js";

storeConformance({ name: "memory", durable: false, make: () => makePlugin(plugin, {}, {}) });
