// The isolation hook: every message of the page passes here before it is sealed for the program.
// Invariant: only listed commands with exactly their arguments pass; everything else becomes a message that no command hears.
"use strict";

const SHAPES = {
  hello: [],
  start: [],
  ready: ["screen"],
  attach: ["pushes"],
  watch: ["watch"],
  ack: ["seq"],
  vault: [],
  session: [],
  act: ["action", "source"],
  give_up: [],
  lock: [],
  seal: [],
  keys: [],
  public_key: ["id"],
  go_on: ["id"],
  suspect: ["id", "why"],
  end_session: ["door"],
  slots: [],
  policy: [],
  instruments: [],
  candles: ["symbol", "interval"],
  check: ["order"],
  size: ["symbol", "side", "price", "percent"],
  place: ["order", "name", "reason"],
  cancel: ["client_order_id"],
  amend: ["client_order_id", "quantity"],
  unprotect: ["client_order_id"],
  orders: ["live"],
  balances: [],
  kill: ["why", "scope"],
  kill_report: [],
  drill: ["orders"],
  audit: ["before", "last"],
  verify: ["key"],
  settings: ["settings"],
};
// The runtime's own fetch of what a channel brought; it gives a window nothing but what was pushed to it.
const CHANNEL_FETCH = "plugin:__TAURI_CHANNEL__|fetch";
const REFUSED = "refused_by_isolation";
const PAYLOAD_LEN_MAX = 64 * 1024;

function hasShape(payload, names) {
  if (typeof payload !== "object" || payload === null || Array.isArray(payload)) return false;
  const keys = Object.keys(payload);
  return keys.length === names.length && names.every((name) => Object.prototype.hasOwnProperty.call(payload, name));
}

function passes(message) {
  if (message.cmd === CHANNEL_FETCH) return true;
  if (!Object.prototype.hasOwnProperty.call(SHAPES, message.cmd)) return false;
  if (!hasShape(message.payload ?? {}, SHAPES[message.cmd])) return false;
  return JSON.stringify(message.payload ?? {}).length <= PAYLOAD_LEN_MAX;
}

window.__TAURI_ISOLATION_HOOK__ = (message) => (passes(message) ? message : { ...message, cmd: REFUSED, payload: {} });
