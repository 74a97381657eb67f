// A credential of a users-file entry, decoded. Never logged, never printed.

/** One form of an entry's password. */
export type Credential =
  /** A clear password. */
  | { readonly kind: "clear"; readonly password: string }
  /** SHA1(SHA1(password)), 20 bytes. */
  | { readonly kind: "native"; readonly digest: Uint8Array }
  /** SHA256(SHA256(password)), 32 bytes. */
  | { readonly kind: "sha2"; readonly digest: Uint8Array }
  /** MySQL's `$A$<rounds>$<salt><hash>` (SHA256-crypt): can only check a password in clear. */
  | {
      readonly kind: "sha256crypt";
      /** The complete authentication string: key of the digest cache. */
      readonly authenticationString: string;
      /** Rounds, already multiplied by 1000. */
      readonly rounds: number;
      /** 20 bytes. */
      readonly salt: Uint8Array;
      /** 43 characters of crypt's base64. */
      readonly hash: string;
    };
