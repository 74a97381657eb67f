// A column or parameter definition (protocol 4.1), for the few results that the gateway makes itself.

import { Writer } from "../writer.ts";

/** One definition. `type` is a MYSQL_TYPE number. */
export interface ColumnDefinition {
  readonly name: string;
  readonly collation: number;
  readonly length: number;
  readonly type: number;
  readonly flags: number;
  readonly decimals: number;
}

/** What servers send for a `?`: binary, of a string's type. */
export const parameterDefinition: ColumnDefinition = {
  name: "?",
  collation: 63,
  length: 0,
  type: 0xfd,
  flags: 0x80,
  decimals: 0,
};

/** Encodes a definition that belongs to no table. */
export function encodeColumnDefinition(column: ColumnDefinition): Buffer {
  const nothing = new Uint8Array(0);
  return new Writer(48)
    .lenencBytes(Buffer.from("def"))
    .lenencBytes(nothing)
    .lenencBytes(nothing)
    .lenencBytes(nothing)
    .lenencBytes(Buffer.from(column.name, "utf8"))
    .lenencBytes(nothing)
    .u8(0x0c)
    .u16(column.collation)
    .u32(column.length)
    .u8(column.type)
    .u16(column.flags)
    .u8(column.decimals)
    .zeros(2)
    .finish();
}
