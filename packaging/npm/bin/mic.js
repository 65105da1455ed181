#!/usr/bin/env node
// Runs the mic.pyz beside it with Python 3.11, and ends as it ends.
const { spawnSync } = require("node:child_process");
const path = require("node:path");
const pyz = path.join(__dirname, "..", "mic.pyz");
for (const python of [process.env.MIC_PYTHON, "python3.11", "python3", "python"].filter(Boolean)) {
  const asked = spawnSync(python, ["-c", "import sys; sys.exit(sys.version_info[:2] != (3, 11))"]);
  if (asked.status !== 0) continue;
  const done = spawnSync(python, [pyz, ...process.argv.slice(2)], { stdio: "inherit" });
  if (done.signal) process.kill(process.pid, done.signal);
  process.exit(done.status ?? 1);
}
console.error("mic: Python 3.11 was not found.\n     Install it, or name it: MIC_PYTHON=/path/to/python3.11");
process.exit(1);
