// From a view that is laid out, and the state of a sweep, to SVG: as text, so that it can be made
// without a browser. What changes from moment to moment is told by the looks of nodes and edges.

const MARGIN = 14;
const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Text as it may stand in markup. */
function escaped(text) {
  return String(text).replace(/[&<>"']/g, (sign) => ESCAPES[sign]);
}

const WAYS = { f: "on", c: "again", r: "back" }; // which way numbers flow

const rounded = (number) => Math.round(number * 10) / 10;

/**
 * How a node looks now: its classes, the text of the row that changes, and what a screen reader says.
 *
 * seen: {sweep, mode, direction, selected}; without a sweep everything is computed, and with a mode
 * everything derived.
 */
function nodeLook(doc, node, seen) {
  const { sweep, mode } = seen;
  if (node.fold) return foldLook(doc, node, seen);
  const step = doc.steps[node.step];
  const computed = sweep ? sweep.computed[node.step] > 0 : true;
  const held = sweep ? sweep.held[node.step] > 0 : true;
  const derived = mode !== null && (sweep ? sweep.derived[node.step] > 0 : true);
  const derivative = derived ? derivativeOf(step, seen) : null;
  const current = sweep?.moment?.step === node.step;
  const classes = ["node", step.k, computed ? (held ? "held" : "dropped") : "ahead"];
  if (node.step === doc.output) classes.push("output");
  if (derivative !== null) classes.push("derived");
  if (current) classes.push("current", WAYS[sweep.moment.action]);
  if (seen.selected === node.step) classes.push("selected");
  const parts = [step.f === null ? step.n : `${step.n} = ${step.f}`];
  parts.push(computed ? `value ${step.v}` : "not computed yet");
  if (computed && !held) parts.push("not held");
  if (derivative !== null) parts.push(`${mode === "forward" ? "tangent" : "adjoint"} ${derivative}`);
  if (current) parts.push("the current step");
  return {
    classes: classes.filter(Boolean).join(" "),
    changing: derivative === null ? "" : `${mode === "forward" ? step.d : step.b} ${derivative}`,
    told: parts.join(", "),
  };
}

/** The tangent in the direction looked at, or the adjoint, as text; null where there is none. */
function derivativeOf(step, { mode, direction }) {
  return (mode === "forward" ? step.t[direction] : step.j) ?? null;
}

function foldLook(doc, node, seen) {
  const { steps, title } = node.fold;
  const { sweep } = seen;
  const all = steps.length;
  const held = sweep ? steps.reduce((n, step) => n + (sweep.held[step] > 0), 0) : all;
  const now = sweep && seen.inFold(node) ? sweep.moment.step : null;
  const classes = ["node", "fold", held ? "held" : "ahead"];
  if (now !== null) classes.push("current", WAYS[sweep.moment.action]);
  if (seen.selected !== null && seen.selectedNode === node) classes.push("selected");
  const step = now === null ? null : doc.steps[now];
  const said =
    step && (sweep.moment.action === REVERSE ? `${step.b} ${step.j ?? ""}` : `${step.n} = ${step.v}`);
  return {
    classes: classes.filter(Boolean).join(" "),
    changing: said ? shortened(said, 26) : sweep ? `${held} of ${all} held` : "",
    told: `${title}, ${all} steps folded, ${countsText(node.fold.counts)}, ${held} held`,
    share: held / all,
  };
}

/** How an edge looks now: its classes, and the number that flows along it. */
function edgeLook(doc, edge, seen) {
  const { sweep, mode, direction } = seen;
  const classes = ["edge"];
  const active = seen.active?.has(edge);
  if (active) classes.push("active", WAYS[sweep.moment.action]);
  if (edge.distant && !active) classes.push("distant");
  if (edge.pairs.length > 1) classes.push("several");
  if (edge.from.fold || edge.to.fold || edge.pairs.length > 1) return { classes: classes.join(" "), label: "" };
  const [from, to] = edge.pairs[0];
  let label = "";
  if (mode === "forward" && (sweep ? sweep.derived[to] > 0 : true))
    label = contributions(doc, from, to)[direction] ?? "";
  if (mode === "reverse" && (sweep ? sweep.passed[to] > 0 : true))
    label = termOf(doc, from, to) ?? "";
  if (label) classes.push("told");
  return { classes: classes.join(" "), label };
}

/** The picture as the text of an SVG element. `title` and `about` are what screen readers say. */
function drawn(doc, view, seen, { title, about = "", style = "", interactive = false }) {
  const width = rounded(view.width + 2 * MARGIN);
  const height = rounded(view.height + 2 * MARGIN);
  const labelled = view.edges.length <= MOST_LABELLED;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="${interactive ? "wg-graph" : `wg-graph wg-${seen.mode ?? "values"}`}" viewBox="${-MARGIN} ${-MARGIN} ${width} ${height}"`,
    ` width="${width}" height="${height}" ${interactive ? 'role="group"' : 'role="img"'} aria-label="${escaped(title)}">`,
    interactive ? "" : `<title>${escaped(title)}</title><desc>${escaped(about)}</desc>`,
    style && `<style>${style}</style>`,
    interactive ? "" : `<rect class="paper" x="${-MARGIN}" y="${-MARGIN}" width="${width}" height="${height}"/>`,
    `<g class="frames">${view.frames.map((frame) => drawnFrame(frame, interactive)).join("")}</g>`,
    `<g class="edges">${view.edges.map((edge) => drawnEdge(edge, edgeLook(doc, edge, seen), labelled)).join("")}</g>`,
    `<g class="nodes">${view.nodes.map((node) => drawnNode(doc, node, nodeLook(doc, node, seen), interactive)).join("")}</g>`,
    "</svg>",
  ].join("");
}

function drawnFrame(frame, interactive) {
  const button = interactive
    ? ` role="button" tabindex="-1" data-fold="${frame.fold.id}" aria-label="Fold ${escaped(frame.fold.title)}"`
    : "";
  return (
    `<g class="frame"${button}><rect x="${rounded(frame.x)}" y="${rounded(frame.y)}" rx="10" ` +
    `width="${rounded(frame.width)}" height="${rounded(frame.height)}"/>` +
    `<text x="${rounded(frame.x + frame.width / 2)}" y="${rounded(frame.y + 17)}">` +
    `${escaped(frame.fold.title)}${interactive ? " ⊟" : ""}</text></g>`
  );
}

function drawnNode(doc, node, look, interactive) {
  const { width, height } = node;
  const role = interactive
    ? `role="button" tabindex="-1" aria-label="${escaped(look.told)}"`
    : `role="img" aria-label="${escaped(look.told)}"`;
  const left = rounded(node.x - width / 2);
  const top = rounded(node.y - height / 2);
  const round = node.fold ? 8 : { input: 22, constant: 4 }[doc.steps[node.step].k] ?? 8;
  const box = (inset) =>
    `x="${inset}" y="${inset}" width="${rounded(width - 2 * inset)}" height="${rounded(height - 2 * inset)}"`;
  const rows = node.rows.map((row, k) => drawnRow(row, k, width, look.changing));
  const output = node.step === doc.output ? `<rect class="inner" ${box(3.5)} rx="${round - 2.5}"/>` : "";
  const share = node.fold
    ? `<rect class="share" x="10" y="${height - 7}" width="${rounded(width - 20)}" height="3" rx="1.5"/>` +
      `<rect class="filled" x="10" y="${height - 7}" width="${rounded((width - 20) * look.share)}" height="3" rx="1.5"/>`
    : "";
  return (
    `<g class="${look.classes}" data-node="${node.id}" ${role} transform="translate(${left} ${top})">` +
    `<rect class="box" ${box(0)} rx="${round}"/>${output}${share}${rows.join("")}</g>`
  );
}

function drawnRow(row, k, width, changing) {
  const at = `x="${rounded(width / 2)}" y="${6 + (k + 0.72) * ROW}"`;
  if (row.kind === "name")
    return (
      `<text class="name" ${at}><tspan class="called">${escaped(row.text)}</tspan>` +
      `${row.formula ? `<tspan class="formula">${escaped(row.formula)}</tspan>` : ""}</text>`
    );
  const changes = row.kind === "derivative" || row.kind === "now";
  return `<text class="${row.kind}${changes ? " changing" : ""}" ${at}>${escaped(changes ? changing : row.text)}</text>`;
}

function drawnEdge(edge, look, labelled) {
  const [start, ...rest] = edge.points;
  const curves = [];
  for (let k = 0; k < rest.length; k += 3) curves.push(`C${rest.slice(k, k + 3).map(pair).join(" ")}`);
  const tip = arrow(edge.points.at(-1), edge.points.at(-2));
  const tail = arrow(edge.points[0], edge.points[1]);
  const [x, y] = edge.label;
  const classes = `${look.classes}${labelled ? "" : " unplaced"}`;
  const several = edge.pairs.length > 1 ? `×${edge.pairs.length}` : "";
  return (
    `<g class="${classes}" data-edge="${edge.id}"><path class="line" d="M${pair(start)}${curves.join("")}"/>` +
    `<path class="head" d="${tip}"/><path class="tail" d="${tail}"/>` +
    `<text class="label" x="${rounded(x)}" y="${rounded(y + 4)}">${escaped(look.label || several)}</text></g>`
  );
}

const pair = ([x, y]) => `${rounded(x)},${rounded(y)}`;

/** A triangle with its tip at a point, coming from another. */
function arrow([x, y], [fromX, fromY]) {
  const length = Math.hypot(x - fromX, y - fromY) || 1;
  const [ux, uy] = [(x - fromX) / length, (y - fromY) / length];
  const at = (along, across) => pair([x - along * ux - across * uy, y - along * uy + across * ux]);
  return `M${at(0, 0)}L${at(8, 3.6)}L${at(8, -3.6)}Z`;
}
