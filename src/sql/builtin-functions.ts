// THE table of built-in functions: which names are the server's own, since when, how they may be written, and which of
// them do more than compute. Measured on MySQL 9.7.4, MariaDB 10.11.19 and 11.8.6, older and newer versions by the manuals
// (https://dev.mysql.com/doc/refman/8.4/en/built-in-function-reference.html,
// https://mariadb.com/docs/server/reference/sql-functions). What does not stand here is a stored or loadable function.

import type { Flavour } from "./dialect.ts";

/**
 * How a call must be written to mean the built-in. `word`: as a word without quotes; `adjacent`: also with the
 * parenthesis right behind it (unless IGNORE_SPACE); `any`: quotes and white space do not matter.
 */
export type CallForm = "word" | "adjacent" | "any";

/** A range of versions, as executable comments write them; `until` is the first one without. */
interface Versions {
  readonly mysql?: { readonly since: number; readonly until?: number };
  readonly mariadb?: { readonly since: number; readonly until?: number };
}

const everywhere: Versions = { mysql: { since: 0 }, mariadb: { since: 0 } };
const mysqlOnly = (since: number, until?: number): Versions => ({
  mysql: until === undefined ? { since } : { since, until },
});
const mariadbOnly = (since: number): Versions => ({ mariadb: { since } });

interface Group {
  readonly form: CallForm;
  readonly versions: Versions;
  readonly names: string;
}

