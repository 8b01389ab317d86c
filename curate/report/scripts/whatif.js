// Sliders on the thresholds: a panel for each limit, and the sum of what all of them together would keep.

const BARS = 48;

class WhatIf {
  constructor(data, decider) {
    this.data = data;
    this.decider = decider;
    this.panels = [];
    this.waiting = false;
  }

  start() {
    const place = document.getElementById("whatif-panels");
    this.data.rules.forEach((rule, i) => {
      const parts = rule.parts.map((part, j) => ({ part, j })).filter(({ part }) => part.measured > 0);
      if (rule.switch) this.panels.push(this.switchPanel(rule, i));
      else parts.forEach(({ part, j }) => this.panels.push(this.panel(rule, i, part, j)));
    });
    if (this.data.alike.known && this.data.alike.pairs.length) this.panels.push(this.duplicates());
    place.append(...this.panels.map((panel) => panel.box));
    this.sum = document.getElementById("whatif-sum");
    this.watch();
    this.show();
  }

  /** After a change: decide at once, draw with the next frame. */
  moved(i) {
    this.decider.run(i);
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => { this.waiting = false; this.show(); });
  }

  /** Panels are drawn while they are in view: with 15,000 clips a slider must answer at once. */
  watch() {
    const byBox = new Map(this.panels.map((panel) => [panel.box, panel]));
    const seenNow = new IntersectionObserver((changes) => {
      for (const change of changes) {
        const panel = byBox.get(change.target);
        panel.inView = change.isIntersecting;
        if (panel.inView) panel.show();
      }
    }, { rootMargin: "200px" });
    for (const panel of this.panels) seenNow.observe(panel.box);
  }

  show() {
    for (const panel of this.panels) if (panel.inView) panel.show();
    this.showSum();
  }

  panel(rule, i, part, j) {
    const step = niceStep((part.high - part.low) / 200), first = part.limit, firstOn = rule.on;
    const id = "limit-" + part.key.replace(/[^a-z_]/g, "-");
    const shown = part.limit !== null ? part.limit : part.default !== null ? part.default : fit((part.low + part.high) / 2, step);
    const range = make("input", { type: "range", min: part.low, max: part.high, step, id: id + "-range", "aria-label": rule.name + ": " + part.title + ", " + part.side });
    const exact = make("input", { type: "number", step: "any", id, min: part.least, max: part.most, "data-key": part.key, "aria-label": part.key });
    range.value = shown;
    exact.value = shown;
    const off = part.can_be_off || !firstOn ? make("input", { type: "checkbox", "data-off": part.key }) : null;
    const read = () => {
      const value = exact.value === "" ? NaN : Number(exact.value);
      const isOff = off ? off.checked : false;
      const allowed = Number.isFinite(value) && (part.least === null || value >= part.least) && (part.most === null || value <= part.most);
      exact.setAttribute("aria-invalid", String(!allowed));
      if (!allowed) return;
      rule.on = part.gate ? true : rule.on || !isOff;
      part.limit = isOff ? null : value;
      if (!isOff && rule.mode === "any") rule.on = true;
      if (isOff && rule.mode === "any") { rule.on = false; part.limit = first; }
      this.moved(i);
    };
    range.addEventListener("input", () => { exact.value = fit(Number(range.value), step); if (off) off.checked = false; read(); });
    exact.addEventListener("input", () => { range.value = exact.value; if (off) off.checked = false; read(); });
    if (off) { off.checked = !firstOn || first === null; off.addEventListener("change", read); }
    const chart = draw("svg", { viewBox: "0 0 320 84", class: "plot", role: "img", "aria-label": seen(part.title + ": histogram") });
    const says = make("p", { class: "small figures" });
    const box = make("section", { class: "panel", "data-panel": part.key, "aria-label": rule.name + ": " + part.title + ", " + part.side },
      make("h3", {}, part.title, " ", make("span", { class: "tag" }, rule.name)),
      chart, range,
      make("div", { class: "limit" }, make("label", { for: id }, sideWords(part.side)), exact, make("span", {}, unit(part.unit).trim()),
        off ? make("label", { class: "off" }, off, " off") : null),
      says);
    const show = () => {
      const current = rule.on ? part.limit : null;
      this.histogram(chart, part, i, j, current);
      box.classList.toggle("moved", part.limit !== first || rule.on !== firstOn);
      const alone = this.alone(i), broken = this.count(this.decider.flags[i]);
      says.replaceChildren(seen(current === null ? "off" : rule.name + " is broken by " + clipsOf(broken) + ", " + alone + " of them break nothing else") +
        (part.missing ? "; " + part.missing + " were not measured" : "") + ".");
    };
    return { box, show, reset: () => { range.value = shown; exact.value = shown; if (off) off.checked = !firstOn || first === null; } };
  }

  switchPanel(rule, i) {
    const first = rule.on, on = make("input", { type: "checkbox", "data-switch": rule.name });
    on.checked = rule.on;
    on.addEventListener("change", () => { rule.on = on.checked; this.moved(i); });
    const says = make("p", { class: "small figures" });
    const box = make("section", { class: "panel", "aria-label": rule.name }, make("h3", {}, rule.name.replace("_", " "), " ", make("span", { class: "tag" }, rule.name)),
      make("label", { class: "off" }, on, " asked for"), says);
    const show = () => {
      box.classList.toggle("moved", rule.on !== first);
      says.textContent = rule.on ? rule.name + " is broken by " + clipsOf(this.count(this.decider.flags[i])) + ", " + this.alone(i) + " of them break nothing else." : "off.";
    };
    return { box, show, reset: () => { on.checked = first; } };
  }

  duplicates() {
    const alike = this.data.alike, first = alike.limit;
    const exact = make("input", { type: "number", step: "any", min: 0.3, id: "limit-duplicate", "data-key": "filter.duplicate", "aria-label": "filter.duplicate" });
    const range = make("input", { type: "range", min: 0.3, max: 1, step: 0.01, "aria-label": "duplicate: likeness of two clips" });
    const off = make("input", { type: "checkbox", "data-off": "filter.duplicate" });
    const shown = first === null ? 0.4 : first;
    exact.value = range.value = shown;
    off.checked = first === null;
    const read = () => {
      const value = exact.value === "" ? NaN : Number(exact.value);
      if (!Number.isFinite(value)) return;
      alike.limit = off.checked ? null : value;
      this.moved(-1);
    };
    range.addEventListener("input", () => { exact.value = range.value; off.checked = false; read(); });
    exact.addEventListener("input", () => { range.value = exact.value; off.checked = false; read(); });
    off.addEventListener("change", read);
    const says = make("p", { class: "small figures" });
    const box = make("section", { class: "panel", "data-panel": "filter.duplicate", "aria-label": "duplicate" },
      make("h3", {}, "Likeness of two clips ", make("span", { class: "tag" }, "duplicate")), range,
      make("div", { class: "limit" }, make("label", { for: "limit-duplicate" }, "a duplicate from"), exact, make("label", { class: "off" }, off, " off")),
      says);
    const show = () => {
      box.classList.toggle("moved", alike.limit !== first);
      says.textContent = alike.limit === null ? "off." : this.count(this.decider.repeats) + " clips repeat another. Likeness below 0.3 is not kept, so lower limits find no more.";
    };
    return { box, show, reset: () => { exact.value = range.value = shown; off.checked = first === null; } };
  }

  count(flags) { return flags.reduce((sum, flag) => sum + flag, 0); }

  /** Clips that would pass but for this rule. */
  alone(i) {
    const { breaks, flags, repeats } = this.decider;
    let found = 0;
    for (let k = 0; k < this.data.count; k++) if (flags[i][k] && breaks[k] === 1 && !repeats[k]) found++;
    return found;
  }

  histogram(chart, part, i, j, limit) {
    const passing = new Array(BARS).fill(0), alone = new Array(BARS).fill(0), other = new Array(BARS).fill(0);
    const { breaks, passes, flags } = this.decider, where = this.decider.where[i][j], span = part.high - part.low;
    for (let k = 0; k < this.data.count; k++) {
      const value = part.value[k];
      if (!where[k] || value === null) continue;
      const bar = Math.min(BARS - 1, Math.max(0, Math.floor((value - part.low) / span * BARS)));
      if (passes[k]) passing[bar]++;
      else if (flags[i][k] && breaks[k] === 1) alone[bar]++;
      else other[bar]++;
    }
    const tallest = Math.max(1, ...passing.map((n, b) => n + alone[b] + other[b]));
    const bars = [];
    for (let b = 0; b < BARS; b++) {
      let y = 64;
      for (const [counts, name] of [[passing, "k"], [alone, "d"], [other, "o"]]) {
        const height = 60 * counts[b] / tallest;
        if (!height) continue;
        y -= height;
        bars.push(draw("rect", { class: name, x: (b * 320 / BARS + 0.5).toFixed(2), y: y.toFixed(2), width: (320 / BARS - 1).toFixed(2), height: height.toFixed(2) }));
      }
    }
    bars.push(draw("line", { class: "axis", x1: 0, x2: 320, y1: 64, y2: 64 }));
    const x = limit === null ? null : Math.min(320, Math.max(0, 320 * (limit - part.low) / span));
    if (x === null || x > 60) bars.push(draw("text", { x: 0, y: 80 }, number(part.low)));
    if (x === null || x < 230) bars.push(draw("text", { x: 320, y: 80, "text-anchor": "end" }, number(part.high) + unit(part.unit)));
    if (x !== null) {
      bars.push(draw("line", { class: "limit", x1: x, x2: x, y1: 0, y2: 64 }));
      bars.push(draw("text", { class: "at", x, y: 80, "text-anchor": x > 260 ? "end" : x < 60 ? "start" : "middle" }, number(limit)));
    }
    chart.replaceChildren(...bars);
    const sum = (counts) => counts.reduce((a, b) => a + b, 0);
    chart.setAttribute("aria-label", seen(part.title + ": histogram of " + (sum(passing) + sum(alone) + sum(other)) + " clips; " + sum(passing) +
      " pass all rules, " + sum(alone) + " break this one alone, " + sum(other) + " break others" + (limit === null ? "; no limit" : "; limit " + number(limit))));
  }

  showSum() {
    const now = this.decider.hours(this.decider.passes), before = this.decider.baseline, settings = this.decider.settings();
    const rows = Object.keys(now).map((code) => {
      const wanted = this.data.wanted[code];
      return make("tr", { "data-language": code }, make("th", { scope: "row" }, this.data.languages[code] || code),
        make("td", { class: "n", "data-hours": now[code].hours, "data-clips": now[code].clips }, now[code].clips + " clips · " + duration(now[code].hours)),
        make("td", { class: "n " + (now[code].clips === before[code].clips ? "" : now[code].clips > before[code].clips ? "more" : "less") },
          (now[code].clips >= before[code].clips ? "+" : "−") + Math.abs(now[code].clips - before[code].clips) + " · " + signed(now[code].hours - before[code].hours)),
        make("td", { class: "n" }, wanted === undefined ? "balance takes all" : "balance takes at most " + duration(Math.min(wanted, now[code].hours))));
    });
    const command = "curate filter CORPUS" + settings.map((each) => " --set " + each).join("");
    this.sum.replaceChildren(
      make("table", {}, make("caption", {}, settings.length ? "What would pass all rules" : "What passes all rules now"),
        make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Language"), make("th", { scope: "col", class: "n" }, "Pass"),
          make("th", { scope: "col", class: "n" }, "Change"), make("th", { scope: "col", class: "n" }, "After balance"))),
        make("tbody", {}, rows)),
      make("div", { class: "command", hidden: !settings.length }, make("code", { class: "block", id: "whatif-command", tabindex: "0" }, settings.length ? command : ""),
        make("button", { type: "button", class: "quiet", on: { click: (event) => copy(command, event.target) } }, "Copy"),
        make("button", { type: "button", class: "quiet", id: "whatif-reset", on: { click: () => this.reset() } }, "Back to the recipe")),
      this.decider.agrees() ? "" : make("p", { class: "note" }, "With the recipe's own limits this page decides some clips otherwise than the corpus did; take these figures as near, and ask curate filter."));
  }

  reset() {
    this.decider.reset();
    this.panels.forEach((panel) => panel.reset());
    this.show();
  }
}

function clipsOf(count) {
  return count + (count === 1 ? " clip" : " clips");
}

function sideWords(side) {
  return { "at least": "at least", "at most": "at most", below: "below" }[side];
}

/** A round step: 1, 2 or 5 times a power of ten. */
function niceStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough || 1));
  return Number(([1, 2, 5, 10].find((m) => m * power >= rough) * power).toPrecision(1));
}

/** A value on the grid of a step, without the tail of binary fractions. */
function fit(value, step) {
  return Number((Math.round(value / step) * step).toFixed(Math.max(0, -Math.floor(Math.log10(step)) + 1)));
}

function copy(text, button) {
  const done = () => { button.textContent = "Copied"; setTimeout(() => { button.textContent = "Copy"; }, 1500); };
  const byHand = () => { getSelection().selectAllChildren(document.getElementById("whatif-command")); };
  if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, byHand);
  else byHand();
}
