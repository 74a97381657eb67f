// A small public key infrastructure for tests about client certificates: CAs with intermediates and revocation lists, and
// leaves with whatever one wants to see refused. Made at run time with openssl, in a folder that goes with the process.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchFolder } from "./scratch.ts";

/** A certificate and its key: paths, and the text of the certificate. */
export interface Issued {
  readonly name: string;
  readonly cert: string;
  readonly key: string;
  readonly pem: string;
  readonly keyPem: string;
}

/** What stands in a leaf; openssl's spelling. */
export interface LeafOptions {
  /** Default: the name. */
  readonly subject?: string;
  /** Value of subjectAltName, e.g. `URI:spiffe://example.org/app/x`; `DER:...` for raw bytes. */
  readonly names?: string;
  /** Default clientAuth,serverAuth; null: no such extension. */
  readonly usage?: string | null;
  /** Default `CA:FALSE`; null: no such extension. */
  readonly constraints?: string | null;
  readonly keyUsage?: string;
  /** End of its validity, in days from now; negative: expired. */
  readonly days?: number;
  /** Its validity begins so many days from now. Default: it has begun. */
  readonly startsIn?: number;
  /** Further extensions, in openssl's spelling. */
  readonly extensions?: readonly string[];
  /** Default: a P-256 key. */
  readonly newKey?: readonly string[];
  readonly digest?: string;
}

const p256 = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];

const openssl = (cwd: string, ...args: readonly string[]): void => {
  execFileSync("openssl", args, { cwd, stdio: ["ignore", "ignore", "pipe"] });
};

/** An openssl that does not add key identifiers, policies and whatever the machine's own file says. */
const configuration = `[req]
distinguished_name = dn
[dn]
[nothing]
`;

/** A CA: it issues leaves and other CAs, revokes and lists. */
export class Authority implements Issued {
  readonly cert: string;
  readonly key: string;
  readonly name: string;
  readonly #folder: string;

  private constructor(folder: string, name: string) {
    this.#folder = folder;
    this.name = name;
    this.cert = join(folder, `${name}.pem`);
    this.key = join(folder, `${name}.key`);
  }

  /** A root in a folder of its own. */
  static root(
    name = "root",
    subject = "/CN=Test Root",
    days = 30,
    newKey: readonly string[] = p256,
    options: LeafOptions = {},
  ): Authority {
    const { constraints = "CA:TRUE", keyUsage = "keyCertSign,cRLSign", names } = options;
    const folder = scratchFolder("pki");
    writeFileSync(join(folder, "openssl.cnf"), configuration);
    openssl(
      folder,
      ...["req", "-x509", ...newKey, "-nodes", "-keyout", `${name}.key`, "-out", `${name}.pem`],
      ...["-days", String(days), "-subj", subject, "-config", "openssl.cnf"],
      ...["-addext", `basicConstraints=critical,${constraints}`, "-addext", `keyUsage=critical,${keyUsage}`],
      ...(names === undefined ? [] : ["-addext", `subjectAltName=${names}`]),
    );
    return new Authority(folder, name);
  }

  get pem(): string {
    return readFileSync(this.cert, "utf8");
  }

  get keyPem(): string {
    return readFileSync(this.key, "utf8");
  }

