/** authkeys: read only to say line by line that its keys are not taken over. No secret leaves this file. */

import type { Report } from "../report.js";

export function readAuthkeys(report: Report, file: string, text: string): void {
  text.split("\n").forEach((raw, index) => {
    const words = (raw.split("#", 1)[0] ?? "").trim().split(/\s+/).filter(Boolean);
    const [first = "", method = ""] = words;
    if (first === "") return;
    const place = { file, line: index + 1 };
    if (first === "auth") {
      report.add(
        place,
        `auth ${method}`,
        "changed",
        "Understudy's key file says itself which key signs; make one with --key",
      );
    } else if (/^\d+$/.test(first) && ["crc", "md5", "sha1"].includes(method)) {
      const why =
        method === "crc"
          ? "crc protects from nothing but damage"
          : "keys that people thought up are not strong enough";
      report.add(
        place,
        `${first} ${method} …`,
        "dropped",
        `${why}: a new key of 32 random bytes is made with --key FILE`,
      );
    } else {
      report.add(
        place,
        "(not shown)",
        "dropped",
        "Heartbeat refuses to start with this line: it is neither `auth N` nor `N METHOD KEY`",
      );
    }
  });
}
