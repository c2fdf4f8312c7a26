// What happens when: the moments of a sweep in either mode, and what is known and held after each.

const FORWARD = "f"; // a step is computed; in forward mode its tangent too
const AGAIN = "c"; // a value that had been dropped is computed again
const REVERSE = "r"; // the adjoint of a step is complete

/**
 * Forward mode: each step once, value and tangent together. What no later step reads is dropped
 * before the next; the inputs and the output stay. A tangent takes as many bytes as its value.
 */
function forwardTimeline(doc) {
  const last = new Map();
  for (const step of doc.forward) for (const arg of doc.steps[step].a) last.set(arg, step);
  const stays = (step) => step === doc.output || doc.steps[step].k !== "operation";
  let bytes = 0;
  let dropped = [];
  const moments = doc.forward.map((step) => {
    bytes += 2 * doc.steps[step].z;
    for (const arg of dropped) bytes -= 2 * doc.steps[arg].z;
    const moment = { action: FORWARD, step, added: [step], dropped, bytes };
    dropped = doc.steps[step].a.filter((arg) => last.get(arg) === step && !stays(arg));
    return moment;
  });
  return { mode: "forward", given: [], moments, peak: peakOf(moments) };
}

/** Reverse mode under one of the schedules of the document. */
function reverseTimeline(doc, schedule) {
  const moments = schedule.moments.map(([action, step, added, dropped, bytes, adjoints]) => {
    return { action, step, added, dropped, bytes, adjoints };
  });
  const given = moments[0].added.filter((step) => step !== moments[0].step);
  moments[0].added = [moments[0].step];
  return { mode: "reverse", given, moments, peak: schedule.peak };
}

const peakOf = (moments) => moments.reduce((most, moment) => Math.max(most, moment.bytes), 0);

/** The state of all steps after some moments of a timeline; `seek` goes to any of them. */
class Sweep {
  constructor(doc, timeline) {
    this.doc = doc;
    this.timeline = timeline;
    this.at = 0;
    const counters = () => new Int32Array(doc.steps.length);
    this.computed = counters();
    this.held = counters();
    this.derived = counters(); // tangents computed, or adjoints complete
    this.passed = counters(); // reverse steps run
    this.completing = timeline.mode === "reverse" ? completions(doc, timeline) : new Map();
    for (const step of timeline.given) this.computed[step] = this.held[step] = 1;
  }

  get moment() {
    return this.at ? this.timeline.moments[this.at - 1] : null;
  }

  get bytes() {
    return this.moment?.bytes ?? this.timeline.given.reduce((sum, step) => sum + this.doc.steps[step].z, 0);
  }

  /** Goes to the state after `to` moments; the steps whose state may have changed. */
  seek(to) {
    const touched = new Set();
    const touch = (moment) => {
      touched.add(moment.step);
      for (const step of moment.added) touched.add(step);
      for (const step of moment.dropped) touched.add(step);
      for (const step of this.completing.get(moment) ?? []) touched.add(step);
    };
    if (this.moment) touch(this.moment);
    while (this.at < to) {
      this.count(this.timeline.moments[this.at], 1);
      touch(this.timeline.moments[this.at++]);
    }
    while (this.at > to) {
      this.count(this.timeline.moments[--this.at], -1);
      touch(this.timeline.moments[this.at]);
    }
    if (this.moment) touch(this.moment);
    return touched;
  }

  count(moment, by) {
    for (const step of moment.added) this.held[step] += by;
    for (const step of moment.dropped) this.held[step] -= by;
    if (moment.action === REVERSE) this.passed[moment.step] += by;
    else this.computed[moment.step] += by;
    if (this.timeline.mode === "forward") this.derived[moment.step] += by;
    for (const step of this.completing.get(moment) ?? []) this.derived[step] += by;
  }

  /** The pairs of steps along which numbers flow at this moment: an operand and what reads it. */
  flows() {
    if (!this.moment) return [];
    const { action, step } = this.moment;
    const operands = [...new Set(this.doc.steps[step].a)];
    const kept = action === REVERSE ? operands.filter((arg) => termOf(this.doc, arg, step)) : operands;
    return kept.map((arg) => [arg, step]);
  }
}

/** The steps whose adjoints are complete after each moment: when all that read them have run. */
function completions(doc, timeline) {
  const ran = new Map();
  timeline.moments.forEach((moment, k) => moment.action === REVERSE && ran.set(moment.step, k));
  const first = timeline.moments.findIndex((moment) => moment.action === REVERSE);
  const found = new Map();
  doc.steps.forEach((step, k) => {
    if (step.j === null || first < 0) return;
    const users = step.r.map(([user]) => ran.get(user)).filter((at) => at !== undefined);
    const moment = timeline.moments[Math.max(first, ...users)];
    found.set(moment, [...(found.get(moment) ?? []), k]);
  });
  return found;
}

/** The moment at which a step is computed, or in reverse mode its adjoint complete; 0 if never. */
function momentOf(timeline, step) {
  const wanted = timeline.mode === "forward" ? FORWARD : REVERSE;
  const found = timeline.moments.findIndex((moment) => moment.step === step && moment.action === wanted);
  return found >= 0 ? found + 1 : timeline.moments.findIndex((moment) => moment.step === step) + 1;
}
