// One clip of the packed rows: its values, its sound, and a card of it.

class Clips {
  constructor(data) {
    this.data = data;
    this.count = data.count;
    this.place = new Map(data.id.map((id, k) => [id, k]));
    // found once: asking the document for each of 15,000 clips takes a quarter of a second
    this.cards = new Map([...document.querySelectorAll("audio[data-clip]")].map((audio) => [audio.dataset.clip, audio]));
    this.doubtful = data.doubtful.map((id) => this.place.get(id)).filter((k) => k !== undefined);
  }

  few(name, k) {
    const column = this.data.few[name];
    return column && column.at[k] >= 0 ? column.values[column.at[k]] : null;
  }

  value(name, k) {
    if (name === "id") return this.data.id[k];
    if (name === "near") return this.distance(k);
    if (name === "near_rule") return this.nearRule(k);
    if (name === "fate") return this.few("drop", k) || "kept";
    if (name === "broke") return this.broke(k).join(", ");
    if (name in this.data.numbers) return this.data.numbers[name][k];
    if (name === "spoken") return this.spoken(k);
    if (name in this.data.texts) return this.data.texts[name][k];
    return this.few(name, k);
  }

  /** The spoken form travels only where it is not the text. */
  spoken(k) {
    const own = this.data.texts.spoken ? this.data.texts.spoken[k] : null;
    return own !== null ? own : (this.data.texts.text ? this.data.texts.text[k] : null);
  }

  distance(k) {
    const value = this.data.near[k];
    return value === null || Math.abs(value) >= 99 ? null : value;
  }

  nearRule(k) {
    const { values, at } = this.data.near_rule;
    return at[k] >= 0 ? values[at[k]] : null;
  }

  broke(k) {
    const { values, at } = this.data.broke;
    const text = at[k] >= 0 ? values[at[k]] : "";
    return text === "" ? [] : text.split(",").map((i) => this.data.order[+i]);
  }

  language(k) { return this.few("language", k); }

  languageName(k) { return this.data.languages[this.language(k)] || this.language(k) || "unknown"; }

  /** Where its sound is: in the page, beside it, or among the kept clips. */
  sound(k) {
    const id = this.data.id[k], extra = this.data.extra[id];
    const shown = this.cards.get(id);
    if (shown) return { url: shown.getAttribute("src"), copy: shown.closest(".sound") };
    if (extra) return { url: extra.sound, extra };
    if (this.few("drop", k) === null) return { url: this.data.clips + "/" + encodeURIComponent(id) + ".flac" };
    return null;
  }

  /** A player of its own: the spectrogram with its words where there is one. */
  player(k) {
    const sound = this.sound(k);
    if (!sound) return make("p", { class: "small soft nosound" }, "No sound here: a dropped clip is not cut out, and this one is none of those taken along. ", make("code", {}, "curate explain CORPUS " + this.data.id[k]), " says where it is.");
    const box = make("div", { class: "sound" });
    const picture = sound.copy ? sound.copy.querySelector("img") : null;
    if (picture || sound.extra) {
      box.append(make("div", { class: "picture" },
        make("img", { src: picture ? picture.getAttribute("src") : sound.extra.picture, width: 240, height: 48, alt: "Spectrogram, 0 to 8 kHz" }),
        this.ticks(sound), make("span", { class: "head", "aria-hidden": "true" })));
      const words = sound.copy ? sound.copy.querySelector(".words") : null;
      if (words) box.append(words.cloneNode(true));
      else if (sound.extra && sound.extra.words.length) box.append(this.words(k, sound.extra));
    }
    box.append(make("audio", { controls: true, preload: "none", src: sound.url, "aria-label": "Clip " + this.data.id[k] }));
    return box;
  }

  /** Where words begin, over the spectrogram. */
  ticks(sound) {
    if (sound.copy) return [...sound.copy.querySelectorAll(".tick")].map((tick) => tick.cloneNode());
    return sound.extra.words.map((word) => make("i", { class: "tick", style: "left:" + (100 * word.from / sound.extra.seconds).toFixed(1) + "%" }));
  }

  words(k, extra) {
    return make("div", { class: "words", lang: this.language(k) }, extra.words.map((word) => make("button", {
      type: "button", class: "word", "data-from": word.from, style: "--at:" + (100 * word.from / extra.seconds).toFixed(1) + "%",
      title: word.word + ": " + number(word.from) + " to " + number(word.to) + " s, probability " + number(word.probability),
    }, word.word)));
  }

  /** What was measured against the limits that speak about this clip. */
  measured(k) {
    const found = [], broke = this.broke(k);
    for (const rule of this.data.rules) {
      if (!rule.on || rule.silenced_by.some((name) => broke.includes(name))) continue;
      for (const part of rule.parts) {
        if (part.limit === null || part.where[k] !== "1") continue;
        const value = part.value.length ? part.value[k] : null;
        const keeps = value !== null && HOLDS[part.side](value, part.limit);
        const holds = keeps || !broke.includes(rule.name); // beyond one limit of several that only together break it
        found.push({ rule: rule.name, title: part.title, unit: part.unit, value, side: part.side, limit: part.limit, holds });
      }
    }
    return found.sort((a, b) => Number(a.holds) - Number(b.holds));
  }

  limitTable(k) {
    const rows = this.measured(k).map((each) => make("tr", { class: each.holds ? "" : "broken" },
      make("th", { scope: "row" }, each.rule), make("td", {}, each.title),
      make("td", { class: "n" }, number(each.value) + unit(each.unit)),
      make("td", { class: "n" }, each.side + " " + number(each.limit)),
      make("td", {}, each.holds ? "holds" : each.value === null ? "not measured" : "broken")));
    if (!rows.length) return make("p", { class: "small soft" }, "No limit with a number speaks about this clip.");
    return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Limits" }, make("table", {},
      make("caption", {}, "What was measured, and what was asked."),
      make("thead", {}, make("tr", {}, ...["Rule", "Measure", "Value", "Asked", ""].map((head, i) =>
        i === 4 ? make("td", {}) : make("th", { scope: "col", class: i > 1 ? "n" : "" }, head)))),
      make("tbody", {}, rows)));
  }

  texts(k) {
    const code = this.language(k), found = [];
    const line = (label, text) => { if (text) found.push(make("p", { class: label ? "small" : "text" }, label, make("bdi", { lang: code in this.data.languages ? code : null }, text))); };
    line("", this.value("text", k) || this.spoken(k));
    if (this.value("text", k) && this.spoken(k) !== this.value("text", k)) line("spoken: ", this.spoken(k));
    line("heard: ", this.value("heard", k));
    return found;
  }
}

function unit(name) {
  return ["s", "dB", "Hz", "LUFS", "1/s", "ms"].includes(name) ? " " + name : "";
}
