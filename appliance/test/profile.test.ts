/**
 * The profile's schema: what the smallest document gets by default, and that mistakes are found where they are.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { profileJsonSchema, profileSchema } from "../src/profile.js";

const smallest = {
  profileVersion: 1,
  image: { version: "1" },
  networks: [{ match: { mac: "52:54:00:12:34:56" }, name: "client0" }],
};

test("the smallest profile is complete with defaults that were measured to fit", () => {
  const profile = profileSchema.parse(smallest);
  assert.equal(profile.disk.slotMiB, 512);
  assert.equal(profile.disk.espMiB, 512);
  assert.equal(profile.update.triesPerImage, 3);
  assert.deepEqual(profile.administrators, []);
});

test("every mistake is reported at once, at its place", () => {
  const wrong = {
    ...smallest,
    image: { version: "new" },
    disk: { slotMiB: 10, slots: 3 },
    networks: [
      { match: { mac: "52:54:00:12:34:56" }, name: "client0", gateway: "10.0.0.1" },
      { match: { mac: "nonsense" }, name: "client0", gateway: "10.0.0.1" },
    ],
  };
  const result = profileSchema.safeParse(wrong);
  assert.equal(result.success, false);
  const places = result.error?.issues.map(({ path }) => path.join("."));
  for (const place of ["image.version", "disk.slotMiB", "disk", "networks.1.match.mac"]) {
    assert.ok(places?.includes(place), `${place} in ${places?.join(", ")}`);
  }
});

test("two interfaces may share neither a name nor the default gateway", () => {
  const network = { match: { driver: "virtio_net" }, name: "client0", gateway: "10.0.0.1" };
  const result = profileSchema.safeParse({ ...smallest, networks: [network, network] });
  const said = result.error?.issues.map(({ message }) => message).join("; ");
  assert.match(said ?? "", /client0 is taken already; only one interface/);
});

test("editors get a schema in which everything that needs one has a description", () => {
  const schema = profileJsonSchema() as { properties: Record<string, { description?: string }> };
  assert.ok(schema.properties.networks);
  assert.match(schema.properties.watchdogSeconds?.description ?? "", /seconds/);
});
