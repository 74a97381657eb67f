// The topology's part of `gatehouse check`: is the file valid, and are the files and variables there that it names. It
// asks no server.

import { jsonFileBytesMax } from "../base/json-file.ts";
import { wholeFileProblem } from "../base/problem.ts";
import type { Tablet } from "../routing/route.ts";
import { parseTopologyFile } from "../routing/topology-file.ts";
import { configsOf } from "../server/topology-accounts.ts";
import { checkPemFiles, checkSecretFile } from "./check-backend-files.ts";
import { type Findings, readFound } from "./findings.ts";

/** Checks the file and what it names. */
export async function checkTopology(
  path: string,
  environment: Readonly<Record<string, string | undefined>>,
  findings: Findings,
): Promise<void> {
  const content = await readFound(path, jsonFileBytesMax, findings);
  if (content === null) return;
  const result = parseTopologyFile({ text: content.bytes, path });
  if (!result.ok) {
    findings.problems.push(...result.problems);
    return;
  }
  const { topology, warnings } = result;
  findings.warnings.push(...warnings);
  const secretFiles = new Set<string>();
  for (const { name, secret } of configsOf(topology)) {
    if (secret.kind === "file") secretFiles.add(secret.path);
    else if ((environment[secret.variable] ?? "") === "") {
      const message = `Environment variable ${secret.variable} must hold the password of account ${JSON.stringify(name)}: it is not set here`;
      findings.problems.push(wholeFileProblem(path, message));
    }
  }
  for (const file of secretFiles) await checkSecretFile(file, "password", findings);
  const tablets = new Map<string, Tablet>();
  for (const keyspace of topology.keyspaces.values())
    for (const { tablet } of keyspace.tablets) tablets.set(tablet.alias, tablet);
  for (const { tls } of tablets.values()) await checkPemFiles(tls, findings);
  const { keyspaces, rules } = topology;
  findings.good.push(
    `${path}: ${keyspaces.size} keyspaces on ${tablets.size} servers, ${rules.length} routing rules`,
  );
}
