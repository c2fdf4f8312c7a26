// From a view to places on the plane: sizes of the boxes, DOT for Graphviz, and what Graphviz answers.

const FONT = 14;
const SMALL = 12;
const ROW = 18;
const PADDING = 11;
const MOST_LETTERS = 30;
const MOST_PIECES = 3000; // of edges, from rank to rank
const MOST_LABELLED = 70; // a graph of no more edges has a place for a label at each of them

/** What a node says: its rows in order, with the text that decides the width of each. */
function rowsOf(doc, node, derived) {
  if (node.fold) {
    const { title, text, counts, steps } = node.fold;
    return [
      { kind: "name", text: `${title} · ${steps.length} steps` },
      { kind: "code", text: shortened(text, MOST_LETTERS) },
      { kind: "counts", text: shortened(countsText(counts), MOST_LETTERS + 4) },
      { kind: "now", text: "", widest: "m".repeat(16) },
    ].filter((row) => row.text || row.widest);
  }
  const step = doc.steps[node.step];
  const formula = step.f === null ? "" : shortened(step.f, MOST_LETTERS);
  const derivatives = [...step.t.map((text) => `${step.d} ${text}`), `${step.b} ${step.j ?? ""}`];
  const rows = [
    { kind: "name", text: step.n, formula: formula && ` = ${formula}` },
    { kind: "value", text: step.v },
  ];
  if (derived && (step.j !== null || step.t.some((text) => text !== null)))
    rows.push({ kind: "derivative", text: "", widest: longest(derivatives, SMALL) });
  return rows;
}

function longest(texts, size) {
  return texts.reduce((best, text) => (widthOf(text, size) > widthOf(best, size) ? text : best), "");
}

/** Width and height of a node's box, in pixels. */
function sizeOf(rows) {
  const widths = rows.map((row) =>
    row.kind === "name"
      ? widthOf(row.text, FONT, true) + widthOf(row.formula ?? "", FONT)
      : widthOf(row.widest ?? row.text, SMALL),
  );
  return { width: Math.max(58, ...widths) + 2 * PADDING, height: rows.length * ROW + 12 };
}

/** The largest label that an edge can come to bear in any mode. */
function widestLabel(doc, edge, derived) {
  if (edge.pairs.length > 1) return `×${edge.pairs.length}`;
  if (!derived || edge.from.fold || edge.to.fold) return "";
  const [from, to] = edge.pairs[0];
  return longest([...contributions(doc, from, to), termOf(doc, from, to) ?? ""], SMALL);
}

/** ∂v_to/∂v_from · v̇_from for each direction, as text; "" where it is not told. */
function contributions(doc, from, to) {
  const { a, c } = doc.steps[to];
  return c.map((row) => row[a.indexOf(from)] ?? "");
}

/** v̄_to ∂v_to/∂v_from, the term that the step `to` adds to the adjoint of `from`. */
function termOf(doc, from, to) {
  return doc.steps[from].r.find(([user]) => user === to)?.[1];
}

/**
 * Marks the edges that span so many ranks that Graphviz would take long over them: it lays a long edge
 * as a chain of one piece for each rank. They are drawn as plain curves, and faintly but for
 * while numbers flow.
 */
function markDistant(view) {
  const rank = new Array(view.nodes.length).fill(0);
  const into = view.nodes.map(() => []);
  for (const edge of view.edges) into[edge.to.id].push(edge);
  // Folded graphs have cycles, but are small; in the others the steps are in the order of computing.
  const order = [...view.nodes].sort((a, b) => (a.step ?? a.fold.steps[0]) - (b.step ?? b.fold.steps[0]));
  for (const node of order)
    for (const edge of into[node.id]) rank[node.id] = Math.max(rank[node.id], rank[edge.from.id] + 1);
  const span = (edge) => Math.abs(rank[edge.to.id] - rank[edge.from.id]);
  let pieces = 0;
  for (const edge of [...view.edges].sort((a, b) => span(a) - span(b))) {
    pieces += span(edge);
    edge.distant = span(edge) > 1 && pieces > MOST_PIECES;
  }
}

