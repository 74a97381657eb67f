// Variables whose session value servers let administrators only change. The service account may have the right for its
// own work: the clients behind it must not
// (https://dev.mysql.com/doc/refman/8.4/en/system-variable-privileges.html, https://mariadb.com/docs/server).

import type { VariableAssignment } from "../sql/statement-summary.ts";

// Those for which MySQL 9.7 or MariaDB 10.11 answer 1227 to an account without privileges, less the ones that concern
// nobody but the session itself and that dumps set (innodb_strict_mode, bulk_insert_buffer_size, ...).
const restrictedSessionVariables = new Set([
  "binlog_annotate_row_events",
  "binlog_direct_non_transactional_updates",
  "binlog_format",
  "binlog_row_image",
  "binlog_row_metadata",
  "binlog_row_value_options",
  "binlog_rows_query_log_events",
  "binlog_transaction_compression",
  "binlog_transaction_compression_level_zstd",
  "connection_memory_chunk_size",
  "connection_memory_limit",
  "debug",
  "debug_dbug",
  "debug_sync",
  "enforce_storage_engine",
  "global_connection_memory_tracking",
  "gtid_domain_id",
  "gtid_next",
  "gtid_seq_no",
  "histogram_generation_max_mem_size",
  "immediate_server_version",
  "innodb_tmpdir",
  "log_disabled_statements",
  "original_commit_timestamp",
  "original_server_version",
  "pseudo_replica_mode",
  "pseudo_slave_mode",
  "pseudo_thread_id",
  "server_id",
  "sql_generate_invisible_primary_key",
  "sql_log_bin",
  "sql_log_off",
  "sql_require_primary_key",
  "wsrep_on",
  "xa_detach_on_prepare",
]);

/** The privilege that an assignment wants, in MySQL's words for error 1227; null: none. */
export function privilegeForAssignment(assignment: VariableAssignment): string | null {
  switch (assignment.scope) {
    case "global":
    case "persist":
      return "SUPER or SYSTEM_VARIABLES_ADMIN";
    case "session":
      return restrictedSessionVariables.has(assignment.name)
        ? "SUPER, SYSTEM_VARIABLES_ADMIN or SESSION_VARIABLES_ADMIN"
        : null;
    case "user":
    case "local":
      return null;
  }
}