const groups: readonly Group[] = [
  {
    form: "word",
    versions: everywhere,
    names: `ASCII AVG CHAR CHARSET COALESCE COLLATION CONTAINS CONVERT CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP
      CURRENT_USER DATABASE DATE DAY DEFAULT FORMAT GEOMETRYCOLLECTION GET_FORMAT HOUR IF INSERT INTERVAL LEFT
      LINESTRING LOCALTIME LOCALTIMESTAMP MATCH MICROSECOND MINUTE MOD MONTH MULTILINESTRING MULTIPOINT MULTIPOLYGON
      POINT POLYGON QUARTER REPEAT REPLACE RIGHT ROW ROW_COUNT SCHEMA SECOND TIME TIMESTAMP TIMESTAMPADD TIMESTAMPDIFF
      TRUNCATE USER UTC_DATE UTC_TIME UTC_TIMESTAMP VALUE VALUES WEEK WEIGHT_STRING YEAR`,
  },
  { form: "word", versions: mariadbOnly(0), names: "SYSDATE" },
  { form: "adjacent", versions: mysqlOnly(0), names: "SYSDATE" },
  {
    form: "word",
    versions: mysqlOnly(80_011),
    names: "LAG LEAD CUME_DIST DENSE_RANK FIRST_VALUE LAST_VALUE",
  },
  {
    form: "word",
    versions: mysqlOnly(80_011),
    names: "NTH_VALUE NTILE PERCENT_RANK RANK ROW_NUMBER GROUPING",
  },
  { form: "word", versions: mysqlOnly(80_021), names: "JSON_VALUE" },
  { form: "word", versions: mysqlOnly(80_011), names: "GEOMCOLLECTION" },
  { form: "word", versions: mysqlOnly(80_017), names: "MEMBER" },
  { form: "word", versions: mysqlOnly(0, 80_011), names: "PASSWORD" },
  {
    form: "word",
    versions: mariadbOnly(0),
    names: `CURRENT_ROLE LASTVAL NEXTVAL SETVAL LAST_VALUE ROW_NUMBER COLUMN_ADD COLUMN_CREATE COLUMN_DELETE
      COLUMN_GET`,
  },
  { form: "word", versions: mariadbOnly(100_601), names: "ROWNUM" },
  {
    form: "adjacent",
    versions: everywhere,
    names: `ADDDATE BIT_AND BIT_OR BIT_XOR CAST COUNT CURDATE CURTIME DATE_ADD DATE_SUB EXTRACT GROUP_CONCAT
      JSON_ARRAYAGG JSON_OBJECTAGG MAX MID MIN NOW POSITION SESSION_USER STD STDDEV STDDEV_POP STDDEV_SAMP SUBDATE
      SUBSTR SUBSTRING SUM SYSTEM_USER TRIM VARIANCE VAR_POP VAR_SAMP`,
  },
  {
    form: "adjacent",
    versions: mariadbOnly(0),
    names: `CUME_DIST DENSE_RANK FIRST_VALUE LAG LEAD MEDIAN NTH_VALUE NTILE PERCENTILE_CONT PERCENTILE_DISC PERCENT_RANK
      RANK TRIM_ORACLE`,
  },
  { form: "adjacent", versions: mysqlOnly(80_024), names: "ST_COLLECT" },
  { form: "adjacent", versions: mysqlOnly(90_400), names: "JSON_DUALITY_OBJECT" },
  {
    form: "any",
    versions: everywhere,
    names: `ABS ACOS ADDTIME AES_DECRYPT AES_ENCRYPT ASIN ATAN ATAN2 BENCHMARK BIN BIT_COUNT BIT_LENGTH CEIL CEILING
      CHARACTER_LENGTH CHAR_LENGTH COERCIBILITY COMPRESS CONCAT CONCAT_WS CONNECTION_ID CONV CONVERT_TZ COS COT CRC32
      DATEDIFF DATE_FORMAT DAYNAME DAYOFMONTH DAYOFWEEK DAYOFYEAR DEGREES ELT EXP EXPORT_SET EXTRACTVALUE FIELD
      FIND_IN_SET FLOOR FOUND_ROWS FROM_BASE64 FROM_DAYS FROM_UNIXTIME GET_LOCK GREATEST HEX IFNULL INET6_ATON INET6_NTOA
      INET_ATON INET_NTOA INSTR ISNULL IS_FREE_LOCK IS_IPV4 IS_IPV4_COMPAT IS_IPV4_MAPPED IS_IPV6 IS_USED_LOCK JSON_ARRAY
      JSON_ARRAY_APPEND JSON_ARRAY_INSERT JSON_CONTAINS JSON_CONTAINS_PATH JSON_DEPTH JSON_EXTRACT JSON_INSERT JSON_KEYS
      JSON_LENGTH JSON_MERGE JSON_OBJECT JSON_QUOTE JSON_REMOVE JSON_REPLACE JSON_SEARCH JSON_SET JSON_TYPE JSON_UNQUOTE
      JSON_VALID LAST_DAY LAST_INSERT_ID LCASE LEAST LENGTH LN LOAD_FILE LOCATE LOG LOG10 LOG2 LOWER LPAD LTRIM MAKEDATE
      MAKETIME MAKE_SET MASTER_POS_WAIT MONTHNAME NAME_CONST NULLIF OCT OCTET_LENGTH ORD PERIOD_ADD PERIOD_DIFF PI POW
      POWER QUOTE RADIANS RAND RELEASE_ALL_LOCKS RELEASE_LOCK REVERSE ROUND RPAD RTRIM SEC_TO_TIME SHA2 SIGN SIN SLEEP
      SOUNDEX SPACE SQRT STRCMP STR_TO_DATE ST_AREA ST_ASBINARY ST_ASTEXT ST_ASWKB ST_ASWKT ST_BUFFER ST_CENTROID
      ST_CONTAINS ST_CROSSES ST_DIFFERENCE ST_DIMENSION ST_DISJOINT ST_DISTANCE ST_ENDPOINT ST_ENVELOPE ST_EQUALS
      ST_EXTERIORRING ST_GEOMCOLLFROMTEXT ST_GEOMCOLLFROMWKB ST_GEOMETRYCOLLECTIONFROMTEXT ST_GEOMETRYCOLLECTIONFROMWKB
      ST_GEOMETRYFROMTEXT ST_GEOMETRYFROMWKB ST_GEOMETRYN ST_GEOMETRYTYPE ST_GEOMFROMTEXT ST_GEOMFROMWKB ST_INTERIORRINGN
      ST_INTERSECTION ST_INTERSECTS ST_ISCLOSED ST_ISEMPTY ST_ISSIMPLE ST_LENGTH ST_LINEFROMTEXT ST_LINEFROMWKB
      ST_LINESTRINGFROMTEXT ST_LINESTRINGFROMWKB ST_NUMGEOMETRIES ST_NUMINTERIORRINGS ST_NUMPOINTS ST_OVERLAPS
      ST_POINTFROMTEXT ST_POINTFROMWKB ST_POINTN ST_POLYFROMTEXT ST_POLYFROMWKB ST_POLYGONFROMTEXT ST_POLYGONFROMWKB
      ST_SRID ST_STARTPOINT ST_SYMDIFFERENCE ST_TOUCHES ST_UNION ST_WITHIN ST_X ST_Y ST_ASGEOJSON ST_CONVEXHULL
      ST_GEOMFROMGEOJSON SUBSTRING_INDEX SUBTIME TAN TIMEDIFF TIME_FORMAT TIME_TO_SEC TO_BASE64 TO_DAYS TO_SECONDS UCASE
      UNCOMPRESS UNCOMPRESSED_LENGTH UNHEX UNIX_TIMESTAMP UPDATEXML UPPER UUID UUID_SHORT VERSION WEEKDAY WEEKOFYEAR
      YEARWEEK ST_MLINEFROMTEXT ST_MLINEFROMWKB ST_MPOINTFROMTEXT ST_MPOINTFROMWKB ST_MPOLYFROMTEXT ST_MPOLYFROMWKB
      ST_MULTILINESTRINGFROMTEXT ST_MULTIPOINTFROMWKB ST_MULTILINESTRINGFROMWKB ST_MULTIPOINTFROMTEXT ST_MULTIPOLYGONFROMTEXT ST_MULTIPOLYGONFROMWKB MBRCONTAINS MBRDISJOINT MBRINTERSECTS MBROVERLAPS MBRTOUCHES MBRWITHIN`,
  },
  // MySQL took these hashes out of the server at last.
  {
    form: "any",
    versions: { mysql: { since: 0, until: 90_500 }, mariadb: { since: 0 } },
    names: "MD5 SHA SHA1",
  },
  {
    form: "any",
    versions: { mysql: { since: 80_004 }, mariadb: { since: 0 } },
    names: "REGEXP_INSTR REGEXP_SUBSTR",
  },
  { form: "any", versions: { mysql: { since: 80_004 }, mariadb: { since: 0 } }, names: "REGEXP_REPLACE" },
  {
    form: "any",
    versions: { mysql: { since: 80_017 }, mariadb: { since: 100_900 } },
    names: "JSON_OVERLAPS",
  },
  { form: "any", versions: { mysql: { since: 50_722 }, mariadb: { since: 101_004 } }, names: "JSON_PRETTY" },
  {
    form: "any",
    versions: { mysql: { since: 50_722 }, mariadb: { since: 0 } },
    names: "JSON_MERGE_PATCH JSON_MERGE_PRESERVE ST_DISTANCE_SPHERE MBREQUALS",
  },
  { form: "any", versions: { mysql: { since: 0 }, mariadb: { since: 101_000 } }, names: "RANDOM_BYTES" },
  {
    form: "any",
    versions: mysqlOnly(0),
    names: `ANY_VALUE GTID_SUBSET GTID_SUBTRACT MBRCOVEREDBY MBRCOVERS ST_BUFFER_STRATEGY ST_GEOHASH ST_ISVALID
      ST_LATFROMGEOHASH ST_LONGFROMGEOHASH ST_MAKEENVELOPE ST_NUMINTERIORRING ST_POINTFROMGEOHASH ST_SIMPLIFY ST_VALIDATE
      VALIDATE_PASSWORD_STRENGTH WAIT_FOR_EXECUTED_GTID_SET`,
  },
  {
    form: "any",
    versions: mysqlOnly(80_011),
    names: `BIN_TO_UUID CURRENT_ROLE ICU_VERSION IS_UUID REGEXP_LIKE ROLES_GRAPHML STATEMENT_DIGEST STATEMENT_DIGEST_TEXT
      ST_LATITUDE ST_LONGITUDE ST_SWAPXY ST_TRANSFORM UUID_TO_BIN JSON_STORAGE_SIZE JSON_STORAGE_FREE`,
  },
  {
    form: "any",
    versions: mysqlOnly(80_016),
    names: "FORMAT_BYTES FORMAT_PICO_TIME PS_CURRENT_THREAD_ID PS_THREAD_ID",
  },
  { form: "any", versions: mysqlOnly(80_017), names: "JSON_SCHEMA_VALID JSON_SCHEMA_VALIDATION_REPORT" },
  { form: "any", versions: mysqlOnly(80_024), names: "ST_LINEINTERPOLATEPOINT ST_LINEINTERPOLATEPOINTS" },
  {
    form: "any",
    versions: mysqlOnly(80_024),
    names: "ST_POINTATDISTANCE ST_FRECHETDISTANCE ST_HAUSDORFFDISTANCE",
  },
  { form: "any", versions: mysqlOnly(80_026), names: "SOURCE_POS_WAIT" },
  {
    form: "any",
    versions: mysqlOnly(90_000),
    names: "STRING_TO_VECTOR TO_VECTOR VECTOR_TO_STRING FROM_VECTOR VECTOR_DIM",
  },
  { form: "any", versions: mysqlOnly(90_400), names: "ETAG" },
  { form: "any", versions: mysqlOnly(0, 80_003), names: "DES_DECRYPT DES_ENCRYPT ENCODE DECODE ENCRYPT" },
  {
    form: "any",
    versions: mariadbOnly(0),
    names: `ADD_MONTHS BINLOG_GTID_POS CHR COLUMN_CHECK COLUMN_EXISTS COLUMN_JSON COLUMN_LIST DECODE DECODE_HISTOGRAM
      DES_DECRYPT DES_ENCRYPT ENCODE ENCRYPT JSON_COMPACT JSON_DETAILED JSON_EXISTS JSON_LOOSE JSON_QUERY JSON_VALUE
      LENGTHB MASTER_GTID_WAIT NVL NVL2 OLD_PASSWORD PASSWORD ST_BOUNDARY ST_ISRING ST_POINTONSURFACE ST_RELATE SYS_GUID
      TO_CHAR WSREP_LAST_SEEN_GTID WSREP_LAST_WRITTEN_GTID WSREP_SYNC_WAIT_UPTO_GTID X Y SRID GLENGTH DIMENSION
      GEOMETRYTYPE NUMPOINTS POINTN STARTPOINT ENDPOINT ASTEXT ASWKT ASBINARY ASWKB GEOMFROMTEXT GEOMETRYFROMTEXT
      GEOMFROMWKB POINTFROMTEXT LINEFROMTEXT POLYFROMTEXT AREA CENTROID ENVELOPE EXTERIORRING WITHIN INTERSECTS
      DISJOINT EQUALS TOUCHES CROSSES OVERLAPS ISCLOSED ISEMPTY ISSIMPLE NUMGEOMETRIES GEOMETRYN POINTFROMWKB
      LINEFROMWKB POLYFROMWKB POLYGONFROMTEXT POLYGONFROMWKB LINESTRINGFROMTEXT LINESTRINGFROMWKB GEOMETRYFROMWKB
      GEOMCOLLFROMTEXT GEOMCOLLFROMWKB INTERIORRINGN NUMINTERIORRINGS CONVEXHULL BUFFER DECODE_ORACLE CONCAT_OPERATOR_ORACLE
      MULTIPOLYGONFROMTEXT MULTIPOINTFROMTEXT MULTILINESTRINGFROMTEXT MPOLYFROMTEXT MLINEFROMTEXT MPOINTFROMTEXT
      MULTIPOLYGONFROMWKB MULTIPOINTFROMWKB MULTILINESTRINGFROMWKB GEOMETRYCOLLECTIONFROMTEXT GEOMETRYCOLLECTIONFROMWKB
      MPOLYFROMWKB MLINEFROMWKB MPOINTFROMWKB LPAD_ORACLE LTRIM_ORACLE REPLACE_ORACLE RPAD_ORACLE RTRIM_ORACLE SUBSTR_ORACLE`,
  },
  {
    form: "any",
    versions: mariadbOnly(100_700),
    names: "JSON_EQUALS JSON_NORMALIZE NATURAL_SORT_KEY SFORMAT",
  },
  { form: "any", versions: mariadbOnly(100_800), names: "CRC32C" },
  { form: "any", versions: mariadbOnly(110_002), names: "FORMAT_PICO_TIME" },
  { form: "any", versions: mariadbOnly(110_100), names: "JSON_SCHEMA_VALID" },
  { form: "any", versions: mariadbOnly(110_300), names: "JSON_ARRAY_INTERSECT JSON_KEY_VALUE KDF" },
  { form: "any", versions: mariadbOnly(110_300), names: "JSON_OBJECT_FILTER_KEYS JSON_OBJECT_TO_ARRAY" },
  {
    form: "any",
    versions: mariadbOnly(110_700),
    names: "VEC_DISTANCE_EUCLIDEAN VEC_DISTANCE_COSINE VEC_FROMTEXT",
  },
  { form: "any", versions: mariadbOnly(110_700), names: "VEC_TOTEXT VEC_DISTANCE UUID_V4 UUID_V7" },
  { form: "any", versions: mariadbOnly(110_800), names: "FORMAT_BYTES" },
];

