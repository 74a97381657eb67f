// The judgement of one statement: its kind and what it carries, what it wants of the server, schemas, tables, routines,
// in this order; the first denial ends it. Refuses what it does not know.

import type { Identity } from "../identity/identity.ts";
import { untellableIdentity } from "../sql/identity-tokens.ts";
import { foldObjectName } from "../sql/object-name.ts";
import type { RoutineReference, StatementSummary, TableReference } from "../sql/statement-summary.ts";
import type { AclDenial } from "./denial.ts";
import {
  accountsDenial,
  qualifiedName,
  refusedText,
  routineDenial,
  schemaDenial,
  serverDenial,
  tableDenial,
} from "./denial-texts.ts";
import type { GrantedUse } from "./permit.ts";
import { privilegeForAssignment } from "./restricted-variables.ts";
import type { Role } from "./role.ts";
import { rightsOfShow } from "./show-rights.ts";
import {
  commandWord,
  type ObjectRights,
  rightsOfKind,
  rolesFor,
  type TableList,
} from "./statement-rights.ts";
import type { AclDecision, TableAcl } from "./table-acl.ts";

const listOrder: readonly TableList[] = ["changes", "writes", "reads"];

/** One right that a statement wants. */
export interface Demand {
  readonly object: "table" | "routine";
  /** `shop.orders`. */
  readonly name: string;
  readonly role: Role;
  readonly decision: AclDecision;
  /** Makes the denial for the case that it is not held. */
  readonly deny: () => AclDenial;
}

/** Whether USE and listings may show that the schema is there. */
export function seesSchema(acl: TableAcl, identity: Identity, schema: string): boolean {
  // Every account sees the catalogue's name; what stands in its tables is another question.
  return foldObjectName(schema) === "information_schema" || acl.reachesSchema(identity.callerId, schema);
}

/** The judgement of one statement: the first denial ends it. */
export class Judgement {
  readonly uses: GrantedUse[] = [];
  readonly #acl: TableAcl;
  readonly #identity: Identity;
  readonly #statement: StatementSummary;
  /** Rows of the statement's own kind and of the kinds that it carries. */
  readonly #rights: ObjectRights[] = [];

  constructor(acl: TableAcl, identity: Identity, statement: StatementSummary) {
    this.#acl = acl;
    this.#identity = identity;
    this.#statement = statement;
  }

  /** The first denial, or null; `uses` then holds the rights that were used. */
  run(): AclDenial | null {
    const { uncertain } = this.#statement;
    if (uncertain !== null) return refusedText(this.#statement, uncertain.symbol, uncertain.reason);
    return (
      this.#kinds() ??
      this.#messages() ??
      this.#stored() ??
      this.#server() ??
      this.#schemas() ??
      this.#tables() ??
      this.#routines()
    );
  }

  /** Every right on tables and routines that the statement wants, held or not, in the order of judgement. */
  demands(): Demand[] {
    if (this.#rights.length === 0) this.#kinds();
    return [...this.#tableDemands(), ...this.#routineDemands()];
  }

  /** The statement's kind and those it carries: all known, none for administrators only. */
  #kinds(): AclDenial | null {
    const statement = this.#statement;
    for (const kind of [statement.kind, ...statement.innerKinds]) {
      const rights = rightsOfKind(kind);
      if (rights === undefined) return this.#refuse("a statement of a kind that the table ACL does not know");
      switch (rights.by) {
        case "objects":
          this.#rights.push(rights);
          break;
        case "carried":
          if (statement.innerKinds.length === 0) return this.#carrier();
          break;
        case "show": {
          const denial = this.#show(kind !== statement.kind || statement.innerKinds.includes("SHOW"));
          if (denial !== null) return denial;
          break;
        }
        case "server":
          return serverDenial(statement, rights.privilege, `${kind} is for exempt principals only`);
        case "accounts":
          return accountsDenial(statement, rights.privilege);
      }
    }
    return this.#missing();
  }

  /** A kind that carries a statement, without one: EXPLAIN FOR CONNECTION, or nothing that is known. */
  #carrier(): AclDenial {
    if (this.#statement.subject === "FOR CONNECTION") {
      return serverDenial(this.#statement, "PROCESS", "Statements of other connections may not be explained");
    }
    return this.#refuse("a statement whose inner statement is not known");
  }

  /** `carried`: by PREPARE, a body, ...: then nobody answers in the server's place, and nobody filters the rows. */
  #show(carried: boolean): AclDenial | null {
    const statement = this.#statement;
    const rights = statement.subject === null ? undefined : rightsOfShow(statement.subject);
    if (rights === undefined) return this.#refuse("a form of SHOW that the table ACL does not know");
    const needsGateway = rights.by === "gateway" || (rights.by === "objects" && rights.listing !== null);
    if (carried && needsGateway) return this.#refuse(`SHOW ${statement.subject} inside another statement`);
    switch (rights.by) {
      case "server":
        return serverDenial(
          statement,
          rights.privilege,
          `SHOW ${statement.subject} is for exempt principals only`,
        );
      case "accounts":
        return accountsDenial(statement, rights.privilege);
      case "gateway":
        return null;
      case "objects":
        this.#rights.push({ by: "objects", needs: rights.needs, roles: {}, words: { reader: rights.word } });
        return null;
    }
  }

  /** What every statement of its kind names must be there: its absence is a fault of the analysis, not a permit. */
  #missing(): AclDenial | null {
    const statement = this.#statement;
    for (const { needs } of this.#rights) {
      if (needs.length > 0 && needs.every((list) => statement[list].length === 0)) {
        return this.#refuse("a statement whose objects were not recognised");
      }
    }
    return null;
  }

