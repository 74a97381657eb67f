// Reads a JSON file that people edit against its schema: every problem at once, each with line, column and a sentence.
// The only file that imports ajv. Sentences name keys and types, never values: a value may be a password.

import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import {
  type JsonText,
  joinPointer,
  lineFinder,
  parseJsonText,
  splitPointer,
  stepsOfParsing,
} from "./json-text.ts";
import { nearestName } from "./nearest-name.ts";
import { type Problem, wholeFileProblem } from "./problem.ts";
import { runAtOnce, type Steps } from "./steps.ts";

/** Files beyond this many bytes are refused unless the caller sets another limit. */
export const jsonFileBytesMax: number = 64 * 1024 * 1024;

/** Problems beyond this number are counted, not listed. */
const problemsMax = 1000;

/** One file to read. */
export interface JsonFileRequest {
  /** The file's content; bytes must be UTF-8. */
  readonly text: string | Uint8Array;
  /** For the problems. */
  readonly path: string;
  /**
   * JSON Schema, draft 07. Its keyword `x-sentence` replaces the sentence about a failed pattern, enum, const, not or
   * range of the schema it stands in, e.g. `must be "*" and 40 hexadecimal digits`.
   */
  readonly schema: object;
  /** @default {@link jsonFileBytesMax} */
  readonly maxBytes?: number;
  /**
   * Whether the schema says of the outermost object no more than what each of its members must be: a large file is then
   * validated in parts. @default false
   */
  readonly membersStandAlone?: boolean;
}

/** Line and column, from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** What was read, and where it stands. */
export interface JsonDocument {
  readonly value: unknown;
  /** Where the value at a JSON pointer stands; the nearest enclosing value when there is none. */
  readonly positionOf: (pointer: string) => Position;
  /** The first question about a place reads the text again: this does it beforehand, in steps. */
  readonly stepsOfPlaces: () => Steps<void>;
}

/** A file that is valid against its schema, or all that is wrong with it. */
export type JsonFileResult =
  | ({ readonly ok: true } & JsonDocument)
  | {
      readonly ok: false;
      readonly problems: readonly Problem[];
      /** What could be read all the same, for callers that look for further problems; null when there is nothing. */
      readonly invalid: JsonDocument | null;
    };

/** Parses and validates. Never throws for what the file holds. */
export function parseJsonFile(request: JsonFileRequest): JsonFileResult {
  return runAtOnce(stepsOfJsonFile(request));
}

/** The same in steps. */
export function* stepsOfJsonFile(request: JsonFileRequest): Steps<JsonFileResult> {
  const { path } = request;
  const maxBytes = request.maxBytes ?? jsonFileBytesMax;
  const byteLength =
    typeof request.text === "string" ? Buffer.byteLength(request.text) : request.text.byteLength;
  if (byteLength > maxBytes) {
    return failed(wholeFileProblem(path, `The file has ${byteLength} bytes: at most ${maxBytes} are read`));
  }
  const text = typeof request.text === "string" ? request.text : decodeUtf8(request.text);
  if (text === null) return failed(wholeFileProblem(path, "The file is not UTF-8"));
  if (text.includes("\0"))
    return failed(wholeFileProblem(path, "The file holds NUL bytes: it is not JSON text"));

  yield;
  const parsed = yield* stepsOfParsing(text, { recordOffsets: false });
  const find = lineFinder(text);
  const locate = new Locator(text, find);
  const problems: Problem[] = parsed.mistakes.map((mistake) => ({
    path,
    ...find(mistake.offset),
    pointer: mistake.pointer,
    message: mistake.message,
  }));
  if (parsed.value !== undefined) {
    const errors = yield* stepsOfValidating(request, parsed.value);
    if (errors.length > 0) yield* locate.prepare();
    for (const finding of findings(errors)) {
      const { pointer, message } = finding;
      problems.push({ path, ...locate.find(pointer, finding.at), pointer, message });
      if (problems.length > problemsMax) break;
    }
  }
  const document = {
    value: parsed.value,
    positionOf: (pointer: string): Position => locate.find(pointer, "value"),
    stepsOfPlaces: () => locate.prepare(),
  };
  if (problems.length === 0) return { ok: true, ...document };
  problems.sort((a, b) => a.line - b.line || a.column - b.column);
  if (problems.length > problemsMax) {
    problems.length = problemsMax;
    problems.push(wholeFileProblem(path, `More than ${problemsMax} problems: the rest is not listed`));
  }
  return { ok: false, problems, invalid: parsed.value === undefined ? null : document };
}

