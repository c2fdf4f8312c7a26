// What a moment does, in a sentence; and the rule of a step, with its numbers, as parts of a text.

/** A sentence for the moment that a sweep is at. */
function sentenceOf(doc, sweep, direction) {
  const { moment, timeline } = sweep;
  if (!moment) return timeline.mode === "forward" ? forwardBeginning(doc, direction) : REVERSE_BEGINNING;
  const step = doc.steps[moment.step];
  const equation = step.f === null ? `${step.n} = ${step.v}` : `${step.n} = ${step.f} = ${step.v}`;
  if (moment.action === AGAIN) return `Again: ${equation}. It had been dropped, and is needed.`;
  if (moment.action === FORWARD) {
    const tangent = (timeline.mode === "forward" && step.t[direction]) || null;
    if (step.k === "input" && tangent !== null) return `Input: ${equation}, and its tangent ${step.d} = ${tangent}.`;
    return `Forward: ${equation}${tangent === null ? "" : `, and its tangent ${step.d} = ${tangent}`}.`;
  }
  const passed = [...new Set(step.a)]
    .map((arg) => [arg, termOf(doc, arg, moment.step)])
    .filter(([, term]) => term !== undefined)
    .map(([arg, term]) => `${term} to ${doc.steps[arg].b}`);
  const complete = (sweep.completing.get(moment) ?? [])
    .filter((k) => k !== moment.step && doc.steps[k].j !== null)
    .map((k) => `${doc.steps[k].b} = ${doc.steps[k].j}`);
  const gives = passed.length ? ` adds ${listed(passed)}` : " passes nothing on";
  return `Backward through ${step.n}${step.f === null ? "" : ` = ${step.f}`}: ${step.b} = ${step.j}${gives}.${
    complete.length ? ` Now complete: ${complete.slice(0, 6).join(", ")}${complete.length > 6 ? ", …" : ""}.` : ""
  }`;
}

const REVERSE_BEGINNING =
  "Reverse mode. The forward sweep computes the values; the reverse sweep then passes adjoints back, from the output to the inputs.";

function forwardBeginning(doc, direction) {
  if (!doc.inputs.length) return "Forward mode. No tangents are known: no input has any, or a rule is for reverse mode alone.";
  return `Forward mode. Each step computes its value and, beside it, its tangent: the derivative ${towards(doc, direction)}.`;
}

/** What the tangents of a direction are derivatives by. */
function towards(doc, direction) {
  const { n, v } = doc.steps[doc.inputs[direction]];
  return v.includes("norm") ? `in the direction of 1 in every element of ${n}` : `by ${n}`;
}

function listed(parts) {
  return parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}

/** ∂vᵢ/∂vⱼ as it is written. */
const slope = (doc, of, by) => `∂${doc.steps[of].n}/∂${doc.steps[by].n}`;

const IS_NUMBER = /^\(?−?[\d.e+−]+\)?$/;
const isNorm = (text) => text.startsWith("norm");

/** The local derivatives of a step: [{left, right}], as ∂v₂/∂v₁ and `w₂ = 3`. */
function localDerivatives(doc, k) {
  return doc.steps[k].p.map(([arg, formula, value]) => {
    let right = [formula, value].filter(Boolean).join(" = ");
    if (value === null) right = formula || "a matrix, which is applied and never written out";
    else if (isNorm(value)) right = formula ? `${formula}, on a diagonal` : `a diagonal of ${value}`;
    else if (IS_NUMBER.test(formula)) right = value;
    return { left: slope(doc, k, arg), right };
  });
}

/** The numbers that are added; nothing of arrays, whose norms do not add up. */
function added(terms) {
  const told = terms.length > 1 && terms.every((term) => term !== null && !isNorm(term) && !term.startsWith("("));
  return told ? terms.join(" + ") : "";
}

/** v̇ᵢ = Σⱼ ∂vᵢ/∂vⱼ · v̇ⱼ: {left, symbols, places, numbers, result}, or null where there is no tangent. */
function forwardSum(doc, k, direction) {
  const step = doc.steps[k];
  const result = step.t[direction];
  if (result === null || result === undefined) return null;
  if (step.k !== "operation") return { left: step.d, symbols: "", places: "", numbers: "", result };
  const args = [...new Set(step.a)].filter((arg) => doc.steps[arg].t[direction] !== null && step.p.some(([of]) => of === arg));
  const terms = args.map((arg) => step.c[direction]?.[step.a.indexOf(arg)] ?? null);
  return {
    left: step.d,
    symbols: args.map((arg) => `${slope(doc, k, arg)} · ${doc.steps[arg].d}`).join(" + "),
    places: step.e,
    numbers: added(terms),
    result,
  };
}

/** v̄ⱼ = Σᵢ v̄ᵢ · ∂vᵢ/∂vⱼ over the steps that read it, with its numbers; null where there is none. */
function reverseSum(doc, k) {
  const step = doc.steps[k];
  if (step.j === null) return null;
  const terms = step.r.map(([user, term]) => [`${doc.steps[user].b} · ${slope(doc, user, k)}`, term]);
  if (step.s !== undefined && terms.length) terms.unshift([step.s, step.s]);
  const alone = step.s === undefined ? "no step that counts reads it" : "an output: here the reverse sweep starts";
  return {
    left: step.b,
    symbols: terms.map(([symbols]) => symbols).join(" + "),
    places: terms.length ? step.g : "",
    numbers: added(terms.map(([, term]) => term)),
    result: step.j,
    note: terms.length ? "" : alone,
  };
}

/** Bytes in the unit that suits them. */
function bytesText(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  const power = Math.min(4, Math.floor(Math.log10(bytes) / 3));
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${["", "kB", "MB", "GB", "TB"][power]}`;
}
