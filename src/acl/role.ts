// The roles of the table ACL. They do not imply each other (as Vitess `go/vt/tableacl`).

/** What a principal may do: read rows, change rows, change definitions, run a routine. */
export type Role = "reader" | "writer" | "admin" | "executor";
