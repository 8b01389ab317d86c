// What a person says of a clip: heard, marked keep or drop by keyboard, kept in the browser under the corpus's digest,
// and saved as verdicts.tsv (clip, verdict, reason, who).

const HEADER = ["clip", "verdict", "reason", "who"];
const REASONS = ["good", "wrong text", "words missing", "noise", "music", "another voice", "cut off", "clipped", "wrong language", "no speech"];

class Verdicts {
  constructor(data, clips) {
    this.data = data;
    this.clips = clips;
    this.key = "samsori-verdicts:" + data.digest;
    this.marks = new Map();
    this.who = "";
    this.at = 0;
    this.which = "doubtful";
    this.pending = null;
    this.load();
  }

  load() {
    try {
      const stored = JSON.parse(kept.get(this.key) || "{}");
      this.who = String(stored.who || "");
      for (const [id, mark] of Object.entries(stored.marks || {})) if (this.clips.place.has(id)) this.marks.set(id, mark);
    } catch { /* what is there is not ours: begin anew */ }
  }

  store() {
    kept.set(this.key, JSON.stringify({ corpus: this.data.corpus, who: this.who, marks: Object.fromEntries(this.marks) }));
  }

  of(k) {
    const mark = this.marks.get(this.data.id[k]);
    return mark ? mark.verdict : null;
  }

