// Runs in the browser: asks /api again and again and shows the answers; ends sessions with the token. The token stays
// in a variable of this module: never in storage, never in an address.

import { ago, type Denials, type Point, type Sessions, type Status, stamp, type Users } from "./answers.ts";
import { showDenials } from "./denials.ts";
import { byId, fillTable, visible } from "./draw.ts";
import {
  entryRow,
  sessionRow,
  showCertificates,
  showCharts,
  showFiles,
  showNotices,
  showTablets,
  spanMsMax,
} from "./panels.ts";

const askEveryMs = 2000;
const shownMax = 200;

let token: string | null = null;
let paused = false;
let round = 0;
/** Answers may overtake each other: what was asked for before the shown ones is dropped. */
let askedRounds = 0;
let shownRound = 0;
let points: readonly Point[] = [];
let sessions: Sessions | null = null;
let users: Users | null | "none" = null;
let nowMs = Date.now();

class Refused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

async function ask<T>(path: string, method: "GET" | "POST" = "GET"): Promise<T> {
  const headers: Record<string, string> = token === null ? {} : { Authorization: `Bearer ${token}` };
  const response = await fetch(path, { method, headers, cache: "no-store", redirect: "error" });
  const text = await response.text();
  if (!response.ok) throw new Refused(response.status, text.trim());
  return JSON.parse(text) as T;
}

async function refresh(): Promise<void> {
  askedRounds += 1;
  const mine = askedRounds;
  const user = byId<HTMLInputElement>("sessions-user").value;
  const filter = user === "" ? "" : `&user=${encodeURIComponent(user)}`;
  const holding = encodeURIComponent(byId<HTMLInputElement>("users-filter").value);
  const [status, history, live, denials, entries] = await Promise.all([
    ask<Status>("/api/status"),
    ask<{ points: readonly Point[] }>(`/api/history?after=${points.at(-1)?.at ?? 0}`),
    ask<Sessions>(`/api/sessions?limit=${shownMax}${filter}`),
    askOptional<Denials>("/api/denials"),
    askOptional<Users>(`/api/users?limit=${shownMax}&holding=${holding}`),
  ]);
  if (mine < shownRound) return;
  shownRound = mine;
  round += 1;
  users = entries ?? "none";
  nowMs = Date.parse(status.now);
  const lastAt = points.at(-1)?.at ?? 0;
  const added = history.points.filter((point) => point.at > lastAt);
  points = [...points, ...added].filter((point) => point.at > nowMs - spanMsMax);
  sessions = live;
  showStatus(status);
  showCharts(points, nowMs);
  showSessions();
  showUsers();
  showDenials(denials, nowMs);
  byId("updated").textContent = `Updated ${stamp(status.now).slice(11)}`;
}

/** null: the gateway has none of it. */
async function askOptional<T>(path: string): Promise<T | null> {
  try {
    return await ask<T>(path);
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return null;
    throw error;
  }
}

function showState(kind: "good" | "bad", text: string): void {
  const state = byId("state");
  state.classList.toggle("good", kind === "good");
  state.classList.toggle("bad", kind === "bad");
  const place = byId("state-text");
  // Said aloud by screen readers when it changes, and only then.
  if (place.textContent !== text) place.textContent = text;
}

function showStatus(status: Status): void {
  byId("version").textContent = status.version;
  byId("started").textContent = `${stamp(status.started_at)}, ${ago(status.started_at, nowMs)}`;
  showState(status.ready ? "good" : "bad", status.ready ? "Ready for clients" : "Not ready for clients");
  showNotices(status, nowMs);
  showTablets(status);
  showFiles(status, nowMs);
  showCertificates(status, nowMs);
}

function showSessions(): void {
  if (sessions === null) return;
  const { total, matching, sessions: shown } = sessions;
  const part = matching > shown.length ? `, the first ${shown.length} shown` : "";
  byId("sessions-count").textContent =
    matching === total ? `${total} live${part}` : `${matching} of ${total} live${part}`;
  fillTable(
    "sessions",
    shown.map((session) => sessionRow(session, openEndDialog)),
    "No session matches.",
  );
}