/** The view in the language of Graphviz, left to right, with boxes and labels of their sizes. */
function dotOf(doc, view, derived) {
  const labelled = view.edges.length <= MOST_LABELLED;
  const lines = [
    "digraph {",
    `graph [rankdir=LR, nodesep=0.3, ranksep=${labelled ? 0.28 : 0.5}, pad=0, margin=0]`,
    'node [shape=box, fixedsize=true, label=""]',
    "edge [arrowhead=none]",
  ];
  for (const node of view.nodes) {
    node.rows = rowsOf(doc, node, derived);
    Object.assign(node, sizeOf(node.rows));
    lines.push(`n${node.id} [width=${inches(node.width)}, height=${inches(node.height)}]`);
  }
  for (const [k, frame] of view.frames.entries()) {
    const label = spacer(widthOf(frame.fold.title, SMALL) + 40, 18);
    const members = frame.nodes.map((node) => `n${node.id}`).join("; ");
    lines.push(`subgraph cluster_${k} { margin=12; label=${label}; ${members} }`);
  }
  markDistant(view);
  for (const edge of view.edges) {
    if (edge.distant) continue;
    const text = labelled ? widestLabel(doc, edge, derived) : "";
    const label = text ? ` [label=${spacer(widthOf(text, SMALL) + 10, 18)}]` : "";
    lines.push(`n${edge.from.id} -> n${edge.to.id}${label}`);
  }
  lines.push("}");
  return lines.join("\n");
}

const inches = (pixels) => (pixels / 72).toFixed(3);

const spacer = (width, height) =>
  `<<TABLE BORDER="0" FIXEDSIZE="TRUE" WIDTH="${Math.ceil(width)}" HEIGHT="${height}"><TR><TD></TD></TR></TABLE>>`;

/**
 * Lays a view out: x and y of nodes (their middles), paths of edges, places of labels and frames.
 * derived: whether there is room for tangents and adjoints.
 */
function layOut(doc, view, viz, derived = true) {
  const source = dotOf(doc, view, derived);
  const found = JSON.parse(viz.renderString(source, { format: "json0", yInvert: true }));
  const corners = found.bb.split(",").map(Number);
  view.width = Math.max(1, corners[2] - corners[0]);
  view.height = Math.max(1, Math.abs(corners[3] - corners[1]));
  for (const object of found.objects ?? []) {
    if (object.name.startsWith("n")) {
      const node = view.nodes[Number(object.name.slice(1))];
      [node.x, node.y] = object.pos.split(",").map(Number);
    } else {
      const [x0, y0, x1, y1] = object.bb.split(",").map(Number);
      const frame = view.frames[Number(object.name.slice("cluster_".length))];
      Object.assign(frame, { x: x0, y: Math.min(y0, y1), width: x1 - x0, height: Math.abs(y1 - y0) });
    }
  }
  const byEnds = new Map(view.edges.map((edge) => [`${edge.from.id}>${edge.to.id}`, edge]));
  for (const line of found.edges ?? []) {
    const ends = [line.tail, line.head].map((k) => found.objects[k].name.slice(1));
    const edge = byEnds.get(ends.join(">"));
    edge.points = line.pos
      .replace(/[es],[^ ]+ /g, "")
      .split(" ")
      .map((point) => point.split(",").map(Number));
    edge.label = line.lp ? line.lp.split(",").map(Number) : middleOf(edge.points);
  }
  for (const edge of view.edges) {
    if (!edge.distant) continue;
    edge.points = curveBetween(edge.from, edge.to);
    edge.label = middleOf(edge.points);
  }
  return view;
}

/** A curve from the right side of one box to the left side of another. */
function curveBetween(from, to) {
  const [x0, x1] = [from.x + from.width / 2, to.x - to.width / 2];
  const bend = Math.max(40, Math.min(240, Math.abs(x1 - x0) / 3));
  return [[x0, from.y], [x0 + bend, from.y], [x1 - bend, to.y], [x1, to.y]];
}

/** The point half-way along a path of cubic curves: the middle of its middle curve. */
function middleOf(points) {
  const curves = (points.length - 1) / 3;
  const start = 3 * Math.floor(curves / 2);
  if (curves % 2 === 0) return points[start];
  const [a, b, c, d] = points.slice(start, start + 4);
  return [0, 1].map((k) => (a[k] + 3 * b[k] + 3 * c[k] + d[k]) / 8);
}
