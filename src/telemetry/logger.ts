// The gateway's own log: one JSON line per event through pino (the only file that imports it), or plain text for
// terminals. Fields whose names belong to secrets are blanked here whatever the caller does (ARCHITECTURE.md,
// invariant 8).

import { pino } from "pino";
import type { LineSink } from "./line-sink.ts";

/** From chatty to terse; each includes the ones after it. */
export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/** Data of one event. Names in snake_case with units last. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Writes events. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to every event. */
  child(fields: LogFields): Logger;
}

/** How a logger is made. */
export interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: "json" | "text";
  readonly sink: LineSink;
}

/** Makes the process's logger. */
export function createLogger(options: LoggerOptions): Logger {
  const { sink } = options;
  const destination =
    options.format === "json"
      ? { write: (line: string) => sink.write(line.trimEnd()) }
      : { write: (line: string) => sink.write(asText(line)) };
  const root = pino(
    {
      level: options.level,
      base: { pid: process.pid },
      messageKey: "message",
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => cleanFields(fields, 0) as Record<string, unknown>,
        bindings: (fields) => cleanFields(fields, 0) as Record<string, unknown>,
      },
    },
    destination,
  );
  return wrap(root);
}

/** A logger that writes nothing. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
};

function wrap(target: pino.Logger): Logger {
  return {
    debug: (message, fields = {}) => {
      if (target.isLevelEnabled("debug")) target.debug(fields, cleanText(message));
    },
    info: (message, fields = {}) => {
      if (target.isLevelEnabled("info")) target.info(fields, cleanText(message));
    },
    warn: (message, fields = {}) => target.warn(fields, cleanText(message)),
    error: (message, fields = {}) => target.error(fields, cleanText(message)),
    child: (fields) => wrap(target.child(cleanFields(fields, 0) as Record<string, unknown>)),
  };
}

const blanked = "[redacted]";

/** Compared without case, `_` and `-`. */
const secretNames = new Set([
  "password",
  "mysqlnativepassword",
  "cachingsha2password",
  "authenticationstring",
  "authresponse",
  "scramble",
  "salt",
  "hash",
  "digest",
  "secret",
  "token",
  "authorization",
  "cookie",
  "credential",
  "credentials",
  "privatekey",
  "sql",
  "statement",
  "query",
  "text",
]);

/** Values deeper than this are not written: events are flat. */
const depthMax = 4;

/** Longer texts are cut, in UTF-16 code units. */
const textLengthMax = 4096;

/** A copy of `value` for logs: secrets blanked, errors as plain data, bytes as their length. */
function cleanFields(value: unknown, depth: number): unknown {
  if (typeof value === "string") return cleanText(value);
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return value;
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth >= depthMax) return "[deeper]";
  if (Array.isArray(value)) return value.slice(0, 100).map((item) => cleanFields(item, depth + 1));
  if (value instanceof Error) return cleanError(value, depth);
  const cleaned: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(value)) {
    const secret = secretNames.has(name.toLowerCase().replaceAll(/[_-]/g, ""));
    cleaned[name] = secret && item !== null ? blanked : cleanFields(item, depth + 1);
  }
  return cleaned;
}

function cleanError(error: Error, depth: number): unknown {
  const { code } = error as NodeJS.ErrnoException;
  return {
    type: error.name,
    message: cleanText(error.message),
    ...(code === undefined ? {} : { code }),
    stack: cleanText(error.stack ?? ""),
    ...(error.cause === undefined ? {} : { cause: cleanFields(error.cause, depth + 1) }),
  };
}

/** Blanks the password of URLs such as `mysql://user:password@host`, and cuts what is very long. */
function cleanText(text: string): string {
  const short = text.length > textLengthMax ? `${text.slice(0, textLengthMax)}[cut]` : text;
  return short.replaceAll(/(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s@]*@/gi, `$1:${blanked}@`);
}

/** `2026-11-21T11:00:00.000Z info  Message key=value`; one line, control characters escaped. */
function asText(line: string): string {
  const { time, level, message, pid: _pid, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const pairs = Object.entries(fields).map(([name, value]) => {
    const plain = typeof value === "string" && /^[\w.:/@*+-]+$/.test(value);
    return ` ${name}=${plain ? value : JSON.stringify(value)}`;
  });
  const said = JSON.stringify(String(message ?? ""))
    .slice(1, -1)
    .replaceAll('\\"', '"');
  return `${String(time)} ${String(level).padEnd(5)} ${said}${pairs.join("")}`;
}
