// Asks a live server for the base tables of a statement: prepare it in an empty schema, create the table that error 1146
// names (the schema that 1049 names), and again until nothing is missing. Servers open all tables before they resolve
// columns, so the answer is complete even where the statement then fails. Targets of DDL, SHOW and HANDLER are not opened.
import type { Connection } from "mysql2/promise";

/** What the server said. */
export interface OracleAnswer {
  /** `schema.table`, in the order in which they were missed. */
  readonly tables: readonly string[];
  /** True: prepared. A number: the error after the tables were opened. Null: nothing is known (syntax, or something else). */
  readonly verdict: true | number | null;
}

/** Errors that are raised after the tables were opened. */
const semantic = new Set([
  1052, 1054, 1055, 1060, 1066, 1109, 1111, 1128, 1136, 1140, 1191, 1221, 1222, 1235, 1241, 1248, 1253, 1267,
  1288, 1305, 1348, 1582, 1630,
]);
const systemSchemas = new Set(["mysql", "information_schema", "performance_schema", "sys"]);
const roundsMax = 40;

const quote = (name: string) => `\`${name.replaceAll("`", "``")}\``;

/** The server that is asked. */
export interface OracleServer {
  connect(): Promise<Connection>;
  restart(): Promise<void>;
}

/** An oracle over one private server whose account may do everything. */
export class TableOracle {
  readonly schema: string;
  /** How often the server had to be started again: some texts end it. */
  revivals = 0;
  private readonly server: OracleServer;
  private db: Connection | null = null;

  constructor(server: OracleServer, schema = "oracle_test") {
    this.server = server;
    this.schema = schema;
  }

  async tablesOf(sql: string, sqlMode = ""): Promise<OracleAnswer> {
    try {
      return await this.ask(sql, sqlMode);
    } catch {
      // The connection may be broken: the next question gets a new one.
      this.db?.destroy();
      this.db = null;
      await this.revive();
      return { tables: [], verdict: null };
    }
  }

  private async revive(): Promise<void> {
    const alive = await this.connection().catch(() => null);
    if (alive !== null) return;
    this.revivals += 1;
    await this.server.restart();
  }

  async end(): Promise<void> {
    await this.db?.end();
  }

  private async connection(): Promise<Connection> {
    if (this.db !== null) return this.db;
    const db = await this.server.connect();
    db.on("error", () => undefined);
    await db.query(`DROP DATABASE IF EXISTS ${this.schema}`);
    await db.query(`CREATE DATABASE ${this.schema}`);
    this.db = db;
    return db;
  }

  private async ask(sql: string, sqlMode: string): Promise<OracleAnswer> {
    const db = await this.connection();
    const tables: [string, string][] = [];
    const made = new Set<string>();
    await db.query(`USE ${this.schema}`);
    await db.query(`SET sql_mode = '${sqlMode}'`);
    let verdict: OracleAnswer["verdict"] = null;
    for (let round = 0; round < roundsMax; round += 1) {
      const error = await prepare(db, sql);
      if (error === null) {
        verdict = true;
        break;
      }
      if (error.errno === 1146 && (await this.createMissing(db, error.message, tables, made))) continue;
      if (error.errno === 1049 && (await createSchema(db, error.message, made))) continue;
      if (semantic.has(error.errno)) verdict = error.errno;
      break;
    }
    for (const schema of made) await db.query(`DROP DATABASE ${quote(schema)}`);
    for (const [schema, table] of tables) {
      if (!made.has(schema)) await db.query(`DROP TABLE IF EXISTS ${quote(schema)}.${quote(table)}`);
    }
    return { tables: tables.map(([schema, table]) => `${schema}.${table}`), verdict };
  }

  private async createMissing(
    db: Connection,
    message: string,
    tables: [string, string][],
    made: Set<string>,
  ): Promise<boolean> {
    const full = /^Table '(.*)' doesn't exist$/s.exec(message)?.[1];
    if (full === undefined) return false;
    const dot = full.indexOf(".");
    const schema = full.slice(0, dot);
    const table = full.slice(dot + 1);
    if (systemSchemas.has(schema) || tables.some(([s, t]) => s === schema && t === table)) return false;
    tables.push([schema, table]);
    const create = () => db.query(`CREATE TABLE ${quote(schema)}.${quote(table)} (zz INT)`);
    try {
      await create();
    } catch (error) {
      if ((error as { errno?: number }).errno !== 1049) return false;
      await db.query(`CREATE DATABASE ${quote(schema)}`);
      made.add(schema);
      await create();
    }
    return true;
  }
}

async function prepare(db: Connection, sql: string): Promise<{ errno: number; message: string } | null> {
  try {
    const statement = await db.prepare(sql);
    await statement.close();
    db.unprepare(sql);
    return null;
  } catch (error) {
    const { errno, sqlMessage } = error as { errno?: number; sqlMessage?: string };
    if (errno === undefined) throw error;
    return { errno, message: sqlMessage ?? "" };
  }
}

async function createSchema(db: Connection, message: string, made: Set<string>): Promise<boolean> {
  const schema = /Unknown database '(.*)'/.exec(message)?.[1];
  if (schema === undefined || systemSchemas.has(schema) || made.has(schema)) return false;
  await db.query(`CREATE DATABASE ${quote(schema)}`);
  made.add(schema);
  return true;
}
