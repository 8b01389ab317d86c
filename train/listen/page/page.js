"use strict";
// The session of a listener, screen by screen: welcome, questions, headphones, instructions, items, end.
(function () {
  var S = window.Samsori, h = S.h, say = S.say;
  var list = S.list, store = null, server = !list, link = null, order = [], trialStart = 0;
  var top = document.getElementById("top"), foot = document.getElementById("foot");
  var redraw = function () {};

  // ---- what stands around the screens

  function languages() {
    var own = list.language, offered = own === "en" ? ["en"] : [own, "en"];
    return h("div.languages", { role: "group", "aria-label": say("language") }, offered.map(function (tongue) {
      return h("button.plain", { type: "button", lang: tongue, "aria-pressed": String(tongue === S.tongue), click: function () {
        S.tongue = tongue;
        store.state.tongue = tongue; store.note("language", "", tongue);
        frame(); redraw();
      } }, S.words[tongue].language_name);
    }));
  }

  function frame() {
    document.documentElement.lang = S.tongue;
    document.title = say("test");
    if (!list) return;
    top.replaceChildren(h("span.name", {}, list.name || say("test")), languages());
    var lines = [h("p", {}, say("you_are", { name: list.listener || "" }))];
    if (!list.listener) lines = [];
    if (server && store.session && !store.state.code) lines.push(withdrawal());
    foot.replaceChildren.apply(foot, [unsaved].concat(lines));
    tellUnsaved();
  }

  var unsaved = h("p.notice", { role: "status" });
  function tellUnsaved() {
    var text = !store.keeps ? say("no_memory") : !store.online ? say("unsaved") : "";
    if (unsaved.textContent !== text) unsaved.textContent = text;
    unsaved.hidden = !text;
  }

  function withdrawal() {
    return h("details", {}, h("summary", {}, say("give_back")), h("p", {}, say("give_back_text")),
      S.button(say("give_back_sure"), function () {
        store.call("withdraw").then(function () { store.forget(); store.save = function () {}; store.gone = "given_back"; end("given_back"); },
          function () { end("no_server", true); });
      }, "plain"));
  }

  function end(key, again) {
    redraw = function () { end(key, again); };
    S.show(say("test"), h("p", {}, say(key)), again ? S.button(say("again"), function () { window.location.reload(); }) : null);
    foot.replaceChildren();
  }

  function changed() {
    if (store.gone) { end(store.gone === "given_back" ? "given_back" : "gone"); return; }
    tellUnsaved();
    if (store.waiting) store.waiting();
  }

  // ---- which screen is next

  function next() {
    var state = store.state;
    redraw = next;
    if (!state.consent) welcome();
    else if (!state.answers) about();
    else if (state.answers.headphones === "yes" && !state.check) headphones();
    else if (!state.seen.instructions) instructions();
    else trialOrEnd();
  }

  function trialOrEnd() {
    var left = order.filter(function (trial) { return !store.state.ratings[trial.id]; });
    if (!left.length) { finish(); return; }
    var practices = order.some(function (trial) { return trial.practice; });
    if (practices && !left[0].practice && !store.state.seen.practised) { practised(); return; }
    item(left[0]);
    S.fetchAhead(left[1] ? left[1].audio.map(url) : []);
  }

  function url(name) { return "audio/" + name; }

  function seen(name) { store.state.seen[name] = true; store.save(); next(); }

  // ---- the screens

  function welcome() {
    var box = h("input", { type: "checkbox", id: "agree" }), notice = S.notice();
    notice.tell("");
    S.show(say("test"),
      h("p", {}, say("hello", { n: list.items || list.trials.length, minutes: list.minutes })),
      h("p", {}, say("quiet")), h("p", {}, say("kept")),
      h("p", {}, say(server ? "kept_server" : "kept_file") + " " + say("stop_any_time")),
      h("label.option", { for: "agree" }, box, h("span", {}, say("agree"))), notice.element,
      S.button(say("begin"), function () {
        if (!box.checked) { notice.tell(say("agree_first")); box.focus(); return; }
        begin();
      }));
  }

  function begin() {
    if (!server || store.session) { consent(); return; }
    store.call("claim", { link: link }).then(function (answer) {
      store.session = answer.session;
      receive(answer);
      consent();
    }, refused);
  }

  function consent() {
    store.state.consent = Date.now();
    store.note("consent");
    frame(); next();
  }

  function device() {
    var coarse = window.matchMedia && window.matchMedia("(pointer: coarse)").matches;
    if (!coarse) return "computer";
    return Math.min(window.screen.width, window.screen.height) < 600 ? "phone" : "tablet";
  }

  function about() {
    var notice = S.notice();
    notice.tell("");
    var native_ = S.choice("native", say("native_question", { language: say(list.language) }), [["yes", say("yes")], ["no", say("no")]]);
    var region = h("input", { type: "text", id: "region", maxlength: "60", autocomplete: "off" });
    region.addEventListener("paste", function () { store.note("paste", "region"); });
    var kind = S.choice("device", say("device"), ["phone", "tablet", "computer"].map(function (name) { return [name, say(name)]; }));
    var how = S.choice("headphones", say("headphones"), [["yes", say("with_headphones")], ["no", say("loudspeaker")]]);
    var form = h("form", { novalidate: true, submit: function (event) {
      event.preventDefault();
      var answers = { native: S.chosen(form, "native"), region: region.value.trim(), device: S.chosen(form, "device"), headphones: S.chosen(form, "headphones") };
      var empty = ["native", "region", "device", "headphones"].filter(function (name) { return !answers[name]; });
      if (empty.length) {
        notice.tell(say("fill_in"));
        (empty[0] === "region" ? region : form.querySelector("input[name=" + empty[0] + "]")).focus();
        return;
      }
      if (answers.headphones === "no" || !S.canCheck()) store.state.check = answers.headphones === "no" ? "no" : "unchecked";
      if (store.state.check) { answers.check = store.state.check; store.answer(answers); } else { store.state.answers = answers; store.save(); }
      next();
    } }, native_, h("div.field", {}, h("label", { for: "region" }, say("region")), region), kind, how, notice.element, h("button", { type: "submit" }, say("go_on")));
    S.show(say("about"), form);
    form.querySelector("#device_" + device()).checked = true;
  }

  function headphones() {
    var round = 0, right = 0, context = new (window.AudioContext || window.webkitAudioContext)();
    function draw() {
      var tones = S.tones(round, Number(list.listener.split("-")[1])), notice = S.notice(), lights = [0, 1, 2].map(function (at) { return h("span.light", { "aria-hidden": "true" }, String(at + 1)); });
      notice.tell("");
      var choice = S.choice("quietest", say("check_how"), [0, 1, 2].map(function (at) { return [at, say("tone", { n: at + 1 })]; }));
      choice.disabled = true;
      var play = S.button(say("play_tones"), function () {
        play.disabled = true;
        S.playTones(context, tones, function (at) {
          lights.forEach(function (light, i) { light.classList.toggle("on", i === at); });
        }, function () {
          lights.forEach(function (light) { light.classList.remove("on"); });
          play.disabled = false; choice.disabled = false;
          choice.querySelector("input").focus();
        });
      }, "play");
      var form = h("form", { novalidate: true, submit: function (event) {
        event.preventDefault();
        var answer = S.chosen(form, "quietest");
        if (answer === null) { notice.tell(say(choice.disabled ? "listen_first" : "choose")); return; }
        if (tones[Number(answer)] === "quiet") right += 1;
        round += 1;
        if (round < S.ROUNDS) { draw(); return; }
        context.close();
        store.state.check = right === S.ROUNDS ? "passed" : "failed";
        store.note("headphones", "", right);
        store.answer(Object.assign({}, store.state.answers, { check: store.state.check }));
        next();
      } }, play, h("p.lights", {}, lights), choice, notice.element, h("button", { type: "submit" }, say("next")));
      S.show(say("check"), h("p.hint", {}, say("check_round", { n: round + 1, total: S.ROUNDS })), form);
    }
    redraw = draw;
    draw();
  }

  function instructions() {
    var practice = order.filter(function (trial) { return trial.practice; }).length;
    S.show(say("instructions"), h("p", {}, list.instructions[S.tongue]),
      practice ? h("p", {}, say("practice_first", { n: practice })) : null,
      h("p.hint.keys", {}, say("keys")), S.button(say("go_on"), function () { seen("instructions"); }));
  }

  function practised() {
    S.show(say("practice_over"), h("p", {}, say("practice_over_text")), S.button(say("go_on"), function () { seen("practised"); }));
  }

  // ---- one item

  function item(trial) {
    var part = order.filter(function (other) { return Boolean(other.practice) === Boolean(trial.practice); });
    var n = part.indexOf(trial) + 1, total = part.length, notice = S.notice(), failures = 0, heardAt = 0;
    var pair = trial.audio.length > 1, hint = h("p.hint", { id: "hint" }, say(pair ? "listen_both" : "listen_first"));
    var left = h("button.plain.skip", { type: "button", hidden: true, click: function () { done(null); } }, say("skip"));
    notice.tell("");
    store.note("item", trial.id, order.indexOf(trial) + 1);

    function note(kind, value) { store.note(kind, trial.id, value); }
    function changedState(clip, state) {
      if (state === "slow" || state === "broken" || state === "stopped") { failures += 1; notice.tell(say(state)); }
      else notice.tell("");
      left.hidden = failures < 2;
      if (!players.every(function (player) { return player.clip.heard; }) || !fieldset.disabled) return;
      heardAt = Date.now();
      fieldset.disabled = false; hint.textContent = say("choose");
      fieldset.querySelector("input").focus({ preventScroll: true });
    }
    var players = trial.audio.map(function (name, at) {
      return S.player(pair ? say(at ? "second" : "first") : "", url(name), changedState, note);
    });

    var up = list.method === "ab", values = list.scale.values.map(function (value, at) {
      return [value, list.scale.labels[S.tongue][at], list.method === "ab" ? at + 1 : (list.method === "cmos" && value > 0 ? "+" : "") + value];
    });
    var fieldset = S.choice("rating", list.question[S.tongue], up ? values : values.reverse(), function () {
      note("choose", S.chosen(form, "rating"));
      go.disabled = false; hint.textContent = "";
    });
    fieldset.disabled = true;
    fieldset.setAttribute("aria-describedby", "hint");
    var go = h("button", { type: "submit", disabled: true }, say("next"));

    function done(value) {
      if (players.some(function (player) { return !player.clip.heard; }) && value !== null) return;
      var plays = players.reduce(function (sum, player) { return sum + player.clip.plays; }, 0);
      store.rate({ item: trial.id, rating: value, replays: Math.max(0, plays - players.length), heard_to_end: value !== null,
        seconds_to_rate: value === null ? null : Math.round((Date.now() - heardAt) / 10) / 100, at: Date.now() });
      next();
    }

    var form = h("form.item." + list.method, { novalidate: true, submit: function (event) {
      event.preventDefault();
      var value = S.chosen(form, "rating");
      if (value !== null) done(Number(value));
    } }, h(pair ? "div.players.pair" : "div.players", {}, players.map(function (player) { return player.element; })), notice.element, left,
    trial.text ? h("p.text", { lang: list.language }, trial.text) : null, fieldset, hint, go);
    form.addEventListener("keydown", function (event) {
      if (list.method !== "mos" || event.ctrlKey || event.altKey || event.metaKey || fieldset.disabled) return;
      var input = form.querySelector("#rating_" + CSS.escape(event.key));
      if (input) { input.checked = true; input.focus(); input.dispatchEvent(new Event("change")); }
    });
    var heading = S.show(say("progress", { n: n, total: total }), form);
    heading.after(h("progress", { max: total, value: n - 1, "aria-label": say("progress", { n: n, total: total }) }));
    if (trial.practice) heading.append(" · ", h("span.practice", {}, say("practice")));
    redraw = function () { item(trial); };
    players[0].button.focus({ preventScroll: true });
  }

  // ---- the end

  function finish() {
    if (server) { finishOnServer(); return; }
    var file = S.download(list, store.state), notice = S.notice();
    notice.tell("");
    S.show(say("done"), h("p", {}, say("done_file")),
      S.button(say("save_file"), function () { S.saveFile(file); notice.tell(say("saved", { file: file.name })); notice.element.className = "saved"; }),
      notice.element, code(file.code));
  }

  function code(text) { return h("p", {}, say("code"), " ", h("strong.code", {}, text)); }

  function finishOnServer() {
    if (store.state.code) { S.show(say("done"), h("p", {}, say("done_server")), code(store.state.code)); frame(); return; }
    S.show(say("sending"));
    store.sendEvents();
    function ask() {
      if (store.state.unsent.length) return;
      store.waiting = null;
      store.call("finish").then(function (answer) { store.state.code = answer.code; store.save(); next(); }, function (problem) {
        if (problem.status === 401 || problem.status === 410) { store.gone = "gone"; changed(); return; }
        if (problem.status === 409) { store.call("state").then(function (answer) { receive(answer); next(); }, refused); return; }
        store.online = false; tellUnsaved();
        window.setTimeout(ask, 2000);
      });
    }
    store.waiting = ask;
    store.flush();
    ask();
  }

  // ---- where it begins

  function receive(answer) {
    list = answer.list;
    order = S.ordered(list);
    (answer.rated || []).forEach(function (id) { if (!store.state.ratings[id]) store.state.ratings[id] = { item: id }; });
    if (answer.answers && !store.state.answers) { store.state.answers = answer.answers; store.state.check = answer.answers.check; }
    if (answer.code) store.state.code = answer.code;
    store.save();
  }

  function refused(problem) {
    var known = { unknown: "link_unknown", used: "link_used", full: "full", gone: "gone" };
    end(known[problem.error] || "no_server", !known[problem.error]);
  }

  function listen() {
    ["focus", "blur"].forEach(function (kind) { window.addEventListener(kind, function () { store.note(kind); }); });
    ["paste", "copy"].forEach(function (kind) { document.addEventListener(kind, function () { store.note(kind); }); });
    document.addEventListener("visibilitychange", function () {
      store.note(document.hidden ? "hidden" : "visible");
      if (document.hidden) { S.quiet(); store.sendEvents(); }
    });
    window.addEventListener("online", function () { store.flush(); });
  }

  function open(name) {
    store = new S.Store(name, changed);
    store.load();
    store.note("open");
    listen();
  }

  function start() { S.tongue = store.state.tongue || list.language; frame(); next(); store.flush(); }

  function startOnServer() {
    link = window.location.hash.slice(1);
    if (!link) { end("link_missing"); return; }
    open("link/" + link);
    var ask = store.session ? store.call("state") : store.call("link", { link: link });
    ask.then(function (answer) {
      if (store.session) receive(answer); else list = answer;
      start();
    }, refused);
    window.addEventListener("hashchange", function () { window.location.reload(); });
  }

  if (server) { S.tongue = (navigator.language || "en").slice(0, 2); if (!S.words[S.tongue]) S.tongue = "en"; frame0(); startOnServer(); }
  else { open(list.plan + "/" + list.token); order = S.ordered(list); start(); }

  function frame0() { document.documentElement.lang = S.tongue; document.title = say("test"); }
})();
