// Runs named cases of one JavaScript client against a venue; the contract is that of ../cases.py.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

const CASE_MS_MAX = 60_000;
const cases = [];

/** Registers a case; its name says the client's call and what must come back. */
export function define(name, check) {
  cases.push([name, check]);
}

export function equal(got, wanted, what) {
  const [left, right] = [JSON.stringify(got), JSON.stringify(wanted)];
  if (left !== right) throw new Error(`${what}: wanted ${right}, got ${left}`);
}

export function holds(condition, what) {
  if (!condition) throw new Error(`does not hold: ${what}`);
}

/** The error that the call must throw: of this class, with this text in it. */
export async function throws(kind, call, text = "") {
  let got;
  try {
    got = await call();
  } catch (error) {
    if (!(error instanceof kind)) throw error;
    holds(String(error).includes(text), `"${text}" in ${String(error).slice(0, 300)}`);
    return error;
  }
  throw new Error(`wanted ${kind.name}, got an answer: ${JSON.stringify(got).slice(0, 200)}`);
}

/** The promise's value, or an error when it takes longer. */
export async function soon(promise, ms = 15_000) {
  let timer;
  const late = new Promise((_, refuse) => (timer = setTimeout(() => refuse(new Error(`nothing within ${ms} ms`)), ms)));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function readConfig(path) {
  const said = JSON.parse(readFileSync(path, "utf8"));
  const keys = said.keys.map((key) => {
    const text = readFileSync(key.secret_file, "utf8");
    return { ...key, secret: key.kind === "hmac" ? text.trim() : text };
  });
  return { ...said, keys, only: said.only ?? [] };
}

function say(name, error) {
  const why = error ? `${error.constructor.name}: ${error.message}`.slice(0, 400) : null;
  console.log(JSON.stringify({ case: name, ok: !error, why }));
  return !error;
}

/** Runs all wanted cases on one world and ends the process. */
export async function run(makeWorld, closeWorld) {
  const path = process.argv[2];
  const config = readConfig(path);
  if (process.env.NODE_EXTRA_CA_CERTS !== config.ca_file) {
    // Node reads its authorities once, at its start.
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: config.ca_file };
    process.exit(spawnSync(process.execPath, process.argv.slice(1), { env, stdio: "inherit" }).status ?? 1);
  }
  // A client's own background work may fail after its case has been told; the other cases still run.
  process.on("unhandledRejection", () => {});
  let areAllOk = true;
  let world;
  try {
    world = await makeWorld(config);
  } catch (error) {
    say("the client can be made", error);
    process.exit(1);
  }
  for (const [name, check] of cases) {
    if (config.only.length > 0 && !config.only.some((only) => name.startsWith(only))) continue;
    try {
      await soon(check(world), CASE_MS_MAX);
      areAllOk = say(name) && areAllOk;
    } catch (error) {
      areAllOk = say(name, error) && areAllOk;
    }
  }
  await closeWorld?.(world);
  process.exit(areAllOk ? 0 : 1);
}
