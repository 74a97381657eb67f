// The caller id that ACL and routing see, in Vitess's terms (go/vt/callerid).

/** Who the statement is run for: the matched entry's UserData and Groups (the base's where a proxy user is mapped). */
export interface ImmediateCallerId {
  /** UserData: the name that table ACLs and routing rules list. */
  readonly username: string;
  /** Further principals, in the order of the file. */
  readonly groups: readonly string[];
}