  /** Messages name what the service account may see; SHOW WARNINGS leaves such rows out, a variable could not. */
  #messages(): AclDenial | null {
    if (!this.#statement.asksFor.includes("messages")) return null;
    return this.#refuse("GET DIAGNOSTICS of a message's text or names");
  }

  /** In what is stored, servers answer for the service account: nothing can be put in their place there. */
  #stored(): AclDenial | null {
    const untellable = untellableIdentity([this.#statement]);
    return untellable === null ? null : this.#refuse(untellable);
  }

  #server(): AclDenial | null {
    const statement = this.#statement;
    for (const assignment of statement.assigns) {
      const privilege = privilegeForAssignment(assignment);
      if (privilege !== null) {
        return serverDenial(
          statement,
          privilege,
          `The ${assignment.scope} variable '${assignment.name}' is set`,
        );
      }
    }
    return statement.serverFiles
      ? serverDenial(statement, "FILE", "Files of the server are read or written")
      : null;
  }

  #schemas(): AclDenial | null {
    const { schemas, effects } = this.#statement;
    for (const { name, access } of schemas) {
      const denial = access === "see" ? this.seeSchema(name) : this.#changeSchema(name);
      if (denial !== null) return denial;
    }
    return effects.use === null ? null : this.seeSchema(effects.use.replace(targetSuffix, ""));
  }

  /** 1044 where nothing in the schema can be visible, whether it exists or not. */
  seeSchema(schema: string): AclDenial | null {
    if (seesSchema(this.#acl, this.#identity, schema)) return null;
    return schemaDenial(this.#identity, this.#statement, schema, null);
  }

  #changeSchema(schema: string): AclDenial | null {
    const decision = this.#acl.decideWholeSchema(this.#identity.callerId, schema);
    if (!decision.allowed) return schemaDenial(this.#identity, this.#statement, schema, decision.rule);
    return null;
  }

  #tables(): AclDenial | null {
    return this.#firstDenied(this.#tableDemands());
  }

  #firstDenied(demands: Iterable<Demand>): AclDenial | null {
    for (const { object, name, role, decision, deny } of demands) {
      if (!decision.allowed || decision.rule === null) return deny();
      this.uses.push({ object, name, role, rule: decision.rule });
    }
    return null;
  }

  *#tableDemands(): Generator<Demand> {
    const done = new Set<string>();
    for (const list of listOrder) {
      for (const table of this.#statement[list]) {
        for (const role of this.#rolesFor(list)) {
          const key = JSON.stringify([table.schema, table.name, role]);
          if (done.has(key)) continue;
          done.add(key);
          yield this.#tableDemand(table, role);
        }
      }
    }
  }

  /** The roles of a list under all kinds of the statement: of several, every one. */
  #rolesFor(list: TableList): readonly Role[] {
    const roles = new Set<Role>();
    for (const rights of this.#rights) for (const role of rolesFor(rights, list)) roles.add(role);
    if (list === "reads" && this.#statement.updatableView) roles.add("writer");
    // Without any row (a kind that only carries others) the list itself tells.
    if (roles.size === 0) for (const role of rolesFor(anyKind, list)) roles.add(role);
    return [...roles];
  }

  #tableDemand(table: TableReference, role: Role): Demand {
    const decision = this.#acl.decideTable(this.#identity.callerId, table, role);
    const denied = { table, role, command: this.#word(role), rule: decision.rule };
    const deny = () => tableDenial(this.#identity, this.#statement, denied);
    return { object: "table", name: qualifiedName(table), role, decision, deny };
  }

  /** The word of the first row that has one of its own. */
  #word(role: Role): string {
    const own = this.#rights.find((rights) => rights.words[role] !== undefined);
    return commandWord(own ?? anyKind, role);
  }

  #routines(): AclDenial | null {
    const denied = this.#firstDenied(this.#routineDemands());
    if (denied !== null || this.#statement.routineChanges.length === 0) return denied;
    const dynamic = this.#statement.innerKinds.some((kind) => dynamicKinds.has(kind));
    return dynamic ? this.#refuse("a stored routine with dynamic SQL") : null;
  }

  *#routineDemands(): Generator<Demand> {
    const { routines, routineChanges } = this.#statement;
    for (const routine of routines) yield this.#routineDemand(routine, "executor", "execute");
    for (const routine of routineChanges) yield this.#routineDemand(routine, "admin", "alter routine");
  }

  #routineDemand(routine: RoutineReference, role: Role, command: string): Demand {
    const decision = this.#acl.decideRoutine(this.#identity.callerId, routine, role);
    const denied = { routine, role, command, rule: decision.rule };
    const deny = () =>
      this.#statement.kind === "SHOW"
        ? serverDenial(this.#statement, "SHOW_ROUTINE", `Routine '${qualifiedName(routine)}' is shown`)
        : routineDenial(this.#identity, this.#statement, denied);
    return { object: "routine", name: qualifiedName(routine), role, decision, deny };
  }

  #refuse(feature: string): AclDenial {
    return refusedText(this.#statement, "ER_NOT_SUPPORTED_YET", feature);
  }
}

const anyKind: ObjectRights = { by: "objects", needs: [], roles: {}, words: {} };

/** USE may name a target: the tablet type is no part of the schema. */
const targetSuffix = /@(primary|master|replica|rdonly)$/i;

const dynamicKinds: ReadonlySet<string> = new Set(["PREPARE", "EXECUTE", "EXECUTE IMMEDIATE"]);
