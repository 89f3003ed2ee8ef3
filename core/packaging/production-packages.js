/**
 * Which packages run in production: follows the dependencies of our own packages through the lockfile, the way Node
 * resolves them, and leaves out whatever only development needs.
 */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * `folders` are workspaces, or beginnings of their paths. `own`: our packages with their folders; `libraries`: folders
 * below node_modules, each to be copied without its nested node_modules, which are listed by themselves.
 */
export function productionPackages(root, folders) {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const own = Object.keys(packages)
    .filter(
      (path) => !path.includes("node_modules") && folders.some((one) => path === one || isBelow(path, one)),
    )
    .map((folder) => ({
      folder,
      name: JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")).name,
    }));
  const libraries = new Set();
  const waiting = own.map(({ folder }) => folder);
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const { dependencies = {}, optionalDependencies = {} } = packages[path] ?? {};
    const wanted = [...Object.keys(dependencies), ...Object.keys(optionalDependencies)];
    for (const name of wanted) {
      // Some libraries bring the types of their own dependencies, which nothing runs.
      if (name.startsWith("@types/")) continue;
      const found = resolveIn(packages, path, name);
      if (found === undefined || packages[found].link === true || libraries.has(found)) {
        if (found === undefined && name in dependencies && !(name in optionalDependencies)) {
          throw new Error(`${path} needs ${name}, which the lockfile does not have`);
        }
        continue;
      }
      // A package for another platform stands in the lockfile but was not installed.
      if (!existsSync(join(root, found))) {
        if (name in optionalDependencies || packages[found].optional === true) continue;
        throw new Error(`${found} is not installed: run npm ci`);
      }
      libraries.add(found);
      waiting.push(found);
    }
  }
  return { own, libraries: [...libraries].sort() };
}

function isBelow(path, start) {
  return start.endsWith("/") && path.startsWith(start);
}

/** The nearest node_modules above `from` that has it. */
function resolveIn(packages, from, name) {
  for (let folder = from; ; folder = folder.slice(0, folder.lastIndexOf("/"))) {
    const path = folder === "" ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (path in packages) return path;
    if (folder === "") return undefined;
    if (!folder.includes("/")) {
      const top = `node_modules/${name}`;
      return top in packages ? top : undefined;
    }
  }
}
