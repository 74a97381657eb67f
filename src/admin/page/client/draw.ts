// Runs in the browser: charts and tables of the status page. Text becomes text nodes only, never markup; rows and
// lines are kept and changed in place, so that focus and selection survive an update.

/** A cell: a first line, a second, softer one, and whether it is bad news. */
export interface Cell {
  readonly text: string;
  readonly more?: string | undefined;
  readonly bad?: boolean | undefined;
  readonly numeric?: boolean | undefined;
}

/** A row of a table; `key` names it over updates. */
export interface Row {
  readonly key: string;
  readonly cells: readonly Cell[];
  readonly busy?: boolean;
  /** A last cell with a button; `label` tells what it does to whom. */
  readonly button?: {
    readonly text: string;
    readonly label: string;
    /** Whether it changes nothing. @default false */
    readonly harmless?: boolean;
    readonly press: () => void;
  };
}

/** The element with this id. @throws TypeError when the page has none. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (element === null) throw new TypeError(`The page has no #${id}`);
  return element as T;
}

/** Characters that are invisible or turn the order of others around, written out; everything else as it is. */
export function visible(text: string): string {
  return text.replaceAll(
    /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (char) => `\\u{${char.charCodeAt(0).toString(16)}}`,
  );
}

function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Fills the body of `#id` with `rows`; `empty` is said where there are none. */
export function fillTable(id: string, rows: readonly Row[], empty: string): void {
  const body = byId<HTMLTableElement>(id).tBodies[0];
  if (body === undefined) return;
  const focused = document.activeElement;
  const known = new Map([...body.rows].map((row) => [row.dataset.key ?? "", row]));
  const wanted = new Set(rows.map((row) => row.key));
  // First of all: a row that goes must not make all behind it move.
  for (const [key, row] of known) if (!wanted.has(key)) row.remove();
  for (const [position, row] of rows.entries()) {
    const element = known.get(row.key) ?? newRow(row);
    fillRow(element, row);
    const present = body.rows[position];
    if (present !== element) body.insertBefore(element, present ?? null);
  }
  // An element that is moved loses the focus, and the next key would go nowhere.
  if (focused instanceof HTMLElement && focused !== document.activeElement && body.contains(focused)) {
    focused.focus({ preventScroll: true });
  }
  const note = byId(`${id}-empty`);
  note.hidden = rows.length > 0;
  byId(id).parentElement?.toggleAttribute("hidden", rows.length === 0);
  setText(note, empty);
}

function newRow(row: Row): HTMLTableRowElement {
  const element = document.createElement("tr");
  element.dataset.key = row.key;
  for (const cell of row.cells) {
    const place = element.insertCell();
    if (cell.numeric) place.className = "number";
    const text = document.createElement("bdi");
    const more = document.createElement("bdi");
    more.className = "more";
    place.append(text, more);
  }
  if (row.button !== undefined) {
    const button = document.createElement("button");
    button.type = "button";
    if (row.button.harmless !== true) button.className = "danger";
    button.textContent = row.button.text;
    element.insertCell().append(button);
  }
  return element;
}

function fillRow(element: HTMLTableRowElement, row: Row): void {
  element.classList.toggle("busy", row.busy === true);
  for (const [index, cell] of row.cells.entries()) {
    const place = element.cells[index];
    const [text, more] = place?.children ?? [];
    if (place === undefined || text === undefined || more === undefined) continue;
    setText(text, visible(cell.text));
    setText(more, visible(cell.more ?? ""));
    place.classList.toggle("bad", cell.bad === true);
  }
  const button = element.cells[row.cells.length]?.firstElementChild;
  if (button instanceof HTMLButtonElement && row.button !== undefined) {
    button.setAttribute("aria-label", visible(row.button.label));
    button.onclick = row.button.press;
  }
}

/** One line of a chart. */
export interface Line {
  readonly name: string;
  /** null: nothing was measured. */
  readonly values: readonly (number | null)[];
}

/** A chart's content; all lines have the same unit. */
export interface Chart {
  /** Milliseconds since the epoch, one per value. */
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  readonly format: (value: number) => string;
  /** The time at the right edge, and the span from left to right; milliseconds. */
  readonly untilMs: number;
  readonly spanMs: number;
  /** What the left edge is called. */
  readonly since: string;
}

const width = 1000;
const height = 100;
const classes = ["first", "second", "third"] as const;

/** Where the pointer is in each chart, as a share of its width. */
const pointers = new Map<string, number>();

