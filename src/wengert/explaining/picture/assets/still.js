// A picture that does not move: what Python asks for.

/** The SVG of a document at one moment of a sweep, or as a whole where `step` is null. */
function stillPicture(doc, viz, { mode, direction, step, about, style }) {
  const view = layOut(doc, viewOf(doc, stillFolds(doc), new Set()), viz, mode !== null);
  const seen = { sweep: null, mode, direction, selected: null };
  if (step !== null) {
    const timeline = mode === "reverse" ? reverseTimeline(doc, doc.schedules[0]) : forwardTimeline(doc);
    const sweep = new Sweep(doc, timeline);
    const at = typeof step === "number" ? step : momentOf(timeline, step.of);
    sweep.seek(at);
    seen.sweep = sweep;
    seen.inFold = (node) => sweep.moment !== null && view.of[sweep.moment.step] === node;
    seen.active = new Set(sweep.flows().map(([from, to]) => view.edgeOf(from, to)).filter(Boolean));
  }
  return drawn(doc, view, seen, { title: doc.title, about, style });
}

/** In a still picture nothing can be unfolded: only graphs too large to be read are folded. */
function stillFolds(doc) {
  return doc.steps.length > FEW ? foldsOf(doc) : [];
}