  /** A CA under this one, or what calls itself one. */
  intermediate(name: string, options: LeafOptions = {}): Authority {
    this.issue(name, {
      names: "URI:spiffe://example.org",
      usage: null,
      constraints: "CA:TRUE,pathlen:0",
      keyUsage: "keyCertSign,cRLSign",
      ...options,
    });
    return new Authority(this.#folder, name);
  }

  issue(name: string, options: LeafOptions = {}): Issued {
    const { usage = "clientAuth,serverAuth", constraints = "CA:FALSE", days = 30 } = options;
    const extensions = [
      ...(constraints === null ? [] : [`basicConstraints=critical,${constraints}`]),
      `keyUsage=critical,${options.keyUsage ?? "digitalSignature"}`,
      ...(usage === null ? [] : [`extendedKeyUsage=${usage}`]),
      ...(options.names === undefined ? [] : [`subjectAltName=${options.names}`]),
      ...(options.extensions ?? []),
    ];
    writeFileSync(join(this.#folder, `${name}.ext`), `${extensions.join("\n")}\n`);
    openssl(
      this.#folder,
      ...[
        "req",
        "-new",
        ...(options.newKey ?? p256),
        "-nodes",
        "-keyout",
        `${name}.key`,
        "-out",
        `${name}.csr`,
      ],
      ...["-utf8", "-subj", options.subject ?? `/CN=${name}`, "-config", "openssl.cnf"],
    );
    if (options.startsIn !== undefined) this.#issueForLater(name, options.startsIn, days);
    else this.#issueNow(name, days, options.digest);
    const cert = join(this.#folder, `${name}.pem`);
    const key = join(this.#folder, `${name}.key`);
    return { name, cert, key, pem: readFileSync(cert, "utf8"), keyPem: readFileSync(key, "utf8") };
  }

  #issueNow(name: string, days: number, digest: string | undefined): void {
    openssl(
      this.#folder,
      ...["x509", "-req", "-in", `${name}.csr`, "-CA", this.cert, "-CAkey", this.key, "-CAcreateserial"],
      ...["-days", String(days), "-extfile", `${name}.ext`, "-out", `${name}.pem`],
      ...(digest === undefined ? [] : [`-${digest}`]),
    );
  }

  /** `openssl x509` begins now, always. */
  #issueForLater(name: string, startsIn: number, days: number): void {
    const at = (inDays: number): string => {
      const time = new Date(Date.now() + inDays * 86_400_000).toISOString();
      return `${time.replace(/[-:T]/g, "").slice(0, 14)}Z`;
    };
    const file = (suffix: string): string => join(this.#folder, `${name}.${suffix}`);
    this.#ca(
      ...["-batch", "-notext", "-in", file("csr"), "-extfile", file("ext")],
      ...["-out", file("pem"), "-startdate", at(startsIn), "-enddate", at(startsIn + days)],
    );
  }

  /** Puts `leaf` on the next list. */
  revoke(leaf: Issued): void {
    this.#ca("-revoke", leaf.cert);
  }

  /** A revocation list, PEM. `from` and `to` as openssl wants them (YYYYMMDDHHMMSSZ); default: from now for 30 days. */
  revocationList(period?: { readonly from: string; readonly to: string }): string {
    const out = join(this.#folder, `${this.name}.crl`);
    const times = period === undefined ? [] : ["-crl_lastupdate", period.from, "-crl_nextupdate", period.to];
    this.#ca("-gencrl", "-out", out, ...times);
    return readFileSync(out, "utf8");
  }

  #ca(...args: readonly string[]): void {
    const folder = join(this.#folder, `list-${this.name}`);
    if (!existsSync(folder)) {
      mkdirSync(folder);
      writeFileSync(join(folder, "index.txt"), "");
      writeFileSync(join(folder, "crlnumber"), "01\n");
      writeFileSync(join(folder, "serial"), "7001\n");
      writeFileSync(
        join(folder, "ca.cnf"),
        "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ncrlnumber=crlnumber\ndefault_md=sha256\ndefault_crl_days=30\nnew_certs_dir=.\nserial=serial\npolicy=p\n[p]\ncommonName=supplied\n",
      );
    }
    openssl(folder, "ca", "-config", "ca.cnf", "-cert", this.cert, "-keyfile", this.key, ...args);
  }
}

/** `names` of a leaf: one URI of any bytes, which openssl's own spelling does not allow. */
export function rawUri(text: string): string {
  const bytes = Buffer.from(text, "latin1");
  const name = Buffer.concat([Buffer.of(0x86), derLength(bytes.length), bytes]);
  const names = Buffer.concat([Buffer.of(0x30), derLength(name.length), name]);
  return `DER:${names.toString("hex").replace(/(..)(?!$)/g, "$1:")}`;
}

function derLength(length: number): Buffer {
  return length < 0x80 ? Buffer.of(length) : Buffer.of(0x82, length >> 8, length & 0xff);
}

/** The usual server certificate. */
export function issueServer(authority: Authority, name = "server"): Issued {
  return authority.issue(name, { names: "DNS:localhost,IP:127.0.0.1" });
}