/** Built-ins after which a statement is not read-only, and why. Some are so with arguments only: see the analyser. */
const effects: ReadonlyMap<string, string> = new Map(
  Object.entries({
    GET_LOCK: "it takes a lock",
    RELEASE_LOCK: "it releases a lock",
    RELEASE_ALL_LOCKS: "it releases locks",
    IS_FREE_LOCK: "it looks at locks",
    IS_USED_LOCK: "it looks at locks",
    SLEEP: "it waits",
    BENCHMARK: "it repeats an expression",
    LOAD_FILE: "it reads a file of the server",
    UUID_SHORT: "it counts",
    MASTER_POS_WAIT: "it waits for replication",
    SOURCE_POS_WAIT: "it waits for replication",
    MASTER_GTID_WAIT: "it waits for replication",
    WAIT_FOR_EXECUTED_GTID_SET: "it waits for replication",
    WSREP_SYNC_WAIT_UPTO_GTID: "it waits for replication",
    WSREP_LAST_SEEN_GTID: "it looks at replication",
    WSREP_LAST_WRITTEN_GTID: "it looks at replication",
    BINLOG_GTID_POS: "it looks at replication",
    NEXTVAL: "it moves a sequence",
    SETVAL: "it moves a sequence",
    LASTVAL: "it asks for the session's place in a sequence",
    ENCRYPT: "it uses the server's own means",
    DES_ENCRYPT: "it uses the server's own keys",
    DES_DECRYPT: "it uses the server's own keys",
    PS_CURRENT_THREAD_ID: "it asks for the server's own numbers",
    PS_THREAD_ID: "it asks for the server's own numbers",
    ROLES_GRAPHML: "it asks for accounts",
  }),
);

