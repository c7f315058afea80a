// How long ccxt (JavaScript) takes from createOrder to its fetch, where a request would leave. Nothing is sent.
//
// Usage: node ccxt_sign.mjs KEYS.json VENUE.json, with NODE_PATH naming the node_modules that hold the pinned ccxt. Prints one JSON line, as
// ccxt_sign.py does.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";

const ccxt = createRequire(import.meta.url)("ccxt");
const SAMPLES = 5_000;
// So long that the engine has compiled what is hot.
const WARM_UP = 5_000;
const IDLE = 300;
const IDLE_GAP_MS = 20;
const [keys, venue] = process.argv.slice(2, 4).map((file) => JSON.parse(readFileSync(file, "utf8")));

/** ccxt's Binance, stopped where it would send. */
class Halted extends ccxt.binance {
  async fetch(url, method = "GET", headers = undefined, body = undefined) {
    this.reached = process.hrtime.bigint();
    this.left = body;
    return url.includes("exchangeInfo") ? { symbols: [venue.market] } : venue.answer;
  }
}

async function measure(key) {
  // Without its rate limiter, which would only make it wait.
  const client = new Halted({ apiKey: key.api_key, secret: key.secret, enableRateLimit: false, options: venue.options });
  client.has.fetchCurrencies = false;
  await client.loadMarkets();

  async function tookNs(gap) {
    if (gap) await sleep(gap);
    const start = process.hrtime.bigint();
    await client.createOrder(...venue.order);
    return Number(client.reached - start);
  }

  async function times(count, gap) {
    const took = [];
    while (took.length < count) took.push(await tookNs(gap));
    return took;
  }

  await times(WARM_UP, 0);
  const took = { warm: await times(SAMPLES, 0), "from idle": await times(IDLE, IDLE_GAP_MS) };
  if (!client.left?.includes("signature=")) throw new Error(`not signed: ${client.left}`);
  return took;
}

const took = {};
for (const key of keys) took[key.scheme] = await measure(key);
console.log(JSON.stringify({ ccxt: ccxt.version, runtime: `Node ${process.versions.node}`, took_ns: took }));
