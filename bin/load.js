// Loads the compiled program; parsed only once Node's version is known to be new enough.
"use strict";

const { existsSync } = require("node:fs");
const { join } = require("node:path");
const { pathToFileURL } = require("node:url");

const main = join(__dirname, "../dist/cli/main.js");
if (existsSync(main)) {
  import(pathToFileURL(main).href).then((program) => program.main());
} else {
  console.error("gatehouse: The program is not compiled yet: run npm run build");
  process.exitCode = 1;
}
