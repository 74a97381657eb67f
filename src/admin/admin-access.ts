// Who may ask what of admin HTTP: one pure judgement over a request's facts. Guards against other web origins (a page
// that points its own name here: DNS rebinding; a form that posts here) and against askers without the token.

import { timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";

/** What a route demands. */
export type RouteAccess =
  /** Everybody, from everywhere. */
  | "open"
  /** The page without any data: everybody on loopback; beyond it only where a token is set, which its data then needs. */
  | "page"
  /** Reads: on loopback nothing unless a token is set; beyond it the token. */
  | "read"
  /** Changes: the token even on loopback, and no other origin. */
  | "change";

/** The facts of a request that access depends on. */
export interface AccessFacts {
  readonly access: RouteAccess;
  /** The address that the connection came in on. */
  readonly localAddress: string;
  /** The header `Host`; empty: not sent, as probes of balancers do in HTTP/1.0. */
  readonly host: string;
  /** The header `Origin`; undefined: not sent. */
  readonly origin: string | undefined;
  /** The header `Sec-Fetch-Site`; undefined: not sent. */
  readonly fetchSite: string | undefined;
  /** The header `Authorization`. */
  readonly authorization: string;
  /** The token that is set; null: none. */
  readonly token: string | null;
}

/** Why a request is not answered. */
export interface AccessRefusal {
  readonly status: 401 | 403 | 421;
  readonly sentence: string;
}

/** Judges; null: it may be answered. */
export function refuseAccess(facts: AccessFacts): AccessRefusal | null {
  const { access, token } = facts;
  const loopback = isLoopback(facts.localAddress);
  // Beyond loopback reads are safe from rebinding, for a foreign page has no token; changes are kept strict anyway.
  // Without the header it is no browser that asks.
  const isNamed = facts.host !== "" || access === "change";
  if ((loopback || access === "change") && isNamed && !namesAnAddress(facts.host)) {
    return { status: 421, sentence: "The Host header must be localhost or an IP address" };
  }
  if (access === "open") return null;
  if (access === "change" && !isOwnOrigin(facts)) {
    return { status: 403, sentence: "This is answered to its own origin only" };
  }
  if (token === null) {
    if (access === "change") return { status: 403, sentence: "Set --admin_token_file to change something" };
    if (loopback) return null;
    return { status: 403, sentence: "Set --admin_token_file to ask this from another machine" };
  }
  if (access === "page" || carriesToken(facts.authorization, token)) return null;
  return {
    status: 401,
    sentence: "Send the token of --admin_token_file as 'Authorization: Bearer TOKEN'",
  };
}

/** Whether a Host header is no name that somebody else's DNS could point here. */
function namesAnAddress(host: string): boolean {
  const name = host.replace(/:\d*$/, "").replace(/^\[(.*)\]$/, "$1");
  return name.toLowerCase() === "localhost" || isIP(name) !== 0;
}

/** Whether an address is the machine's own. */
export function isLoopback(address: string): boolean {
  return address === "::1" || /^(::ffff:)?127\./.test(address);
}

/** Programs send neither header; browsers send at least one of them with every POST. */
function isOwnOrigin({ origin, fetchSite, host }: AccessFacts): boolean {
  if (fetchSite !== undefined && fetchSite !== "same-origin") return false;
  if (origin === undefined) return true;
  // https: a proxy in front of us may speak TLS.
  const name = host.toLowerCase();
  return [`http://${name}`, `https://${name}`].includes(origin.toLowerCase());
}

function carriesToken(authorization: string, token: string): boolean {
  const sent = Buffer.from(/^Bearer (\S+)$/i.exec(authorization)?.[1] ?? "");
  const wanted = Buffer.from(token);
  return sent.length === wanted.length && timingSafeEqual(sent, wanted);
}
