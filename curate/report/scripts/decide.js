// The rules once more, over the rows of the page: what `curate filter` decides, for limits that are moved.
// A part of a rule fails where it applies and its value is missing or beyond the limit. `mode` all: the rule is broken
// where any part fails. `mode` any: only where each does. See curate/report/sliders.py.

const HOLDS = { "at least": (v, limit) => v >= limit, "at most": (v, limit) => v <= limit, "below": (v, limit) => v < limit };

class Decider {
  constructor(data) {
    this.data = data;
    this.count = data.count;
    this.rules = data.rules;
    this.order = data.order;
    this.alike = data.alike;
    this.later = new Set(data.later);
    this.first = this.rules.map((rule) => ({ on: rule.on, limits: rule.parts.map((part) => part.limit) }));
    this.firstAlike = this.alike.limit;
    this.bits = this.rules.map((rule) => bits(rule.always, this.count));
    this.overruled = this.rules.map((rule) => (rule.overruled ? bits(rule.overruled, this.count) : null));
    this.where = this.rules.map((rule) => rule.parts.map((part) => bits(part.where, this.count)));
    this.raw = this.rules.map(() => null);
    this.place = new Map(this.rules.map((rule, i) => [rule.name, i]));
    this.was = this.asDecided();
    this.run();
    this.baseline = this.keptBefore();
    this.basePasses = this.passes.slice();
  }

  /** What the manifest says: 1 where nothing dropped the clip before the choice among those that pass. */
  asDecided() {
    const { values, at } = this.data.few.drop, later = values.map((name) => this.later.has(name));
    return Uint8Array.from(at, (place) => (place < 0 || later[place] ? 1 : 0));
  }

  keptBefore() {
    return this.hours(this.was);
  }

  /** Who breaks a rule, others that silence it and people who overrule it aside. */
  broken(i) {
    const rule = this.rules[i], found = new Uint8Array(this.count);
    if (!rule.on || rule.parts.some((part) => part.gate && part.limit === null)) return found;
    const any = rule.mode === "any";
    if (any && rule.parts.length) found.fill(1);
    for (let j = 0; j < rule.parts.length; j++) {
      const part = rule.parts[j], where = this.where[i][j], holds = HOLDS[part.side];
      for (let k = 0; k < this.count; k++) {
        const value = part.value.length ? part.value[k] : null;
        const fails = part.limit !== null && where[k] && (value === null || !holds(value, part.limit));
        if (any) found[k] &= fails ? 1 : 0;
        else if (fails) found[k] = 1;
      }
    }
    for (let k = 0; k < this.count; k++) found[k] |= this.bits[i][k];
    return found;
  }

  /** Decide anew; `only` names the one rule whose limit moved. */
  run(only) {
    this.rules.forEach((rule, i) => { if (only === undefined || only === i) this.raw[i] = this.broken(i); });
    this.flags = this.rules.map((rule, i) => {
      const silent = rule.silenced_by.filter((name) => this.place.has(name)).map((name) => this.raw[this.place.get(name)]);
      const heard = silent.length ? this.raw[i].map((flag, k) => (silent.some((other) => other[k]) ? 0 : flag)) : this.raw[i];
      return this.overruled[i] ? heard.map((flag, k) => (this.overruled[i][k] ? 0 : flag)) : heard;
    });
    this.breaks = new Uint8Array(this.count);
    for (const flags of this.flags) for (let k = 0; k < this.count; k++) this.breaks[k] += flags[k];
    this.repeats = this.repeated();
    this.passes = new Uint8Array(this.count);
    for (let k = 0; k < this.count; k++) this.passes[k] = this.breaks[k] === 0 && !this.repeats[k] ? 1 : 0;
  }

  /** Of clips that sound alike the better one stays, as `duplicates.mark` decides it: by what people said, then who no
      rule dropped, then the order of the list. A clip that may not be named is beyond the rows, and dropped. */
  repeated() {
    const found = new Uint8Array(this.count), { known, limit, clips, judged, pairs, applies } = this.alike;
    const name = "duplicate", place = String(this.order.indexOf(name));
    if (!known) {
      const has = this.data.broke.values.map((text) => text.split(",").includes(place));
      this.data.broke.at.forEach((at, k) => { if (at >= 0 && has[at]) found[k] = 1; });
      return found;
    }
    if (limit === null) return found;
    const worse = (k) => (k >= this.count || this.breaks[k] ? 1 : 0);
    const ranked = clips.map((k, i) => [2 * judged[i] + worse(k), i, k]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    const position = new Map(ranked.map(([, , k], i) => [k, i]));
    const better = new Map();
    for (const [one, other, similarity] of pairs) {
      if (similarity >= limit && position.has(other) && position.get(other) < position.get(one)) {
        if (!better.has(one)) better.set(one, []);
        better.get(one).push(other);
      }
    }
    const repeats = new Set();
    for (const [, , k] of ranked) if ((better.get(k) || []).some((other) => !repeats.has(other))) repeats.add(k);
    for (const k of repeats) if (applies[k] === "1") found[k] = 1;
    return found;
  }

  /** Hours and clips by language of the clips that are flagged. */
  hours(flags) {
    const { values, at } = this.data.few.language, seconds = this.data.numbers.seconds || [];
    const found = Object.fromEntries(values.map((code) => [code, { clips: 0, hours: 0 }]));
    for (let k = 0; k < this.count; k++) {
      if (!flags[k] || at[k] < 0) continue;
      const own = found[values[at[k]]];
      own.clips += 1;
      own.hours += (seconds[k] || 0) / 3600;
    }
    return found;
  }

  /** Whether the page, asked with the corpus's own limits, decides as the corpus did. */
  agrees() {
    return this.basePasses.every((flag, k) => flag === this.was[k]);
  }

  /** The settings that were moved, as `--set` takes them. */
  settings() {
    const found = [];
    this.rules.forEach((rule, i) => {
      const was = this.first[i], gated = rule.parts.some((part) => part.gate);
      if (rule.on !== was.on && !gated) {
        if (rule.on && !rule.switch) rule.parts.forEach((part) => found.push(setting(part.key, part.limit)));
        else found.push("filter." + rule.name + "=" + (rule.on ? "true" : "false"));
        if (!rule.on || rule.switch) return;
        return;
      }
      if (rule.on) rule.parts.forEach((part, j) => { if (part.limit !== was.limits[j]) found.push(setting(part.key, part.limit)); });
    });
    if (this.alike.limit !== this.firstAlike) found.push(setting("filter.duplicate", this.alike.limit));
    return found;
  }

  reset() {
    this.rules.forEach((rule, i) => {
      rule.on = this.first[i].on;
      rule.parts.forEach((part, j) => { part.limit = this.first[i].limits[j]; });
    });
    this.alike.limit = this.firstAlike;
    this.run();
  }
}

function setting(key, limit) {
  return key + "=" + (limit === null ? "false" : String(limit));
}

function bits(text, count) {
  const found = new Uint8Array(count);
  for (let k = 0; k < text.length; k++) found[k] = text.charCodeAt(k) === 49 ? 1 : 0;
  return found;
}
