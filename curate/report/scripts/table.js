// All clips: sorted, filtered, searched. Only the rows in view are in the document.

const ROW = 36, AHEAD = 8;
const SHOWN_FIRST = ["fate", "id", "language", "seconds", "speaker", "text", "near_rule", "near"];

class ClipTable {
  constructor(data, clips, verdicts) {
    this.data = data;
    this.clips = clips;
    this.verdicts = verdicts;
    this.columns = this.allColumns();
    this.shown = SHOWN_FIRST.filter((name) => this.columns.some((column) => column.name === name));
    this.sort = { name: null, down: false };
    this.search = "";
    this.filters = {};
    this.texts = null;
  }

  allColumns() {
    const titles = { fate: "Fate", id: "Clip", near: "Distance", near_rule: "Nearest limit", snr: "SNR", cer: "CER", dnsmos: "DNSMOS", distillmos: "DistillMOS", ctc_score: "CTC score" };
    const about = { fate: "kept, or the first rule it broke", near: "to the nearest limit, in steps of its column; above 0 kept, below 0 dropped", near_rule: "the rule that is nearest to changing its fate", broke: "every rule it broke", mark: "your verdict in this page" };
    const names = ["fate", "id", "language", "split", "seconds", "speaker", "text", "near_rule", "near", "broke", "mark",
      ...Object.keys(this.data.few), ...Object.keys(this.data.texts), ...Object.keys(this.data.numbers)];
    return [...new Set(names)].filter((name) => name !== "drop").map((name) => ({
      name, title: titles[name] || (name[0].toUpperCase() + name.slice(1)).replace(/_/g, " "), numeric: name in this.data.numbers || name === "near",
      about: about[name] || (this.data.columns[name] || {}).meaning || "", unit: (this.data.columns[name] || {}).unit || "",
    }));
  }

  column(name) { return this.columns.find((column) => column.name === name); }

  value(name, k) { return name === "mark" ? this.verdicts.of(k) : this.clips.value(name, k); }

  start() {
    const place = document.getElementById("table-place");
    const search = make("input", { type: "search", id: "table-search", placeholder: "text, id, file, speaker", "aria-label": "Search in text, id, file and speaker" });
    search.addEventListener("input", () => { this.search = search.value.trim().toLowerCase(); this.refresh(); });
    const selects = [["fate", "Fate"], ["language", "Language"], ["split", "Split"], ["source", "Source"], ["speaker", "Speaker"]]
      .map(([name, title]) => this.select(name, title)).filter(Boolean);
    this.count = make("p", { class: "small", role: "status", id: "table-count" });
    this.head = make("thead", {});
    this.body = make("tbody", {});
    this.frame = make("div", { class: "scroll rows", tabindex: "0", role: "region", "aria-label": "All clips" },
      make("table", { class: "clips-table", id: "clips-table" }, make("caption", { class: "hidden" }, "All clips"), this.head, this.body));
    this.frame.addEventListener("scroll", () => requestAnimationFrame(() => this.rows()));
    place.append(make("div", { class: "tools" }, search, ...selects,
      make("button", { type: "button", class: "quiet", on: { click: () => this.save() } }, "Save as TSV")), this.choice(), this.count, this.frame);
    this.refresh();
  }

  select(name, title) {
    const values = new Set();
    for (let k = 0; k < this.data.count; k++) values.add(this.clips.value(name, k));
    if (values.size < 2 && name !== "fate") return null;
    const sorted = [...values].sort((a, b) => (a === null) - (b === null) || String(a).localeCompare(String(b))).slice(0, 500);
    const options = sorted.map((value, i) => make("option", { value: i }, value === null ? "none" : value));
    const select = make("select", { "data-filter": name }, make("option", { value: "" }, "all"),
      name === "fate" ? make("option", { value: "dropped" }, "dropped, for any reason") : null, options);
    select.addEventListener("change", () => {
      if (select.value === "") delete this.filters[name];
      else this.filters[name] = select.value === "dropped" ? (value) => value !== "kept" : ((wanted) => (value) => value === wanted)(sorted[+select.value]);
      this.refresh();
    });
    return make("label", {}, title + " ", select);
  }

  /** Which columns are shown. */
  choice() {
    const boxes = this.columns.map((column) => {
      const box = make("input", { type: "checkbox", "data-column": column.name });
      box.checked = this.shown.includes(column.name);
      box.addEventListener("change", () => {
        this.shown = this.columns.map((c) => c.name).filter((name) => name === column.name ? box.checked : this.shown.includes(name));
        this.heads();
        this.rows(true);
      });
      return make("label", { title: column.about }, box, " " + column.title);
    });
    return make("details", { class: "columns" }, make("summary", {}, "Columns"), make("div", { class: "boxes" }, boxes));
  }

  heads() {
    this.head.replaceChildren(make("tr", {}, this.shown.map((name) => {
      const column = this.column(name), sorted = this.sort.name === name;
      const button = make("button", { type: "button", "data-sort": name, title: column.about, on: { click: () => this.sortBy(name) } },
        column.title + (column.unit && unit(column.unit) ? " (" + column.unit + ")" : ""), make("span", { "aria-hidden": "true" }, sorted ? (this.sort.down ? " ▼" : " ▲") : ""));
      return make("th", { scope: "col", class: (column.numeric ? "n " : "") + "c-" + name, "aria-sort": sorted ? (this.sort.down ? "descending" : "ascending") : "none" }, button);
    })));
  }

