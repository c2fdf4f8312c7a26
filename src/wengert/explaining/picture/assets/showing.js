// The cards below the graph: the rule of a step, its line of source, and what memory holds.

/** An element with attributes and children; text never becomes markup. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes))
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
  made.append(...children.filter((child) => child !== null && child !== false));
  return made;
}

const MOST_MEMBERS = 120;
const MOST_CHIPS = 48;

/** The rule of a step: formula, local derivatives, and the sums of both modes with their numbers. */
function ruleCard(doc, k, { direction, fold, onFold }) {
  const step = doc.steps[k];
  const kind = { input: "input", constant: "read from outside", operation: step.op }[step.k];
  const parts = [
    element("p", { class: "wg-title" }, step.f === null ? step.n : `${step.n} = ${step.f}`),
    element("p", { class: "wg-value" }, `= ${step.w ?? step.v}`),
    element("p", { class: "wg-note" }, `${kind}, ${bytesText(step.z)}`),
  ];
  const rows = [];
  const slopes = localDerivatives(doc, k).map(({ left, right }) => element("dd", {}, `${left} = ${right}`));
  if (slopes.length) rows.push(element("dt", {}, "Local derivatives"), ...slopes);
  const tangent = forwardSum(doc, k, direction);
  if (tangent) rows.push(...sumRows(`Tangent, the derivative ${towards(doc, direction)}`, "forward", tangent));
  rows.push(...sumRows("Adjoint, the sum over the steps that read it", "reverse", reverseSum(doc, k)));
  parts.push(element("dl", { class: "wg-rule" }, ...rows));
  if (fold) parts.push(foldButton(`Fold ${fold.title}`, onFold));
  return parts;
}

function sumRows(title, mode, sum) {
  if (!sum) return [];
  const told = [sum.symbols, sum.places, sum.numbers].filter((text, k, all) => text && text !== all[k - 1] && text !== sum.result);
  const right = told.map((text) => element("span", {}, ` = ${text}`));
  const result = element("b", {}, ` = ${sum.result}`);
  const note = sum.note ? ` (${sum.note})` : "";
  return [
    element("dt", {}, title),
    element("dd", { class: `wg-sum ${mode}` }, element("b", {}, sum.left), ...right, result, note),
  ];
}

const foldButton = (text, onclick) => element("button", { type: "button", class: "wg-unfold", onclick }, text);

/** What a folded group holds. */
function foldCard(doc, fold, { onFold, onStep }) {
  const shown = fold.steps.slice(0, MOST_MEMBERS);
  const members = shown.map((k) => element("button", { type: "button", onclick: () => onStep(k) }, doc.steps[k].n));
  const more = fold.steps.length - shown.length;
  return [
    element("p", { class: "wg-title" }, `${fold.title}: ${fold.steps.length} steps`),
    element("p", { class: "wg-value" }, countsText(fold.counts) || fold.text),
    foldButton(`Unfold ${fold.title}`, onFold),
    element("div", { class: "wg-members", role: "group", "aria-label": "Steps of the group" }, ...members),
    more > 0 ? element("p", { class: "wg-note" }, `and ${more} more`) : null,
  ].filter(Boolean);
}

/** The listing of the function, with one line marked; and the line itself where it stands elsewhere. */
function sourceCard(doc, place) {
  const { first, lines } = doc.source;
  const at = place && place.line - first;
  const within = place && at >= 0 && lines[at]?.trim() === place.text;
  const parts = [];
  if (place) parts.push(element("p", { class: "wg-where" }, `${place.file}, line ${place.line}, in ${place.function}`));
  else parts.push(element("p", { class: "wg-where" }, "No line of source makes this step."));
  if (place && !within) parts.push(listing([place.text], place.line, 0));
  if (lines.length) parts.push(listing(lines, first, within ? at : -1));
  return parts;
}


function listing(lines, first, marked) {
  const items = lines.map((line, k) =>
    element("li", { "data-line": first + k, "aria-current": k === marked && "true" }, line || " "),
  );
  return element("ol", { class: "wg-listing", tabindex: "0", "aria-label": "Source" }, ...items);
}

/** Bytes now, and the values held by name. */
function memoryCard(doc, sweep) {
  const held = [...doc.steps.keys()].filter((k) => sweep.held[k] > 0);
  const { mode, peak } = sweep.timeline;
  const adjoints = sweep.moment?.adjoints ?? 0;
  const what =
    mode === "forward"
      ? `${counted(held.length, "value")}, each with its tangent`
      : `${counted(held.length, "value")}${adjoints ? ` and ${counted(adjoints, "adjoint")}` : ""}`;
  const chips = held.slice(0, MOST_CHIPS).map((k) => element("li", {}, doc.steps[k].n));
  if (held.length > MOST_CHIPS)
    chips.push(element("li", { class: "wg-more" }, `and ${held.length - MOST_CHIPS} more`));
  return [
    element("p", { class: "wg-now" }, bytesText(sweep.bytes), element("small", {}, ` of ${bytesText(peak)} at the peak: ${what}`)),
    element("ul", { class: "wg-chips", "aria-label": "Values held now" }, ...chips),
  ];
}

