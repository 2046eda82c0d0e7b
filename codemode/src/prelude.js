// The inside of the door. Evaluated once, into the prepared image, before any program; `$API` is put in by image.rs.
//
// A program shares this realm and may overwrite every global and every prototype. So whatever is needed later is taken
// out of them now, tables have no prototype, and nothing here is reachable from a program but the functions it calls.
// Should a program break it all the same, it breaks itself: the host checks everything that comes out.
(function (api) {
  "use strict";
  const { create, defineProperty, freeze, getPrototypeOf } = Object;
  const { parse, stringify } = JSON;
  const { apply } = Reflect;
  const PromiseOf = Promise;
  const ErrorOf = Error;
  const textOf = String;
  const toWellFormed = String.prototype.toWellFormed;
  // Half a surrogate pair is no text anywhere outside.
  const whole = (text) => apply(toWellFormed, text, []);
  const isArray = Array.isArray;
  const isMap = (value) => getPrototypeOf(value) === Map_prototype;
  const isSet = (value) => getPrototypeOf(value) === Set_prototype;
  const Map_prototype = Map.prototype;
  const Set_prototype = Set.prototype;
  const mapForEach = Map_prototype.forEach;
  const setForEach = Set_prototype.forEach;
  const isError = (value) => value instanceof ErrorOf;

  let limits = null;
  let nextCall = 1;
  let waiting = 0;
  let requests = "";
  let lines = "";
  let lineBytes = 0;
  let over = "";
  const pending = create(null);

  // Host calls.

  function call(name, args) {
    return new PromiseOf((resolve, reject) => {
      if (over !== "") throw new ErrorOf("the program is over a limit");
      // One by one: a list of them would be at the mercy of a `toJSON` on all lists.
      let json = "[";
      for (let at = 0; at < args.length; at++) {
        const one = stringify(args[at], plain);
        json += (at === 0 ? "" : ",") + (typeof one === "string" ? one : "null");
      }
      json += "]";
      if (json.length > limits.call_bytes) {
        const message = `the arguments of ${name} are ${json.length} bytes of JSON; ${limits.call_bytes} are allowed`;
        throw new ErrorOf(message);
      }
      if (nextCall > limits.host_calls) over = "host_calls";
      else if (waiting >= limits.parallel_calls) over = "parallel_calls";
      if (over !== "") throw new ErrorOf("the program is over its limit of host calls");
      const id = nextCall++;
      waiting++;
      // Should it fail, then where the program called, and not where the answer came in.
      pending[id] = { resolve, reject, name, error: new ErrorOf("") };
      requests += `${requests === "" ? "" : ","}{"id":${id},"name":${stringify(name)},"args":${json}}`;
    });
  }

  function settle(json) {
    const answers = parse(json);
    for (let at = 0; at < answers.length; at++) {
      const { id, outcome } = answers[at];
      const request = pending[id];
      if (request === undefined) continue;
      delete pending[id];
      waiting--;
      if (outcome.error === undefined) {
        request.resolve(outcome.value);
        continue;
      }
      const { error } = request;
      const { message } = outcome.error;
      defineProperty(error, "message", { value: message, configurable: true, writable: true });
      defineProperty(error, "name", { value: outcome.error.name, configurable: true, writable: true });
      defineProperty(error, "call", { value: request.name, configurable: true, writable: true });
      request.reject(error);
    }
  }

  // Since the last time: console lines, requests, and whether a limit was met.
  function take() {
    const taken = `{"lines":[${lines}],"requests":[${requests}],"over":${stringify(over)}}`;
    lines = "";
    requests = "";
    return taken;
  }

  // The console.

  function log(level, args) {
    if (over !== "") throw new ErrorOf("the program is over a limit");
    let text = "";
    for (let at = 0; at < args.length; at++) text += (at === 0 ? "" : " ") + shown(args[at]);
    text = whole(text);
    const line = `[${stringify(level)},${stringify(text)}]`;
    lineBytes += text.length;
    if (lineBytes > limits.console_bytes) {
      over = "console_bytes";
      throw new ErrorOf("the program is over its limit of console output");
    }
    lines += (lines === "" ? "" : ",") + line;
  }

  function shown(value) {
    try {
      if (typeof value === "string") return value;
      if (typeof value === "object" && value !== null) {
        if (isError(value)) return `${textOf(value)}`;
        const json = stringify(value, plain);
        if (typeof json === "string") return json;
      }
      if (typeof value === "bigint") return `${value}n`;
      return textOf(value);
    } catch {
      // Cyclic, or with a getter that throws.
      return `[${typeof value}]`;
    }
  }

  const sink = create(null);
  for (const level of ["debug", "log", "info", "warn", "error"]) {
    sink[level] = (...args) => log(level, args);
  }
  sink.trace = sink.debug;
  sink.dir = (value) => log("log", [value]);
  sink.table = sink.dir;
  sink.assert = (holds, ...args) => (holds ? undefined : log("error", ["Assertion failed", ...args]));
  sink.group = sink.groupCollapsed = (...args) => (args.length === 0 ? undefined : log("log", args));
  sink.groupEnd = sink.time = sink.timeEnd = sink.count = () => undefined;

  // Values on their way out. Plain data in JSON's words, where JSON alone would drop what is in it.
  function plain(key, value) {
    if (typeof value === "string") return whole(value);
    if (typeof value === "bigint") return `${value}`;
    if (typeof value !== "object" || value === null) return value;
    if (isArray(value)) return value;
    if (isError(value)) return { name: textOf(value.name), message: textOf(value.message) };
    if (isMap(value)) {
      const pairs = [];
      apply(mapForEach, value, [(item, name) => defineProperty(pairs, pairs.length, data([name, item]))]);
      return pairs;
    }
    if (isSet(value)) {
      const items = [];
      apply(setForEach, value, [(item) => defineProperty(items, items.length, data(item))]);
      return items;
    }
    return value;
  }

  function data(value) {
    return { value, configurable: true, enumerable: true, writable: true };
  }

  // The program's value; undefined, functions and symbols have no JSON and become the empty text.
  function encode(value) {
    const json = stringify(value, plain);
    return typeof json === "string" ? json : "";
  }

  // What was thrown, which may be anything at all.
  function describe(thrown) {
    const read = (name) => {
      try {
        const value = thrown[name];
        return typeof value === "string" ? whole(value) : "";
      } catch {
        return "";
      }
    };
    if (typeof thrown === "object" && thrown !== null && isError(thrown)) {
      return stringify({ name: read("name"), message: read("message"), stack: read("stack"), call: read("call") });
    }
    return stringify({ name: "", message: whole(shown(thrown)), stack: "", call: "" });
  }

  // Randomness: sfc32 by Chris Doty-Humphrey (PractRand), from the seed that the host gives.
  let a = 0, b = 0, c = 0, d = 0;
  function random32() {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  }
  const random = () => ((random32() >>> 5) * 67108864 + (random32() >>> 6)) / 9007199254740992;
  defineProperty(Math, "random", { value: random, configurable: true, enumerable: false, writable: true });

  function start(program, json) {
    const settings = parse(json);
    limits = freeze(settings.limits);
    [a, b, c, d] = settings.seed;
    for (let round = 0; round < 15; round++) random32();
    return program();
  }

  // What a program can call.
  function door(name, full) {
    return freeze({ [name]: (...args) => call(full, args) }[name]);
  }
  const { namespaces, functions } = parse(api);
  for (const { name, functions } of namespaces) {
    const namespace = create(null);
    for (const each of functions) {
      defineProperty(namespace, each, { value: door(each, `${name}.${each}`), enumerable: true });
    }
    defineProperty(globalThis, name, { value: freeze(namespace), enumerable: true });
  }
  for (const name of functions) {
    defineProperty(globalThis, name, { value: door(name, name), enumerable: true });
  }
  defineProperty(globalThis, "console", { value: sink, configurable: true, enumerable: false, writable: true });

  return freeze({ start, settle, take, encode, describe });
})($API)