function showUsers(): void {
  if (users === null) return;
  if (users === "none") {
    byId("users-count").textContent = "";
    fillTable("users", [], "Logins are not judged by a users file.");
    return;
  }
  const { matching, entries } = users;
  const part = matching > entries.length ? `, the first ${entries.length} shown` : "";
  byId("users-count").textContent =
    `${matching} ${matching === 1 ? "entry" : "entries"}${part}, generation ${users.users_generation}`;
  fillTable(
    "users",
    entries.map((entry) => entryRow(entry, nowMs)),
    "No entry matches.",
  );
}

// ---- dialogs ----

let endingId = 0;

function openEndDialog(id: number, who: string): void {
  endingId = id;
  byId("end-text").textContent = visible(who);
  byId("end-error").textContent = "";
  byId<HTMLDialogElement>("end-dialog").showModal();
}

async function endSession(): Promise<void> {
  const dialog = byId<HTMLDialogElement>("end-dialog");
  try {
    if (token === null) {
      openTokenDialog();
      return;
    }
    await ask(`/api/sessions/${endingId}/end`, "POST");
    byId("announce").textContent = `Session ${endingId} was ended`;
    dialog.close();
    await refreshAndShowFailure();
  } catch (error) {
    byId("end-error").textContent = visible(error instanceof Error ? error.message : String(error));
    if (error instanceof Refused && error.status === 401) openTokenDialog();
  }
}

function openTokenDialog(): void {
  const dialog = byId<HTMLDialogElement>("token-dialog");
  if (!dialog.open) dialog.showModal();
}

function useToken(): void {
  const input = byId<HTMLInputElement>("token");
  token = input.value === "" ? null : input.value;
  input.value = "";
  byId<HTMLDialogElement>("token-dialog").close();
  byId("token-button").textContent = token === null ? "Token" : "Token is set";
  round = 0;
  if (byId<HTMLDialogElement>("end-dialog").open && token !== null) void endSession();
  else void refreshAndShowFailure();
}

// ---- the clockwork ----

async function refreshAndShowFailure(): Promise<void> {
  const asked = token;
  try {
    await refresh();
  } catch (error) {
    // Refused for a token that was replaced since: the next answer tells about the new one.
    if (error instanceof Refused && asked !== token) return;
    if (error instanceof Refused && error.status === 401) {
      showState("bad", token === null ? "The token is needed" : "The token is wrong");
      if (token === null && round === 0) openTokenDialog();
      round = Math.max(1, round);
      return;
    }
    showState(
      "bad",
      error instanceof Refused ? `Refused: ${visible(error.message)}` : "The gateway does not answer",
    );
  }
}

async function run(): Promise<void> {
  if (!paused && !document.hidden) await refreshAndShowFailure();
  setTimeout(() => void run(), askEveryMs);
}

function listen(id: string, event: string, listener: (event: Event) => void): void {
  byId(id).addEventListener(event, listener);
}

listen("pause", "click", () => {
  paused = !paused;
  byId("pause").setAttribute("aria-pressed", String(paused));
  byId("pause").textContent = paused ? "Paused" : "Pause";
});
listen("token-button", "click", openTokenDialog);
listen("token-cancel", "click", () => byId<HTMLDialogElement>("token-dialog").close());
listen("end-cancel", "click", () => byId<HTMLDialogElement>("end-dialog").close());
listen("token-form", "submit", (event) => {
  event.preventDefault();
  useToken();
});
listen("end-form", "submit", (event) => {
  event.preventDefault();
  void endSession();
});
listen("sessions-user", "input", () => void refreshAndShowFailure());
listen("users-filter", "input", () => void refreshAndShowFailure());
document.addEventListener("redraw", () => showCharts(points, nowMs));
void run();
