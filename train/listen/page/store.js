"use strict";
// What a listener has done is kept at once: in this browser, and on the server where there is one. A closed page, a lost
// connection and a server that starts again lose nothing.
var Samsori = window.Samsori || {};
window.samsoriList = function (list) { Samsori.list = list; };  // what lists/<token>.js calls

(function () {
  var MOST_EVENTS = 4000, TRIES = [1000, 2000, 4000, 8000, 15000];

  function fresh() { return { ratings: {}, events: [], answers: null, consent: null, seen: {}, unsent: [] }; }

  Samsori.Store = function (name, changed) {
    var store = this, key = "samsori/" + name, waiting = null, failures = 0, busy = false;
    store.state = fresh();
    store.keeps = true; store.online = true; store.session = null; store.gone = null;

    store.load = function () {
      try {
        var text = window.localStorage.getItem(key);
        if (text) store.state = Object.assign(fresh(), JSON.parse(text));
        window.localStorage.setItem(key, text || JSON.stringify(store.state));
      } catch (problem) { store.keeps = false; }
      store.session = store.state.session || null;
    };

    store.save = function () {
      store.state.session = store.session;
      try { window.localStorage.setItem(key, JSON.stringify(store.state)); } catch (problem) { store.keeps = false; }
    };

    store.note = function (kind, item, value) {
      if (store.state.events.length >= MOST_EVENTS) return;
      store.state.events.push({ at: Date.now(), kind: kind, item: item || "", value: value === undefined ? "" : String(value).slice(0, 80) });
      store.save();
    };

    store.answer = function (answers) {
      store.state.answers = answers;
      queue("answers", { answers: answers });
    };

    function fromOtherTabs() {  // the same page open twice: what the other one has kept is not written over
      try {
        var kept = JSON.parse(window.localStorage.getItem(key) || "{}");
        Object.assign(store.state.ratings, kept.ratings || {});
      } catch (problem) { store.keeps = false; }
    }

    store.rate = function (rating) {
      fromOtherTabs();
      if (store.state.ratings[rating.item]) return;  // each item once
      store.state.ratings[rating.item] = rating;
      queue("rating", store.session ? Object.assign({ events: store.state.events.splice(0, 200) }, rating) : rating);
    };

    // To a server, events go with the ratings, and when the page is hidden; without one they stay for the file.
    store.sendEvents = function () {
      if (!store.session || !store.state.events.length) return;
      var events = store.state.events.splice(0, 200);
      queue("events", { events: events });
    };

    function queue(path, body) {
      if (store.session) store.state.unsent.push([path, body]);
      store.save();
      store.flush();
    }

    store.flush = function () {
      if (busy || waiting || store.gone || !store.session || !store.state.unsent.length) return;
      busy = true;
      var first = store.state.unsent[0];
      store.call(first[0], first[1]).then(function () { sent(true); }, function (problem) {
        if (problem.status === 401 || problem.status === 410) { busy = false; store.gone = problem.error || "gone"; changed(); return; }
        if (problem.status >= 400 && problem.status < 500 && problem.status !== 429) { sent(false); return; }
        busy = false; store.online = false; changed();
        waiting = window.setTimeout(function () { waiting = null; store.flush(); }, TRIES[Math.min(failures++, TRIES.length - 1)]);
      });
    };

    function sent(well) {
      busy = false; failures = 0;
      store.state.unsent.shift();
      if (!well) window.console.warn("the server did not take an entry");
      store.save();
      if (!store.online) { store.online = true; }
      changed();
      store.flush();
    }

    // POST to the server; rejects with {status, error}, status 0 where it cannot be reached.
    store.call = function (path, body) {
      var headers = { "Content-Type": "application/json" };
      if (store.session) headers.Authorization = "Bearer " + store.session;
      return window.fetch("api/" + path, { method: "POST", headers: headers, body: JSON.stringify(body || {}), cache: "no-store" })
        .then(function (response) {
          return response.json().catch(function () { return {}; }).then(function (answer) {
            if (response.ok) return answer;
            return Promise.reject({ status: response.status, error: answer.error });
          });
        }, function () { return Promise.reject({ status: 0 }); });
    };

    store.forget = function () {
      try { window.localStorage.removeItem(key); } catch (problem) { /* nothing was kept */ }
    };
  };

  // The file that a listener sends: its sha256 is over the rest, so that half a file is known for one.
  Samsori.download = function (list, state) {
    var content = {
      format: 1, plan: list.plan, listener: list.listener, token: list.token, answers: state.answers,
      consent: state.consent, ratings: Object.keys(state.ratings).sort().map(function (id) { return state.ratings[id]; }),
      events: state.events
    };
    var body = JSON.stringify(content);
    var code = Samsori.sha256(body);
    return { name: "ratings-" + list.listener + "-" + list.plan.slice(0, 8) + ".json", code: code.slice(0, 8),
             text: JSON.stringify({ sha256: code, content: body }) + "\n" };
  };

  Samsori.saveFile = function (file) {
    var link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([file.text], { type: "application/json" }));
    link.download = file.name;
    document.body.appendChild(link);
    link.click();
    link.remove();
    window.setTimeout(function () { URL.revokeObjectURL(link.href); }, 60000);
  };
})();
window.Samsori = Samsori;
