import { describe, expect, it } from "vitest";
import * as capabilityModule from "../../../src/wire/capabilities.ts";
import {
  announcedCapabilities,
  backendLoginCapabilities,
  bytesChangingCapabilities,
  type CapabilityRow,
  capabilityTable,
  has,
  poolKeyOf,
} from "../../../src/wire/capabilities.ts";
import * as commandModule from "../../../src/wire/commands.ts";
import { type CommandRow, commandOf, commandTable } from "../../../src/wire/commands.ts";
import * as statusModule from "../../../src/wire/status-flags.ts";
import { statusFlagTable } from "../../../src/wire/status-flags.ts";

const rows = Object.values<CapabilityRow>(capabilityTable);

describe("capabilityTable", () => {
  it("names each of the 32 bits once", () => {
    expect(rows.map((row) => row.bit)).toEqual(Array.from({ length: 32 }, (_, index) => 2 ** index));
  });

  it("is what the constants are", () => {
    const constants = Object.entries(capabilityModule).filter(([name]) => name.startsWith("CLIENT_"));
    expect(constants.length).toBeGreaterThan(15);
    for (const [name, bit] of constants) {
      expect(bit, name).toBe((capabilityTable as Record<string, CapabilityRow>)[name.slice(7)]?.bit);
    }
  });
});

describe("announcedCapabilities()", () => {
  const mysql97 = 0xdfffffff;
  const mariadb1011 = 0x81fffffe;

  it("in front of MySQL 9.7 leaves out what is not offered, and SSL", () => {
    expect(announcedCapabilities(mysql97, true).toString(16)).toBe("1fff7df");
  });

  it("in front of MariaDB clears LONG_PASSWORD as MariaDB does", () => {
    expect(announcedCapabilities(mariadb1011, true).toString(16)).toBe("1fff7de");
  });

  it("never announces a byte-changing bit that the backend lacks", () => {
    expect(announcedCapabilities(0, true) & bytesChangingCapabilities).toBe(0);
    for (const row of rows.filter((item) => item.policy === "pool key")) {
      expect(has(announcedCapabilities((mysql97 & ~row.bit) >>> 0, true), row.bit)).toBe(false);
      expect(has(announcedCapabilities(row.bit, true), row.bit)).toBe(true);
    }
  });

  it("never announces what is not offered", () => {
    for (const row of rows.filter((item) => item.policy === "not offered")) {
      expect(has(announcedCapabilities(0xffffffff, true), row.bit)).toBe(false);
    }
  });
});

describe("backendLoginCapabilities()", () => {
  it("has exactly the client's byte-changing bits", () => {
    for (const client of [0, 0xffffffff, capabilityModule.CLIENT_DEPRECATE_EOF, 0x01ffffff]) {
      const login = backendLoginCapabilities(client, 0xffffffff);
      expect(poolKeyOf(login)).toBe(poolKeyOf(client));
      expect(has(login, capabilityModule.CLIENT_PROTOCOL_41 | capabilityModule.CLIENT_PLUGIN_AUTH)).toBe(
        true,
      );
    }
  });

  it("asks for nothing that the server has not", () => {
    expect(backendLoginCapabilities(0xffffffff, 0x0200)).toBe(0x0200);
  });
});

describe("has()", () => {
  it("wants every bit, the highest too", () => {
    expect(has(0x80000000, 0x80000000)).toBe(true);
    expect(has(0x80000001, 0x80000003)).toBe(false);
    expect(has(0xffffffff | 0, 0xffffffff)).toBe(true);
  });
});

describe("commandTable", () => {
  it("has every byte once", () => {
    const bytes = Object.values<CommandRow>(commandTable).map((row) => row.byte);
    expect(new Set(bytes).size).toBe(bytes.length);
    for (let byte = 0; byte <= 0x1f; byte += 1) expect(bytes).toContain(byte);
  });

  it("is what the constants are", () => {
    const constants = Object.entries(commandModule).filter(([name]) => name.startsWith("COM_"));
    expect(constants.length).toBeGreaterThan(10);
    for (const [name, byte] of constants) {
      expect(byte, name).toBe((commandTable as Record<string, CommandRow>)[name.slice(4)]?.byte);
    }
  });

  it("refuses every command whose reply never ends", () => {
    const endless = Object.values<CommandRow>(commandTable).filter((row) => row.reply === "endless");
    expect(endless.length).toBeGreaterThan(1);
    for (const row of endless) expect(row.policy).toBe("refused");
  });

  it("is found by byte", () => {
    expect(commandOf(0x03)).toBe(commandTable.QUERY);
    expect(commandOf(0x22)).toBeUndefined();
    expect(commandOf(-1)).toBeUndefined();
    expect(commandOf(256)).toBeUndefined();
  });
});

describe("statusFlagTable", () => {
  it("names 16 bits, 0x4 excepted, in order", () => {
    const bits = Object.values(statusFlagTable);
    expect(bits).toEqual(Array.from({ length: 16 }, (_, index) => 2 ** index).filter((bit) => bit !== 4));
  });

  it("is what the constants are", () => {
    const values = new Set<number>(Object.values(statusFlagTable));
    const constants = Object.entries(statusModule).filter(([name]) => name.startsWith("STATUS_"));
    expect(constants.length).toBeGreaterThan(5);
    for (const [name, bit] of constants) expect(values.has(bit as number), name).toBe(true);
  });
});