  sortBy(name) {
    this.sort = { name, down: this.sort.name === name ? !this.sort.down : false };
    this.refresh();
    this.head.querySelector('[data-sort="' + name + '"]').focus();
  }

  matches(k) {
    for (const [name, wanted] of Object.entries(this.filters)) if (!wanted(this.clips.value(name, k))) return false;
    return this.search === "" || this.text(k).includes(this.search);
  }

  text(k) {
    if (!this.texts) this.texts = new Array(this.data.count).fill(null);
    if (this.texts[k] === null) {
      this.texts[k] = ["id", "path", "speaker", "person", "text", "spoken", "heard", "error"].map((name) => this.clips.value(name, k) || "").join("\n").toLowerCase();
    }
    return this.texts[k];
  }

  refresh() {
    this.found = [];
    for (let k = 0; k < this.data.count; k++) if (this.matches(k)) this.found.push(k);
    const { name, down } = this.sort;
    if (name !== null) {
      const values = new Map(this.found.map((k) => [k, this.value(name, k)]));
      const numeric = this.column(name).numeric, order = new Intl.Collator("ko");
      this.found.sort((a, b) => {
        const one = values.get(a), other = values.get(b);
        if (one === null || other === null) return (one === null) - (other === null);
        const way = numeric ? one - other : order.compare(String(one), String(other));
        return down ? -way : way;
      });
    }
    const hours = this.found.reduce((sum, k) => sum + ((this.data.numbers.seconds || [])[k] || 0), 0) / 3600;
    this.count.textContent = this.found.length + " of " + this.data.count + " clips, " + duration(hours);
    this.frame.scrollTop = 0;
    this.heads();
    this.rows(true);
  }

  /** The rows that are in view, and empty ones as high as what is above and below. */
  rows(again) {
    const first = Math.max(0, Math.floor(this.frame.scrollTop / ROW) - AHEAD);
    const last = Math.min(this.found.length, first + Math.ceil(this.frame.clientHeight / ROW) + 2 * AHEAD);
    if (!again && first === this.first && last === this.last) return;
    this.first = first;
    this.last = last;
    const focused = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.open : undefined;
    const rows = this.found.slice(first, last).map((k, i) => this.row(k, first + i));
    const space = (height) => height ? make("tr", { class: "space", "aria-hidden": "true" }, make("td", { colspan: this.shown.length, style: "height:" + height + "px" })) : null;
    this.body.replaceChildren(...[space(first * ROW), ...rows, space((this.found.length - last) * ROW)].filter(Boolean));
    if (!this.found.length) this.body.append(make("tr", {}, make("td", { colspan: this.shown.length }, "No clip is like that.")));
    document.getElementById("clips-table").setAttribute("aria-rowcount", this.found.length + 1);
    if (focused !== undefined) { const there = this.body.querySelector('[data-open="' + CSS.escape(focused) + '"]'); if (there) there.focus({ preventScroll: true }); }
  }

  row(k, at) {
    return make("tr", { "aria-rowindex": at + 2, class: this.clips.few("drop", k) === null ? "is-kept" : "is-dropped" }, this.shown.map((name) => this.cell(name, k)));
  }

  cell(name, k) {
    const value = this.value(name, k), column = this.column(name);
    if (name === "id") return make("td", { class: "c-id" }, make("button", { type: "button", class: "link", "data-open": value, on: { click: () => this.open(k) } }, value));
    const shown = value === null || value === undefined ? "–" : column.numeric ? number(value) : value;
    const long = ["text", "spoken", "heard", "path", "pronounced", "error"].includes(name);
    const code = this.clips.language(k), spoken = ["text", "spoken", "heard"].includes(name);
    return make("td", { class: (column.numeric ? "n " : "") + "c-" + name + (long ? " long" : ""), title: long && value ? value : null },
      long ? make("bdi", { lang: spoken && code in this.data.languages ? code : null }, String(shown).slice(0, 200)) : shown);
  }

  /** One clip with all its values. */
  open(k) {
    const id = this.data.id[k];
    const close = make("button", { type: "button", class: "quiet", on: { click: () => dialog.close() } }, "Close");
    const values = this.columns.filter((column) => !["id", "mark"].includes(column.name)).map((column) => [column, this.clips.value(column.name, k)])
      .filter(([, value]) => value !== null && value !== "" && value !== undefined);
    const dialog = make("dialog", { class: "detail", "aria-label": "Clip " + id },
      make("div", { class: "detail-head" }, make("h2", {}, "Clip ", make("code", {}, id)), close),
      this.clips.player(k), this.clips.texts(k), this.clips.limitTable(k),
      make("dl", {}, values.map(([column, value]) => [make("dt", { title: column.about }, column.title), make("dd", {}, make("bdi", {}, column.numeric ? number(value) + unit(column.unit) : value))])),
      make("p", {}, make("button", { type: "button", on: { click: () => { dialog.close(); this.verdicts.judge(k); } } }, "Judge this clip")));
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
    players.setSpeed(players.speed);
  }

  save() {
    const clean = (value) => value === null || value === undefined ? "" : String(value).replace(/[\t\r\n]+/g, " ");
    const lines = [this.shown, ...this.found.map((k) => this.shown.map((name) => clean(this.value(name, k))))];
    download("clips.tsv", lines.map((line) => line.join("\t")).join("\n") + "\n", "text/tab-separated-values");
  }
}