function failed(problem: Problem): JsonFileResult {
  return { ok: false, problems: [problem], invalid: null };
}

function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Finds places by reading the text a second time, on the first question only: valid files never pay for it. */
class Locator {
  readonly #text: string;
  readonly #positionOf: (offset: number) => Position;
  #recorded: JsonText | undefined;

  constructor(text: string, positionOf: (offset: number) => Position) {
    this.#text = text;
    this.#positionOf = positionOf;
  }

  *prepare(): Steps<void> {
    this.#recorded ??= yield* stepsOfParsing(this.#text, { recordOffsets: true });
  }

  find(pointer: string, what: "key" | "value"): Position {
    this.#recorded ??= parseJsonText(this.#text, { recordOffsets: true });
    let offset = this.#recorded.start;
    let value = this.#recorded.value;
    for (const name of splitPointer(pointer)) {
      if (typeof value !== "object" || value === null) break;
      const member = this.#recorded.offsets.get(value)?.get(name);
      if (member === undefined) break;
      offset = what === "key" ? member.key : member.value;
      value = (value as Record<string, unknown>)[name];
    }
    return this.#positionOf(offset);
  }
}

/** So many members are validated between two steps. */
const membersPerStep = 100;

function* stepsOfValidating(
  { schema, membersStandAlone = false }: JsonFileRequest,
  value: unknown,
): Steps<ErrorObject[]> {
  const validate = compiled(schema);
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  const names = membersStandAlone && isObject ? Object.keys(value) : [];
  if (names.length <= membersPerStep) return validate(value) ? [] : (validate.errors ?? []);
  const errors: ErrorObject[] = [];
  for (let start = 0; start < names.length; start += membersPerStep) {
    yield;
    const part = Object.fromEntries(
      names
        .slice(start, start + membersPerStep)
        .map((name) => [name, (value as Readonly<Record<string, unknown>>)[name]]),
    );
    // One by one: a call takes some hundred thousand arguments, and a file may have more mistakes.
    if (!validate(part)) for (const error of validate.errors ?? []) errors.push(error);
  }
  return errors;
}

const validators = new WeakMap<object, ValidateFunction>();

function compiled(schema: object): ValidateFunction {
  const known = validators.get(schema);
  if (known !== undefined) return known;
  const ajv = new Ajv({ allErrors: true, verbose: true, strict: true, allowUnionTypes: true });
  ajv.addVocabulary(["x-sentence"]);
  const validate = ajv.compile(schema);
  validators.set(schema, validate);
  return validate;
}

interface Finding {
  readonly pointer: string;
  /** Whether the key or the value of the member is the place to show. */
  readonly at: "key" | "value";
  readonly message: string;
}

function findings(errors: readonly ErrorObject[]): Finding[] {
  const result: Finding[] = [];
  const seen = new Set<string>();
  for (const error of withoutBranchNoise(errors)) {
    const finding = describe(error);
    const key = `${finding.pointer}\n${finding.message}`;
    if (seen.has(key)) continue;
    seen.add(key);
    result.push(finding);
  }
  return result;
}

/**
 * `anyOf` reports the errors of every branch and then its own. What a person wants is the branch that was meant: where
 * errors other than a wrong type of the value itself exist, they tell it; otherwise the types are listed together.
 */
function withoutBranchNoise(errors: readonly ErrorObject[]): ErrorObject[] {
  const kept: ErrorObject[] = [];
  for (const error of errors) {
    if (error.keyword === "if") continue;
    if (error.keyword !== "anyOf" && error.keyword !== "oneOf") {
      kept.push(error);
      continue;
    }
    let start = kept.length;
    while (start > 0 && isWithin(kept[start - 1]?.instancePath ?? "", error.instancePath)) start -= 1;
    const branches = kept.splice(start);
    const meant = branches.filter(
      (branch) => !(branch.keyword === "type" && branch.instancePath === error.instancePath),
    );
    if (meant.length > 0 || branches.length === 0) {
      // One by one: a call takes some hundred thousand arguments, and a file may have more mistakes.
      if (meant.length === 0) kept.push(error);
      for (const branch of meant) kept.push(branch);
      continue;
    }
    const types = branches.flatMap((branch) => (branch.params as { type: string | string[] }).type);
    const [first] = branches;
    if (first !== undefined) kept.push({ ...first, params: { type: [...new Set(types)] } });
  }
  return kept;
}