/**
 * The schedules to choose from, each with its peak and its work: those that have a name, and one for
 * a budget of bytes, which a slider chooses.
 */
function schedulePicker(doc, name, onSchedule) {
  const most = Math.max(1, ...doc.schedules.map((way) => way.peak));
  const all = doc.schedules.map((way, k) => ({ ...way, k }));
  const budgets = all.filter((way) => way.budget !== null);
  const row = (first) => {
    const it = { bar: element("i", { "aria-hidden": "true" }), text: element("span"), peak: numberOf(), work: numberOf() };
    it.radio = element("input", { type: "radio", name });
    it.label = element("label", {}, it.radio, it.text, it.peak, it.work, it.bar);
    it.show = (way) => {
      const said = [wayName(way), bytesText(way.peak), timesText(way.work)];
      [it.text.textContent, it.peak.textContent, it.work.textContent] = said;
      it.radio.value = way.k;
      it.radio.setAttribute("aria-label", `${said[0]}, peak ${said[1]}, work ${said[2]}`);
      it.bar.style.width = `${(100 * way.peak) / most}%`;
    };
    it.show(first);
    it.radio.addEventListener("change", () => onSchedule(Number(it.radio.value)));
    return it;
  };
  const named = all.filter((way) => way.budget === null).map((way) => row(way).label);
  const legend = element("legend", {}, "Memory in reverse mode");
  if (!budgets.length) return element("fieldset", { class: "wg-ways" }, legend, heads(), ...named);
  const at = budgets.length >> 1;
  const chosen = row(budgets[at]);
  const slider = element("input", { type: "range", min: 0, max: budgets.length - 1, value: at, "aria-label": "Budget of memory" });
  const tell = () => slider.setAttribute("aria-valuetext", chosen.radio.getAttribute("aria-label"));
  tell();
  slider.addEventListener("input", () => {
    const way = budgets[Number(slider.value)];
    chosen.show(way);
    tell();
    onSchedule(way.k);
  });
  const ends = [budgets[0], budgets.at(-1)].map((way) => element("span", {}, bytesText(way.budget)));
  const choice = element("div", { class: "wg-budget" }, ends[0], slider, ends[1]);
  return element("fieldset", { class: "wg-ways" }, legend, heads(), ...named, chosen.label, budgets.length > 1 && choice);
}

const wayName = (way) => (way.budget === null ? way.name : `a budget of ${bytesText(way.budget)}`);

const numberOf = () => element("span", { class: "wg-number" });

const timesText = (work) => `${Number(work.toPrecision(3))} ×`;

const heads = () =>
  element(
    "div",
    { class: "wg-heads", "aria-hidden": "true" },
    ...["", "", "peak", "work"].map((text) => element("span", { class: "wg-number" }, text)),
  );

const counted = (n, noun) => `${n} ${noun}${n === 1 ? "" : "s"}`;

/**
 * Bytes over the moments of a sweep as bars, in colours of what is done: the bar of a moment stands
 * above its place on the slider. Drawn twice, faint and, as far as the sweep has come, full.
 */
function chartOf({ moments, peak }) {
  const half = halfBar(moments.length);
  const bars = { f: "", c: "", r: "" };
  moments.forEach(({ action, bytes }, k) => {
    const top = (100 - (100 * bytes) / (peak || 1)).toFixed(2);
    bars[action] += `M${(k + 1 - half).toFixed(3)} 100V${top}h${(2 * half).toFixed(3)}V100Z`;
  });
  const paths = Object.entries(bars).map(([action, path]) => path && `<path class="${action}" d="${path}"/>`);
  return (
    `<svg viewBox="0 0 ${Math.max(1, moments.length)} 100" preserveAspectRatio="none" aria-hidden="true">` +
    `<g class="coming">${paths.join("")}</g><g class="past">${paths.join("")}</g></svg>`
  );
}

/** Half the width of a bar, where the distance of two is 1. */
const halfBar = (count) => (count > 80 ? 0.5 : Math.min(0.38, 0.016 * count));

/** How much of all bars from left to right, as a share, are those of the first `at` moments. */
const shareOfBars = (at, count) => (at ? (at - 0.5 + halfBar(count)) / (count - 1 + 2 * halfBar(count)) : 0);
