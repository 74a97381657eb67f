#!/usr/bin/env node
// The command `gatehouse`: checks Node's version in syntax that old Nodes can read, then loads the compiled program.
"use strict";

// With a listener Node does not open its inspector at SIGUSR1, which would let any local user run code in here.
process.on("SIGUSR1", function () {});

var version = process.versions.node.split(".");
var major = Number(version[0]);
var minor = Number(version[1]);

if (major < 20 || (major === 20 && minor < 19)) {
  console.error("gatehouse: Node.js 20.19 or newer is needed, this is " + process.version);
  process.exit(1);
}

require("./load.js");