/** Draws `#chart-id` anew. */
export function drawChart(id: string, chart: Chart): void {
  const figure = byId(`chart-${id}`);
  const parts = figure.querySelector(".plot") === null ? newChart(figure, id, chart) : partsOf(figure);
  const largest = Math.max(0, ...chart.lines.flatMap((line) => line.values.map((value) => value ?? 0)));
  const top = niceTop(largest);
  for (const [index, line] of chart.lines.entries()) {
    parts.paths[index]?.setAttribute("d", pathOf(chart, line.values, top));
  }
  setText(parts.top, chart.format(top));
  setText(parts.left, chart.since);
  const pointed = pointers.get(id);
  const at = pointed === undefined ? chart.times.length - 1 : nearest(chart, pointed);
  for (const [index, line] of chart.lines.entries()) {
    const value = line.values[at] ?? null;
    const number = parts.numbers[index];
    if (number !== undefined) setText(number, value === null ? "–" : chart.format(value));
  }
  const time = chart.times[at];
  parts.mark.setAttribute("opacity", pointed === undefined || time === undefined ? "0" : "1");
  if (time !== undefined) {
    const x = String(xOf(chart, time));
    parts.mark.setAttribute("x1", x);
    parts.mark.setAttribute("x2", x);
  }
  setText(
    parts.right,
    pointed === undefined || time === undefined ? "now" : new Date(time).toLocaleTimeString(),
  );
  parts.svg.setAttribute("aria-label", spoken(chart));
}

function xOf(chart: Chart, timeMs: number): number {
  return width * (1 - (chart.untilMs - timeMs) / chart.spanMs);
}

function pathOf(chart: Chart, values: readonly (number | null)[], top: number): string {
  let path = "";
  let drawing = false;
  for (const [index, value] of values.entries()) {
    const time = chart.times[index];
    if (value === null || time === undefined) {
      drawing = false;
      continue;
    }
    const x = xOf(chart, time).toFixed(1);
    const y = (height - (height * value) / top).toFixed(1);
    path += `${drawing ? "L" : "M"}${x} ${y}`;
    // A point alone would have no length: it gets a little.
    if (!drawing && (values[index + 1] ?? null) === null) path += `h1`;
    drawing = true;
  }
  return path;
}

/** The next of 1, 2, 5, 10, 20, ... at or above a value. */
function niceTop(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value) ?? value;
}

function nearest(chart: Chart, share: number): number {
  const wanted = chart.untilMs - chart.spanMs * (1 - share);
  let best = 0;
  for (const [index, time] of chart.times.entries()) {
    if (Math.abs(time - wanted) < Math.abs((chart.times[best] ?? 0) - wanted)) best = index;
  }
  return best;
}

function spoken(chart: Chart): string {
  return chart.lines
    .map((line) => {
      const values = line.values.filter((value) => value !== null);
      if (values.length === 0) return `${line.name}: nothing measured`;
      const last = chart.format(values.at(-1) ?? 0);
      return `${line.name}: ${last} now, at most ${chart.format(Math.max(...values))}`;
    })
    .join("; ");
}

interface ChartParts {
  readonly svg: SVGElement;
  readonly paths: readonly Element[];
  readonly numbers: readonly Element[];
  readonly mark: Element;
  readonly top: Element;
  readonly left: Element;
  readonly right: Element;
}

function partsOf(figure: Element): ChartParts {
  const one = (selector: string): Element => figure.querySelector(selector) ?? figure;
  return {
    svg: one("svg") as SVGElement,
    paths: [...figure.querySelectorAll("path")],
    numbers: [...figure.querySelectorAll(".now b")],
    mark: one(".at"),
    top: one(".top"),
    left: one(".left"),
    right: one(".right"),
  };
}

function newChart(figure: Element, id: string, chart: Chart): ChartParts {
  const now = element("div", "now");
  for (const [index, line] of chart.lines.entries()) {
    const label = element("span", classes[index] ?? "first");
    label.append(element("i", ""), element("b", ""), ` ${line.name}`);
    now.append(label);
  }
  const svg = drawing("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img" });
  for (const y of [0, height / 2, height]) {
    svg.append(drawing("line", { x1: "0", x2: String(width), y1: String(y), y2: String(y) }));
  }
  svg.append(drawing("line", { class: "at", y1: "0", y2: String(height), opacity: "0" }));
  for (const index of [...chart.lines.keys()].reverse()) {
    svg.prepend(drawing("path", { class: classes[index] ?? "first" }));
  }
  const plot = element("div", "plot");
  plot.append(svg, element("span", "top"));
  plot.addEventListener("pointermove", (event) => {
    const box = plot.getBoundingClientRect();
    pointers.set(id, Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)));
    document.dispatchEvent(new Event("redraw"));
  });
  plot.addEventListener("pointerleave", () => {
    pointers.delete(id);
    document.dispatchEvent(new Event("redraw"));
  });
  const axis = element("div", "axis");
  const left = element("span", "left");
  axis.append(left, element("span", "right"));
  figure.append(now, plot, axis);
  return partsOf(figure);
}

function element(name: string, className: string): HTMLElement {
  const made = document.createElement(name);
  if (className !== "") made.className = className;
  return made;
}

function drawing(name: string, attributes: Readonly<Record<string, string>>): SVGElement {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