/** One built-in as one server has it. */
export interface BuiltinFunction {
  readonly form: CallForm;
  /** Why a statement that calls it is not read-only; null: it only computes. */
  readonly effect: string | null;
}

const tables = new Map<string, ReadonlyMap<string, BuiltinFunction>>();

function tableFor(flavour: Flavour, version: number): ReadonlyMap<string, BuiltinFunction> {
  const key = `${flavour} ${version}`;
  const made = tables.get(key);
  if (made !== undefined) return made;
  const table = new Map<string, BuiltinFunction>();
  for (const { form, versions, names } of groups) {
    const range = versions[flavour];
    if (
      range === undefined ||
      version < range.since ||
      version >= (range.until ?? Number.POSITIVE_INFINITY)
    ) {
      continue;
    }
    for (const name of names.split(/\s+/)) {
      if (name !== "") table.set(name, { form, effect: effects.get(name) ?? null });
    }
  }
  // Versions come from backends, but a text could name one: never keep many.
  if (tables.size < 16) tables.set(key, table);
  return table;
}

/** The names, on whatever server, that are the built-in's only where the parenthesis stands right behind them. */
export const namesThatMindSpace: readonly string[] = groups
  .filter(({ form }) => form === "adjacent")
  .flatMap(({ names }) => names.split(/\s+/));

/** The built-in of that name (in capitals) on that server; undefined: it would be a stored or loadable function. */
export function builtinFunction(
  name: string,
  flavour: Flavour,
  version: number,
): BuiltinFunction | undefined {
  return tableFor(flavour, version).get(name);
}