  start() {
    this.place = document.getElementById("judge-place");
    this.whoBox = make("input", { type: "text", id: "judge-who", autocomplete: "name", size: 16 });
    this.whoBox.value = this.who;
    this.whoBox.addEventListener("input", () => { this.who = this.whoBox.value.trim(); this.store(); });
    this.whoBox.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); this.named(); } });
    const which = make("select", { id: "judge-which" }, [["doubtful", "nearest to a limit"], ["dropped", "dropped, nearest to a limit"], ["kept", "kept, nearest to a limit"], ["open", "nearest, without a verdict"], ["marked", "with a verdict"]]
      .map(([value, title]) => make("option", { value }, title)));
    which.addEventListener("change", () => { this.which = which.value; this.choose(); this.show(); });
    this.file = make("input", { type: "file", id: "judge-file", accept: ".tsv,text/tab-separated-values,text/plain" });
    this.file.addEventListener("change", () => this.import());
    this.told = make("p", { class: "small", role: "status", id: "judge-told" });
    this.card = make("article", { class: "judge-card", tabindex: "-1", "aria-label": "The clip to judge" });
    this.progress = make("p", { class: "small", id: "judge-progress" });
    const speeds = [0.75, 1, 1.25, 1.5, 2].map((value) => make("option", { value, selected: value === 1 }, value + "×"));
    this.place.append(
      make("div", { class: "tools" }, make("label", {}, "Who judges ", this.whoBox), make("label", {}, "Clips ", which),
        make("label", {}, "Speed ", make("select", { "data-speed": true }, speeds))),
      this.told, this.card, this.progress,
      make("div", { class: "tools" },
        make("button", { type: "button", id: "judge-save", on: { click: () => this.save() } }, "Save verdicts.tsv"),
        make("label", {}, "Take in a verdicts file ", this.file),
        make("button", { type: "button", class: "quiet", id: "judge-forget", on: { click: () => this.forget() } }, "Forget all")));
    if (!kept.works) this.tell("This browser keeps nothing for pages opened from a file: save verdicts.tsv before you close it.");
    document.addEventListener("keydown", (event) => this.pressed(event));
    this.choose();
    this.show();
  }

  tell(text) { this.told.textContent = text; }

  /** The queue: clips that can be heard, those nearest to a limit first. */
  choose(k) {
    this.near = this.near || [...this.data.near.keys()].filter((i) => this.clips.distance(i) !== null && this.clips.sound(i) !== null)
      .sort((a, b) => Math.abs(this.data.near[a]) - Math.abs(this.data.near[b]) || a - b);
    const near = this.near;
    const queues = {
      doubtful: () => near,
      dropped: () => near.filter((i) => this.clips.few("drop", i) !== null),
      kept: () => near.filter((i) => this.clips.few("drop", i) === null),
      open: () => near.filter((i) => this.of(i) === null),
      marked: () => [...this.marks.keys()].map((id) => this.clips.place.get(id)),
    };
    this.queue = queues[this.which]();
    if (k !== undefined && !this.queue.includes(k)) this.queue = [k, ...this.queue];
    this.at = k === undefined ? 0 : this.queue.indexOf(k);
    if (this.which === "doubtful" && k === undefined) {
      const first = this.queue.findIndex((i) => this.of(i) === null);
      this.at = Math.max(0, first);
    }
  }

  /** Show this very clip, asked for from elsewhere. */
  judge(k) {
    this.choose(k);
    this.show();
    document.getElementById("judge").scrollIntoView();
    this.card.focus({ preventScroll: true });
  }

  current() { return this.queue[this.at]; }

  show() {
    const k = this.current();
    if (k === undefined) {
      this.card.replaceChildren(make("p", {}, this.which === "marked" ? "No clip has a verdict yet." : "There is no clip here that can be heard and lies near a limit."));
      this.showProgress();
      return;
    }
    const id = this.data.id[k], mark = this.marks.get(id), drop = this.clips.few("drop", k), distance = this.clips.distance(k);
    const button = (verdict, key) => make("button", { type: "button", class: "verdict " + verdict, "aria-pressed": String(Boolean(mark && mark.verdict === verdict)), "data-verdict": verdict, on: { click: () => this.mark(verdict) } },
      verdict === "keep" ? "Keep" : "Drop", make("kbd", {}, key));
    this.reason = make("input", { type: "text", list: "judge-reasons", id: "judge-reason", value: mark ? mark.reason : "" });
    this.reason.addEventListener("input", () => this.because());
    this.reason.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === "Escape") { event.preventDefault(); this.card.focus(); } });
    const earlier = this.clips.few("verdict", k);
    const limits = this.clips.limitTable(k), open = this.card.querySelector("details.limits");
    this.card.replaceChildren(
      make("p", { class: "top" }, make("span", { class: drop === null ? "fate is-kept" : "fate is-dropped" }, drop === null ? "kept" : "dropped: " + drop), " ",
        make("span", { class: "soft small" }, this.clips.languageName(k), this.clips.few("speaker", k) ? " · " : "", this.clips.few("speaker", k) ? make("bdi", {}, this.clips.few("speaker", k)) : "", " · ", number(this.clips.value("seconds", k)), " s · ", make("code", {}, id))),
      distance === null ? "" : make("p", { class: "small" }, drop === null ? "Nearest limit: " : "To change: ", make("b", {}, this.clips.nearRule(k) || ""), ", " + farness(Math.abs(distance)) + (drop === null ? " within" : " beyond") + " its limit"),
      earlier ? make("p", { class: "small" }, "The recipe's verdict: " + earlier + (this.clips.value("verdict_reason", k) ? ", " + this.clips.value("verdict_reason", k) : "") + (this.clips.few("verdict_who", k) ? ", by " + this.clips.few("verdict_who", k) : "")) : "",
      this.clips.player(k), ...this.clips.texts(k),
      make("div", { class: "verdicts" }, button("keep", "K"), button("drop", "D"),
        make("button", { type: "button", class: "quiet", disabled: !mark, "data-verdict": "none", on: { click: () => this.unmark() } }, "Take back", make("kbd", {}, "U")),
        make("label", {}, "Reason ", this.reason, make("kbd", {}, "R"))),
      make("datalist", { id: "judge-reasons" }, REASONS.map((value) => make("option", { value }))),
      make("div", { class: "tools" },
        make("button", { type: "button", class: "quiet", disabled: this.at === 0, "data-go": "-1", on: { click: () => this.go(-1) } }, "Previous"),
        make("button", { type: "button", class: "quiet", disabled: this.at >= this.queue.length - 1, "data-go": "1", on: { click: () => this.go(1) } }, "Next")),
      make("details", { class: "limits", open: open ? open.open : innerWidth > 600 }, make("summary", {}, "What was measured"), limits));
    this.showProgress();
    players.setSpeed(players.speed);
  }

  showProgress() {
    const marks = [...this.marks.values()], keep = marks.filter((mark) => mark.verdict === "keep").length;
    this.progress.textContent = (this.queue.length ? "Clip " + (this.at + 1) + " of " + this.queue.length + ". " : "") + marks.length + " marked: " + keep + " keep, " + (marks.length - keep) + " drop.";
  }

  go(step) {
    const next = this.at + step;
    if (next < 0 || next >= this.queue.length) { this.tell(step > 0 ? "That was the last one." : "This is the first one."); return; }
    this.at = next;
    this.tell("");
    this.show();
    this.card.focus({ preventScroll: true });
  }

  mark(verdict) {
    const k = this.current();
    if (k === undefined) return;
    if (!this.who) {
      this.pending = verdict;
      this.tell("Who judges? Write a name and press Enter; it is asked once.");
      this.whoBox.focus();
      return;
    }
    const id = this.data.id[k], before = this.marks.get(id);
    this.marks.set(id, { verdict, reason: this.reason.value.trim() || (before ? before.reason : ""), who: this.who });
    this.store();
    this.tell(id + ": " + verdict);
    if (this.at < this.queue.length - 1) this.at += 1;
    this.show();
    this.card.focus({ preventScroll: true });
  }

  /** The name was written: what was marked before it is marked now. */
  named() {
    if (!this.who) return;
    this.card.focus({ preventScroll: true });
    if (this.pending) { const verdict = this.pending; this.pending = null; this.mark(verdict); }
  }

  because() {
    const id = this.data.id[this.current()], mark = this.marks.get(id);
    if (mark) { this.marks.set(id, { ...mark, reason: this.reason.value.trim() }); this.store(); }
  }

  unmark() {
    const id = this.data.id[this.current()];
    if (this.marks.delete(id)) { this.store(); this.tell(id + ": taken back"); this.show(); this.card.focus({ preventScroll: true }); }
  }

  forget() {
    if (!this.marks.size || !confirm("Forget all " + this.marks.size + " verdicts of this corpus in this browser?")) return;
    this.marks.clear();
    this.store();
    this.choose();
    this.show();
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target)) return;
    const elsewhere = event.target !== document.body && !event.target.closest("#judge");
    if (elsewhere || document.querySelector("dialog[open]") || !this.inView()) return;
    if (event.key === " " && event.target.closest("button, audio, a")) return;
    const audio = this.card.querySelector("audio");
    const acts = {
      k: () => this.mark("keep"), d: () => this.mark("drop"), u: () => this.unmark(),
      n: () => this.go(1), ArrowRight: () => this.go(1), p: () => this.go(-1), ArrowLeft: () => this.go(-1),
      r: () => this.reason && this.reason.focus(), "[": () => players.setSpeed(players.speed - 0.25), "]": () => players.setSpeed(players.speed + 0.25),
      " ": () => audio && (audio.paused ? audio.play() : audio.pause()), b: () => audio && players.playFrom(audio, 0),
    };
    const act = acts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act || (event.key.startsWith("Arrow") && event.target.closest("audio"))) return;
    event.preventDefault();
    act();
  }

  /** Keys speak to the clip only while it can be seen. */
  inView() {
    const box = document.getElementById("judge").getBoundingClientRect();
    return box.top < innerHeight && box.bottom > 0;
  }

  asText() {
    const clean = (text) => String(text || "").replace(/[\t\r\n]+/g, " ").trim();
    const rows = this.data.id.filter((id) => this.marks.has(id)).map((id) => { const mark = this.marks.get(id); return [id, mark.verdict, clean(mark.reason), clean(mark.who)]; });
    return [HEADER, ...rows].map((row) => row.join("\t")).join("\n") + "\n";
  }

  save() { download("verdicts.tsv", this.asText(), "text/tab-separated-values"); }

  async import() {
    const file = this.file.files[0];
    if (!file) return;
    const lines = (await file.text()).replace(/^\ufeff/, "").split(/\r?\n/).filter((line) => line.trim() !== "");
    const head = (lines.shift() || "").split("\t").map((name) => name.trim());
    const [clip, verdict, reason, who] = HEADER.map((name) => head.indexOf(name));
    this.file.value = "";
    if (clip < 0 || verdict < 0) { this.tell("This is no verdicts file: its first line should be clip, verdict, reason, who, with tabs between."); return; }
    let taken = 0, unknown = 0, wrong = 0;
    for (const cells of lines.map((line) => line.split("\t"))) {
      const id = (cells[clip] || "").trim(), says = (cells[verdict] || "").trim().toLowerCase();
      if (!this.clips.place.has(id)) unknown += 1;
      else if (says !== "keep" && says !== "drop") wrong += 1;
      else { this.marks.set(id, { verdict: says, reason: (cells[reason] || "").trim(), who: (cells[who] || "").trim() }); taken += 1; }
    }
    this.store();
    this.tell(taken + " verdicts taken in" + (unknown ? ", " + unknown + " are of clips that are not in this corpus" : "") + (wrong ? ", " + wrong + " say neither keep nor drop" : "") + ".");
    this.show();
  }
}

/** Steps of a measure, in words: half a step is what tells nobody apart. */
function farness(steps) {
  return steps < 0.5 ? "just" : steps < 2 ? "clearly" : "far";
}
