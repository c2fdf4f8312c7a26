// The graph that is looked at: each step a node, or all steps of a line of source folded into one.

const FEW = 80; // a graph of no more nodes opens unfolded
const MOST_FOLDS = 60; // of more groups than these, neighbours are folded together
const MOST_LEAVES = 24; // more inputs or outside arrays than these are folded into one node
const MOST_IN_FRAMES = 400; // frames around unfolded groups cost Graphviz much in large graphs

/** The groups of steps that can be folded: [{id, title, text, counts, steps}], each of two or more. */
function foldsOf(doc) {
  const groups = doc.groups
    .map((group) => {
      const place = doc.places[group.l];
      const steps = group.s.filter((k) => doc.steps[k].k === "operation");
      return { first: place?.line, last: place?.line, text: place?.text ?? "", counts: group.c, steps };
    })
    .filter((group) => group.steps.length);
  const size = Math.ceil(groups.length / MOST_FOLDS);
  const merged = [];
  for (let k = 0; k < groups.length; k += size) merged.push(joined(groups.slice(k, k + size)));
  for (const [kind, title] of [["input", "inputs"], ["constant", "arrays from outside"]]) {
    const steps = [...doc.steps.keys()].filter((k) => doc.steps[k].k === kind);
    const text = `${doc.steps[steps[0]]?.n} … ${doc.steps[steps.at(-1)]?.n}`;
    if (steps.length > MOST_LEAVES) merged.push({ title, text, counts: {}, steps });
  }
  return merged
    .filter((fold) => fold.steps.length > 1)
    .map((fold, k) => ({ ...fold, id: k, title: fold.title ?? titleOf(fold) }));
}

function titleOf(fold) {
  if (fold.first === undefined) return "elsewhere";
  return fold.first === fold.last ? `line ${fold.first}` : `lines ${fold.first}–${fold.last}`;
}

/** Several groups as one. */
function joined(groups) {
  if (groups.length === 1) return groups[0];
  const counts = {};
  for (const group of groups)
    for (const [op, n] of Object.entries(group.counts)) counts[op] = (counts[op] ?? 0) + n;
  const lines = groups.map((group) => group.first).filter((line) => line !== undefined);
  return {
    first: lines.length ? Math.min(...lines) : undefined,
    last: lines.length ? Math.max(...lines) : undefined,
    text: groups[0].text,
    counts,
    steps: groups.flatMap((group) => group.steps),
  };
}

/** `100 × multiply, 100 × add`, the most frequent first. */
function countsText(counts) {
  return Object.entries(counts)
    .sort((a, b) => b[1] - a[1])
    .map(([op, n]) => `${n} × ${op}`)
    .join(", ");
}

/**
 * The view of a graph where the folds whose ids are in `open` are unfolded.
 *
 * nodes: [{id, step}] or [{id, fold}]; edges: [{id, from, to, pairs}] between them, with the pairs of
 * steps that they stand for; of: the node that shows each step; edgeOf: the edge of a pair of steps.
 */
function viewOf(doc, folds, open) {
  const nodes = [];
  const of = new Array(doc.steps.length).fill(null);
  const frames = [];
  for (const fold of folds) {
    if (open.has(fold.id)) continue;
    const node = { id: nodes.length, fold };
    nodes.push(node);
    for (const step of fold.steps) of[step] = node;
  }
  for (const step of doc.steps.keys()) {
    if (of[step]) continue;
    const node = { id: nodes.length, step };
    nodes.push(node);
    of[step] = node;
  }
  const folded = nodes.some((node) => node.fold);
  if (folded && nodes.length <= MOST_IN_FRAMES)
    for (const fold of folds)
      if (open.has(fold.id)) frames.push({ fold, nodes: fold.steps.map((step) => of[step]) });
  const edges = new Map();
  doc.steps.forEach((step, to) => {
    for (const from of new Set(step.a)) {
      if (of[from] === of[to]) continue;
      const key = `${of[from].id}>${of[to].id}`;
      if (!edges.has(key)) edges.set(key, { id: edges.size, from: of[from], to: of[to], pairs: [] });
      edges.get(key).pairs.push([from, to]);
    }
  });
  return {
    nodes,
    frames,
    edges: [...edges.values()],
    of,
    edgeOf: (from, to) => edges.get(`${of[from].id}>${of[to].id}`),
  };
}
