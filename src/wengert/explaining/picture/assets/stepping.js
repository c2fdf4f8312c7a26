// One explanation on a page: its controls, and what they do.

const READY = "ready";
const MOST_UNFOLDED = 4000; // steps that can all be unfolded at once
const NEAR = 30; // pixels kept between the current node and the border of the stage
const READABLE = 0.8; // graphs are not made smaller than this by themselves
const MOST_PLAYED = 300; // a long sweep is played in about so many pictures
const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

let graphviz = null; // a promise of it, which all explanations on a page share
let latest = null; // the explanation used last, which takes the keys where nothing has the focus
let made = 0;

class Explanation {
  constructor(root) {
    this.root = root;
    this.doc = JSON.parse(root.querySelector('script[type="application/json"]').textContent);
    this.part = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((it) => [it.dataset.part, it]));
    this.name = `wengert-${++made}`;
    this.folds = foldsOf(this.doc);
    this.open = new Set(this.doc.steps.length > FEW ? [] : this.folds.map((fold) => fold.id));
    this.mode = "forward";
    this.direction = 0;
    this.schedule = 0;
    this.playing = null;
    this.root.classList.add("wg-forward");
    for (const choice of root.querySelectorAll(".wg-choice input")) choice.name = `${this.name}-mode`;
    root.querySelector("input[value=reverse]").disabled = !this.doc.schedules.length;
  }

  async start() {
    graphviz ??= Viz.instance();
    this.viz = await graphviz;
    const options = { canvas: true, origin: "0 0", minScale: 0.08, maxScale: 3, cursor: "", handleStartEvent: () => {} };
    this.panzoom = Panzoom(this.part.canvas, options);
    await new Promise((done) => setTimeout(done)); // in which it goes to where it starts
    this.summarise();
    this.listen();
    this.sweep = new Sweep(this.doc, this.timeline());
    this.lay();
    this.begin(0);
    this.root.dataset.state = READY;
    performance.mark("wengert-ready");
  }

  timeline() {
    const schedule = this.doc.schedules[this.schedule];
    return this.mode === "forward" ? forwardTimeline(this.doc) : reverseTimeline(this.doc, schedule);
  }

  // ------------------------------------------------------------------------------------- the graph

  /** Lays the view out anew and draws it. */
  lay() {
    this.view = layOut(this.doc, viewOf(this.doc, this.folds, this.open), this.viz);
    const about = { title: `Graph of ${this.doc.title}`, interactive: true };
    const { canvas, folding } = this.part;
    canvas.innerHTML = drawn(this.doc, this.view, this.seen(), about);
    this.svg = canvas.firstElementChild;
    this.nodes = [...canvas.querySelectorAll("[data-node]")];
    this.edges = [...canvas.querySelectorAll("[data-edge]")];
    this.edgesAt = new Map(this.view.nodes.map((node) => [node, []]));
    for (const edge of this.view.edges) for (const end of [edge.from, edge.to]) this.edgesAt.get(end).push(edge);
    folding.hidden = !this.folds.length || this.doc.steps.length <= FEW || (!this.open.size && this.doc.steps.length > MOST_UNFOLDED);
    folding.textContent = this.open.size ? "Fold all" : "Unfold all";
    this.fit();
  }

  /** What the looks of nodes and edges depend on. */
  seen() {
    const { view, sweep, mode, direction, selected = null } = this;
    return {
      sweep,
      mode,
      direction,
      selected,
      selectedNode: selected === null ? null : view.of[selected],
      inFold: (node) => sweep.moment !== null && view.of[sweep.moment.step] === node,
      active: new Set(sweep.flows().map(([from, to]) => view.edgeOf(from, to)).filter(Boolean)),
    };
  }

  /** Gives the nodes of these steps, and the edges at them, the look that they have now. */
  refresh(steps) {
    const seen = this.seen();
    const nodes = new Set();
    for (const step of steps) nodes.add(this.view.of[step]);
    const edges = new Set();
    for (const node of nodes) {
      const look = nodeLook(this.doc, node, seen);
      const drawn = this.nodes[node.id];
      setAttribute(drawn, "class", look.classes);
      setAttribute(drawn, "aria-label", look.told);
      const changing = drawn.querySelector(".changing");
      if (changing && changing.textContent !== look.changing) changing.textContent = look.changing;
      if (node.fold) drawn.querySelector(".filled").setAttribute("width", (node.width - 20) * look.share);
      for (const edge of this.edgesAt.get(node)) edges.add(edge);
    }
    for (const edge of edges) {
      const look = edgeLook(this.doc, edge, seen);
      const drawn = this.edges[edge.id];
      setAttribute(drawn, "class", `${look.classes}${this.view.edges.length <= MOST_LABELLED ? "" : " unplaced"}`);
      const label = drawn.lastElementChild;
      if (edge.pairs.length === 1 && label.textContent !== look.label) label.textContent = look.label;
    }
  }

  /** Shows the whole graph, or as much of it as can be read. */
  fit() {
    const { stage } = this.part;
    const [width, height] = this.size();
    const tallest = Math.max(240, Math.min(innerHeight * 0.5, 540));
    const whole = Math.min(stage.clientWidth / width, tallest / height, 1.15);
    const scale = Math.max(whole, READABLE);
    stage.style.height = `${Math.round(Math.min(tallest, height * scale) + 8)}px`;
    this.panzoom.zoom(scale, { animate: false });
    this.panTo(0, 0, false);
    if (this.selected !== undefined) this.follow(this.selected, false);
  }

  size() {
    return [this.svg.width.baseVal.value, this.svg.height.baseVal.value];
  }

  /** Pans; a graph that is smaller than the stage stands in its middle, a larger one fills it. */
  panTo(x, y, animate) {
    const scale = this.panzoom.getScale();
    const { clientWidth, clientHeight } = this.part.stage;
    const [width, height] = this.size();
    const kept = (at, room, size) => (size <= room ? (room - size) / 2 : Math.min(0, Math.max(room - size, at)));
    this.panzoom.pan(kept(x, clientWidth / scale, width), kept(y, clientHeight / scale, height), { animate, duration: 220 });
  }

  zoom(factor) {
    const box = this.part.stage.getBoundingClientRect();
    const point = { clientX: box.left + box.width / 2, clientY: box.top + box.height / 2 };
    this.panzoom.zoomToPoint(this.panzoom.getScale() * factor, point, { animate: !still() });
  }

  /** Moves the graph so that a step can be seen. */
  follow(step, animate = !still()) {
    const scale = this.panzoom.getScale();
    const pan = this.panzoom.getPan();
    const node = this.view.of[step];
    const { clientWidth, clientHeight } = this.part.stage;
    const [x, y] = [node.x + MARGIN, node.y + MARGIN];
    const isNear = (at, half, room) => at - half < NEAR || at + half > room - NEAR;
    const awayX = isNear((x + pan.x) * scale, (node.width / 2) * scale, clientWidth);
    const awayY = isNear((y + pan.y) * scale, (node.height / 2) * scale, clientHeight);
    if (!awayX && !awayY) return;
    this.panTo(awayX ? clientWidth / 2 / scale - x : pan.x, awayY ? clientHeight / 2 / scale - y : pan.y, animate);
  }

  setFold(fold, open) {
    const { rule, canvas, told } = this.part;
    const isFocused = rule.contains(document.activeElement) || canvas.contains(document.activeElement);
    if (open) this.open.add(fold.id);
    else this.open.delete(fold.id);
    this.lay();
    this.select(fold.steps.includes(this.selected) ? this.selected : fold.steps[0]);
    if (isFocused) this.focus();
    told.textContent = `${open ? "Unfolded" : "Folded"} ${fold.title}, ${fold.steps.length} steps`;
  }

  /** Gives the focus to the node that is selected, where what had it is gone. */
  focus() {
    this.canvasStops[0].focus({ preventScroll: true });
  }

  // -------------------------------------------------------------------------------------- the sweep

  /** A sweep of the mode and schedule that are chosen, at one of its moments. */
  begin(at) {
    this.pause();
    this.sweep = new Sweep(this.doc, this.timeline());
    const { moments, peak } = this.sweep.timeline;
    const name = this.mode === "forward" ? "forward mode" : `reverse mode, ${wayName(this.doc.schedules[this.schedule])}`;
    this.part.slider.max = moments.length;
    this.part.chart.innerHTML = chartOf(this.sweep.timeline);
    this.part.chart.setAttribute("aria-label", `Bytes held at each moment of ${name}, ${bytesText(peak)} at the peak`);
    this.root.classList.toggle("wg-forward", this.mode === "forward");
    this.root.classList.toggle("wg-reverse", this.mode === "reverse");
    for (const choice of this.root.querySelectorAll(".wg-choice input")) choice.checked = choice.value === this.mode;
    for (const way of this.part.ways.querySelectorAll("[type=radio]"))
      way.checked = this.mode === "reverse" && Number(way.value) === this.schedule;
    this.go(Math.min(at, moments.length), true);
  }

  /** Goes to a moment of the sweep. */
  go(to, all = false) {
    const { moments } = this.sweep.timeline;
    const at = Math.max(0, Math.min(moments.length, Math.round(to)));
    const before = this.selected;
    const active = all ? [] : this.sweep.flows().flat();
    const touched = this.sweep.seek(at);
    this.selected = this.sweep.moment?.step ?? this.beginning;
    const changed = all ? this.doc.steps.keys() : [...touched, ...active, ...this.sweep.flows().flat(), this.selected];
    this.refresh(all || before === undefined ? changed : [...changed, before]);
    const { slider, sentence, count, chart } = this.part;
    slider.value = at;
    slider.setAttribute("aria-valuetext", `moment ${at} of ${moments.length}`);
    sentence.textContent = sentenceOf(this.doc, this.sweep, this.direction);
    count.textContent = `${at} of ${moments.length}`;
    chart.querySelector(".past").style.clipPath = `inset(0 ${100 * (1 - shareOfBars(at, moments.length))}% 0 0)`;
    for (const [name, off] of [["first", at === 0], ["back", at === 0], ["on", at === moments.length], ["last", at === moments.length]])
      this.part[name].setAttribute("aria-disabled", off);
    this.show();
    this.follow(this.selected, !all && !still());
  }

  /** What is looked at before the first moment: where the derivatives start. */
  get beginning() {
    return this.mode === "forward" ? this.doc.forward[0] ?? this.doc.output : this.doc.output;
  }

  step(by) {
    this.pause();
    this.go(this.sweep.at + by);
  }

  play() {
    if (this.playing) return this.pause();
    const count = this.sweep.timeline.moments.length;
    if (this.sweep.at === count) this.go(0);
    const by = Math.ceil(count / MOST_PLAYED);
    const every = Math.max(70, Math.min(1000, 15000 / count));
    this.root.classList.add("wg-playing");
    this.part.play.setAttribute("aria-label", "Pause");
    this.part.sentence.setAttribute("aria-live", "off"); // too fast to be read out
    this.playing = setInterval(() => {
      this.go(this.sweep.at + by);
      if (this.sweep.at === count) this.pause();
    }, every);
  }

  pause() {
    clearInterval(this.playing);
    this.playing = null;
    this.root.classList.remove("wg-playing");
    this.part.play.setAttribute("aria-label", "Play");
    this.part.sentence.setAttribute("aria-live", "polite");
  }

  setMode(mode) {
    this.mode = mode;
    this.begin(0);
  }

  setSchedule(schedule) {
    const stay = this.mode === "reverse" ? this.sweep.at / this.sweep.timeline.moments.length : 0;
    this.mode = "reverse";
    this.schedule = schedule;
    this.begin(stay * this.doc.schedules[schedule].moments.length);
  }

  // ------------------------------------------------------------------------------------- the cards

  select(step) {
    const before = this.selected;
    this.selected = step;
    this.refresh([before, step]);
    this.show();
    this.follow(step);
  }

  /** The cards for the step that is selected, and one node that the tab key reaches. */
  show() {
    const { doc, selected, view, folds, open } = this;
    const node = view.of[selected];
    const { rule, source, memory } = this.part;
    const isFocused = rule.contains(document.activeElement);
    const opened = folds.find((fold) => open.has(fold.id) && fold.steps.includes(selected));
    const onStep = (k) => this.select(k);
    const isFolded = node.fold && this.sweep.moment?.step !== selected && !this.inner;
    rule.replaceChildren(
      ...(isFolded
        ? foldCard(doc, node.fold, { onFold: () => this.setFold(node.fold, true), onStep: (k) => this.inside(k) })
        : ruleCard(doc, selected, {
            direction: this.direction,
            fold: doc.steps.length > FEW ? opened : null,
            onFold: () => this.setFold(opened, false),
          })),
    );
    if (node.fold && !isFolded) rule.append(foldButton(`Unfold ${node.fold.title}`, () => this.setFold(node.fold, true)));
    source.replaceChildren(...sourceCard(doc, doc.places[doc.steps[selected].l]));
    const line = source.querySelector("[aria-current]");
    if (line) line.parentElement.scrollTop = line.offsetTop - line.parentElement.offsetTop - 60;
    memory.replaceChildren(...memoryCard(doc, this.sweep));
    for (const drawn of this.canvasStops ?? []) drawn.setAttribute("tabindex", "-1");
    this.canvasStops = [this.nodes[node.id]];
    this.nodes[node.id].setAttribute("tabindex", "0");
    this.inner = false;
    if (isFocused) this.focus();
  }

  /** The rule of a step inside a folded group. */
  inside(step) {
    this.inner = true;
    this.select(step);
  }

  summarise() {
    const { doc, part } = this;
    const facts = [`${doc.title} = ${doc.steps[doc.output].v}`];
    for (const k of doc.inputs.slice(0, 6)) facts.push(derivativeFact(doc, k));
    if (doc.steps.length > 24) facts.push(`${doc.steps.length} steps`);
    part.summary.append(...facts.map((fact) => element("span", {}, fact)));
    if (doc.schedules.length) part.ways.append(schedulePicker(doc, `${this.name}-way`, (k) => this.setSchedule(k)));
    part.directions.hidden = doc.inputs.length < 2;
    part.direction.append(...doc.inputs.map((k, n) => element("option", { value: n }, doc.steps[k].n)));
    if (doc.left_out)
      part.direction.append(element("option", { disabled: true }, `${counted(doc.left_out, "more input")}, without tangents`));
  }

  // --------------------------------------------------------------------------------------- events

  listen() {
    const { root, part } = this;
    const on = (name, action) => part[name].addEventListener("click", action);
    on("first", () => this.step(-Infinity));
    on("back", () => this.step(-1));
    on("play", () => this.play());
    on("on", () => this.step(1));
    on("last", () => this.step(Infinity));
    on("smaller", () => this.zoom(1 / 1.3));
    on("larger", () => this.zoom(1.3));
    on("fit", () => this.fit());
    on("folding", () => this.foldAll());
    part.slider.addEventListener("input", () => {
      this.pause();
      this.go(Number(part.slider.value));
    });
    part.chart.addEventListener("click", (event) => {
      const box = part.chart.getBoundingClientRect();
      this.pause();
      this.go(Math.round(((event.clientX - box.left) / box.width) * this.sweep.timeline.moments.length));
    });
    for (const choice of root.querySelectorAll(".wg-choice input"))
      choice.addEventListener("change", () => this.setMode(choice.value));
    part.direction.addEventListener("change", () => {
      this.direction = Number(part.direction.value);
      this.begin(this.sweep.at);
    });
    this.listenToGraph();
    for (const kind of ["pointerdown", "focusin"]) root.addEventListener(kind, () => (latest = this));
    root.addEventListener("keydown", (event) => this.key(event));
    addEventListener("beforeprint", () => this.sweep.at || this.go(Infinity)); // before it, nothing is there
    addEventListener("resize", () => this.svg && this.fit());
  }

  listenToGraph() {
    const { stage } = this.part;
    let from = null;
    const isDrag = (event) => from && Math.hypot(event.clientX - from.x, event.clientY - from.y) > 6;
    stage.addEventListener("pointerdown", (event) => (from = { x: event.clientX, y: event.clientY }), true);
    stage.addEventListener("click", (event) => !isDrag(event) && this.activate(event.target));
    stage.addEventListener("dblclick", (event) => {
      const node = this.nodeAt(event.target);
      if (node?.fold) this.setFold(node.fold, true);
    });
    stage.addEventListener("wheel", (event) => {
      if (event.ctrlKey || event.metaKey) this.panzoom.zoomWithWheel(event);
    }, { passive: false });
    stage.addEventListener("scroll", () => stage.scrollTo(0, 0)); // focus scrolls; the graph is panned instead
    stage.addEventListener("focusin", (event) => {
      const node = this.nodeAt(event.target);
      if (node && event.target.matches(":focus-visible")) this.follow(node.fold ? node.fold.steps[0] : node.step, false);
    });
  }

  nodeAt(target) {
    const drawn = target.closest?.("[data-node]");
    return drawn ? this.view.nodes[Number(drawn.dataset.node)] : null;
  }

  /** What a click or the enter key on a part of the graph does. */
  activate(target) {
    const node = this.nodeAt(target);
    const frame = target.closest?.("[data-fold]");
    if (node) {
      this.select(node.fold ? node.fold.steps[0] : node.step);
      this.part.told.textContent = `Shown: ${node.fold?.title ?? this.doc.steps[node.step].n}, its rule and line of source`;
    }
    if (frame) this.setFold(this.folds[Number(frame.dataset.fold)], false);
  }

  foldAll() {
    if (this.open.size) this.open.clear();
    else for (const fold of this.folds) this.open.add(fold.id);
    this.lay();
    this.refresh(this.doc.steps.keys());
    this.show();
  }

  key(event) {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.target.matches?.("input, select, textarea") || event.target.closest?.(".wg-listing")) return;
    const moves = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity };
    const drawn = event.target.closest?.("[data-node], [data-fold]");
    if (event.key in moves) this.step(moves[event.key]);
    else if (drawn && (event.key === "Enter" || event.key === " ")) this.activate(drawn);
    else if (drawn && (event.key === "ArrowUp" || event.key === "ArrowDown"))
      this.nodes[Number(drawn.dataset.node ?? 0) + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
    else return;
    event.preventDefault();
  }
}

/** `∂f/∂x = 2.5`; of an array its norm. */
function derivativeFact(doc, k) {
  const { n, j } = doc.steps[k];
  const of = doc.summed ? `Σ ${doc.function}` : doc.function; // of several entries, of their sum
  return `∂${of}/∂${n}${j?.startsWith("norm") ? ":" : " ="} ${j ?? "—"}`;
}

function setAttribute(drawn, name, value) {
  if (drawn.getAttribute(name) !== value) drawn.setAttribute(name, value);
}