function isWithin(pointer: string, outer: string): boolean {
  return pointer === outer || pointer.startsWith(`${outer}/`);
}

function describe(error: ErrorObject): Finding {
  const pointer = error.instancePath;
  const params = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case "additionalProperties":
    case "unevaluatedProperties":
      return describeUnknownKey(error, String(params.additionalProperty ?? params.unevaluatedProperty));
    case "propertyNames":
      return {
        pointer: joinPointer(pointer, String(params.propertyName)),
        at: "key",
        message: `Key '${String(params.propertyName)}' is not allowed in ${placeName(pointer)}`,
      };
    case "required":
      return {
        pointer,
        at: "value",
        message: `Missing key '${String(params.missingProperty)}' in ${placeName(pointer)}`,
      };
    default:
      return { pointer, at: "value", message: `${capital(placeName(pointer))} ${demand(error)}` };
  }
}

function describeUnknownKey(error: ErrorObject, key: string): Finding {
  const known = Object.keys((error.parentSchema as { properties?: object }).properties ?? {});
  const nearest = nearestName(key, known);
  const hint =
    nearest !== null
      ? `did you mean '${nearest}'?`
      : known.length > 0
        ? `known keys are ${known.join(", ")}`
        : "none is allowed here";
  const shown = key.length > 80 ? `${key.slice(0, 77)}...` : key;
  return {
    pointer: joinPointer(error.instancePath, key),
    at: "key",
    message: `Unknown key '${shown}' in ${placeName(error.instancePath)}: ${hint}`,
  };
}

/** The predicate of the sentence: what the value must be. */
function demand(error: ErrorObject): string {
  const params = error.params as Record<string, unknown>;
  const own = (error.parentSchema as Record<string, unknown> | undefined)?.["x-sentence"];
  if (error.keyword === "type") {
    const wanted = [params.type].flat().map((type) => article(String(type)));
    return `must be ${wanted.join(" or ")}, not ${article(typeName(error.data))}`;
  }
  if (typeof own === "string") return own;
  switch (error.keyword) {
    case "enum":
      return `must be one of ${(params.allowedValues as unknown[]).map((item) => JSON.stringify(item)).join(", ")}`;
    case "const":
      return `must be ${JSON.stringify(params.allowedValue)}`;
    case "minLength":
      return params.limit === 1 ? "must not be empty" : `must have at least ${params.limit} characters`;
    case "maxLength":
      return `must have at most ${params.limit} characters`;
    case "minItems":
      return params.limit === 1 ? "must not be empty" : `must have at least ${params.limit} items`;
    case "maxItems":
      return `must have at most ${params.limit} items`;
    case "minProperties":
      return params.limit === 1 ? "must not be empty" : `must have at least ${params.limit} keys`;
    case "uniqueItems":
      return `must not hold the same item twice: items ${params.j} and ${params.i} are equal`;
    case "minimum":
    case "maximum":
    case "exclusiveMinimum":
    case "exclusiveMaximum":
      return `must be ${params.comparison} ${params.limit}`;
    default:
      return error.message ?? `breaks the rule '${error.keyword}'`;
  }
}

/** `/myuser1/0/SourceHost` -> `myuser1[0].SourceHost`, as a person would say it. */
function placeName(pointer: string): string {
  const names = splitPointer(pointer);
  if (names.length === 0) return "the file";
  let place = "";
  for (const name of names) {
    if (/^\d+$/.test(name) && place !== "") place += `[${name}]`;
    else place += place === "" ? name : `.${name}`;
  }
  return `'${place}'`;
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value;
}

function article(type: string): string {
  const names: Readonly<Record<string, string>> = {
    null: "null",
    array: "a list",
    object: "an object",
    integer: "a whole number",
    boolean: "true or false",
  };
  return names[type] ?? `a ${type}`;
}

function capital(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}
