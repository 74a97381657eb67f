import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { generateRsaKeyPem, importRsaKey } from "../../../src/auth/rsa-key.ts";
import { rsaResponse } from "../../support/raw/passwords.ts";

const noMask = new Uint8Array(20);

describe("importRsaKey()", () => {
  it.each(["pkcs1", "pkcs8"] as const)(
    "reads %s and decrypts what its public key encrypted",
    async (type) => {
      const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
      const key = await importRsaKey(privateKey.export({ type, format: "pem" }).toString());
      if (typeof key === "string") throw new Error(key);
      expect(key.bytes).toBe(256);
      expect(key.publicKeyPem).toMatch(/^-----BEGIN PUBLIC KEY-----\n/);
      const ciphertext = rsaResponse("secret", noMask, key.publicKeyPem);
      expect(Buffer.from((await key.decrypt(ciphertext)) ?? []).toString()).toBe("secret\0");
      for (const wrong of [
        ciphertext.subarray(1),
        new Uint8Array(256),
        new Uint8Array(0),
        Buffer.alloc(256, 255),
      ]) {
        expect(await key.decrypt(wrong)).toBeNull();
      }
    },
  );

  it("says what is wrong with another file, without quoting it", async () => {
    const pem = (key: { export(options: object): string | Buffer }): string =>
      key.export({ type: "pkcs8", format: "pem" }).toString();
    const small = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey;
    const curve = generateKeyPairSync("ec", { namedCurve: "prime256v1" }).privateKey;
    const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    expect(await importRsaKey(pem(small))).toContain("has 1024 bits");
    expect(await importRsaKey(pem(curve))).toBe("The private key is not an RSA key");
    expect(await importRsaKey(publicKey.export({ type: "spki", format: "pem" }))).toContain(
      "not a private key",
    );
    expect(await importRsaKey("")).toContain("not a private key");
  });

  it("takes the key that generateRsaKeyPem() makes", async () => {
    expect(await importRsaKey(await generateRsaKeyPem())).toMatchObject({ bytes: 256 });
  });
});
