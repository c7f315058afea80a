// An unmodified ccxt (JavaScript, with its pro part) trades on a venue. Usage: node ccxt.mjs CONFIG.json, with NODE_PATH
// naming the node_modules that hold the pinned ccxt.

import { createRequire } from "node:module";
import { define, equal, holds, run, soon, throws } from "./cases.mjs";

const ccxt = createRequire(import.meta.url)("ccxt");
const [SYMBOL, OTHER] = ["BTC/USDT", "ETH/USDT"];
const AMOUNT = 0.001;

/** Every host of ccxt's table `urls.api` becomes the venue's; paths stay, futures hosts included. */
function made(config, key, more = {}) {
  const client = new ccxt.pro.binance({ apiKey: key.api_key, secret: key.secret, ...more });
  for (const [name, url] of Object.entries(client.urls.api)) {
    if (typeof url === "string") client.urls.api[name] = config.rest_url + new URL(url).pathname;
  }
  client.urls.api.ws.spot = `${config.ws_url}/ws`;
  client.urls.api.ws["ws-api"].spot = config.ws_api_url;
  return client;
}

const spotOnly = { options: { fetchMarkets: { types: ["spot"] } } };

async function makeWorld(config) {
  const client = made(config, config.keys[0], spotOnly);
  await client.loadMarkets();
  const world = { config, client };
  await clear(world);
  return world;
}

async function clear({ client }) {
  try {
    await client.cancelAllOrders(SYMBOL);
  } catch (error) {
    if (!(error instanceof ccxt.OrderNotFound)) throw error;
  }
}

async function price({ client }, share) {
  const best = (await client.fetchBidsAsks([SYMBOL]))[SYMBOL];
  return Number(client.priceToPrecision(SYMBOL, best.bid * share));
}

async function rest(world, params = {}, share = 0.9, side = "buy") {
  return world.client.createOrder(SYMBOL, "limit", side, AMOUNT, await price(world, share), params);
}

const trade = ({ client }) => client.createOrder(SYMBOL, "market", "buy", AMOUNT);
const near = (left, right) => Math.abs(left - right) < 1e-9;

/** What a watch gives while something happens on the venue; the watch is there first. */
async function during(watching, act) {
  const seen = soon(watching);
  seen.catch(() => {});
  await new Promise((done) => setTimeout(done, 1_000));
  await act();
  return seen;
}

define("loadMarkets with a key and default options: both symbols, spot, active, all order types", async (world) => {
  const markets = await made(world.config, world.config.keys[0]).loadMarkets();
  holds(markets[SYMBOL] && markets[OTHER], Object.keys(markets).join());
  equal([markets[SYMBOL].id, markets[SYMBOL].spot, markets[SYMBOL].active], ["BTCUSDT", true, true], "market");
  const types = ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"];
  equal([...markets[SYMBOL].info.orderTypes].sort(), types, "order types");
});

define("fetchTime, fetchStatus: a clock within a second, ok", async ({ client }) => {
  holds(Math.abs((await client.fetchTime()) - Date.now()) < 1_000, "clock");
  equal((await client.fetchStatus()).status, "ok", "status");
});

define("fetchBalance: free plus used is total", async ({ client }) => {
  const balance = await client.fetchBalance();
  for (const code of ["BTC", "USDT"]) holds(near(balance[code].free + balance[code].used, balance[code].total), code);
});

define("fetchTicker, fetchTickers, fetchOrderBook, fetchTrades, fetchOHLCV: market data", async ({ client }) => {
  const ticker = await client.fetchTicker(SYMBOL);
  holds(ticker.bid < ticker.ask && ticker.last > 0, "ticker");
  equal(Object.keys(await client.fetchTickers([SYMBOL, OTHER])).sort(), [SYMBOL, OTHER], "tickers");
  const book = await client.fetchOrderBook(SYMBOL, 20);
  equal([book.bids.length, book.asks.length], [20, 20], "levels");
  holds((await client.fetchTrades(SYMBOL)).length > 0, "trades");
  equal((await client.fetchOHLCV(SYMBOL, "1m", undefined, 100)).length, 100, "candles");
});

define("createOrder limit rests, is listed, is cancelled; funds locked and freed", async (world) => {
  const { client } = world;
  await clear(world);
  const before = (await client.fetchBalance()).USDT.used;
  const order = await rest(world);
  equal([order.status, order.filled], ["open", 0], "order");
  holds(near((await client.fetchBalance()).USDT.used - before, order.price * AMOUNT), "locked");
  equal((await client.fetchOrder(order.id, SYMBOL)).status, "open", "seen");
  equal((await client.fetchOpenOrders(SYMBOL)).map((one) => one.id), [order.id], "open orders");
  equal((await client.cancelOrder(order.id, SYMBOL)).status, "canceled", "cancelled");
  holds(near((await client.fetchBalance()).USDT.used, before), "freed");
});

define("createOrder market and createMarketBuyOrderWithCost: closed, filled, fee in the bought coin", async (world) => {
  const { client } = world;
  const before = (await client.fetchBalance()).BTC.total;
  const order = await trade(world);
  equal([order.status, order.filled], ["closed", AMOUNT], "order");
  equal([...new Set(order.trades.map((one) => one.fee.currency))], ["BTC"], "fee currency");
  holds(near((await client.fetchBalance()).BTC.total - before, AMOUNT * 0.999), "bought less the fee");
  const spent = await client.createMarketBuyOrderWithCost(SYMBOL, 500);
  holds(spent.status === "closed" && spent.cost <= 500 && spent.cost > 498, `cost ${spent.cost}`);
});

define("createOrder IOC, FOK, postOnly: expired, expired, refused when it would trade", async (world) => {
  for (const timeInForce of ["IOC", "FOK"]) equal((await rest(world, { timeInForce })).status, "expired", timeInForce);
  equal((await rest(world, { postOnly: true })).status, "open", "post only");
  await throws(ccxt.OrderImmediatelyFillable, () => rest(world, { postOnly: true }, 1.01));
  await clear(world);
});

define("createOrder stopLossPrice, takeProfitPrice, trailingDelta, icebergQty: rest as such", async (world) => {
  const { client } = world;
  const [low, high] = [await price(world, 0.8), await price(world, 1.2)];
  const orders = [
    ["market", undefined, { stopLossPrice: low }, "STOP_LOSS"],
    ["limit", low, { stopLossPrice: low }, "STOP_LOSS_LIMIT"],
    ["market", undefined, { takeProfitPrice: high }, "TAKE_PROFIT"],
    ["limit", high, { takeProfitPrice: high }, "TAKE_PROFIT_LIMIT"],
    ["STOP_LOSS", undefined, { trailingDelta: 500 }, "STOP_LOSS"],
    ["limit", high, { icebergQty: "0.0002" }, "LIMIT"],
  ];
  for (const [type, limit, params, wanted] of orders) {
    const placed = await client.createOrder(SYMBOL, type, "sell", AMOUNT, limit, params);
    const seen = await client.fetchOrder(placed.id, SYMBOL);
    equal([seen.status, seen.info.type], ["open", wanted], wanted);
  }
  await clear(world);
});

define("editOrder (cancelReplace): a new id at the new price", async (world) => {
  const order = await rest(world);
  const to = await price(world, 0.91);
  const edited = await world.client.editOrder(order.id, SYMBOL, "limit", "buy", AMOUNT, to);
  holds(edited.id !== order.id && edited.price === to, JSON.stringify(edited));
  await clear(world);
});

define("fetchOrders, fetchClosedOrders, fetchMyTrades: the day's history", async (world) => {
  const { id } = await trade(world);
  for (const list of [await world.client.fetchOrders(SYMBOL), await world.client.fetchClosedOrders(SYMBOL)]) {
    holds(list.some((one) => one.id === id), "order in the list");
  }
  holds((await world.client.fetchMyTrades(SYMBOL)).some((one) => one.order === id), "trade in the list");
});

define("privatePostOrderListOco, privateDeleteOrderList: EXECUTING, then ALL_DONE", async (world) => {
  const text = async (share) => String(await price(world, share));
  const list = await world.client.privatePostOrderListOco({
    symbol: "BTCUSDT", side: "SELL", quantity: "0.001", aboveType: "LIMIT_MAKER", abovePrice: await text(1.1),
    belowType: "STOP_LOSS", belowStopPrice: await text(0.9),
  });
  equal([list.listOrderStatus, list.orders.length], ["EXECUTING", 2], "list");
  const gone = await world.client.privateDeleteOrderList({ symbol: "BTCUSDT", orderListId: list.orderListId });
  equal(gone.listOrderStatus, "ALL_DONE", "cancelled");
});

define("InsufficientFunds, BadSymbol, OrderNotFound, InvalidOrder, AuthenticationError", async (world) => {
  const { client } = world;
  const high = await price(world, 1.05);
  await throws(ccxt.InsufficientFunds, () => client.createOrder(SYMBOL, "limit", "sell", 80, high));
  await throws(ccxt.BadSymbol, () => client.publicGetDepth({ symbol: "NOSUCH" }));
  await throws(ccxt.OrderNotFound, () => client.fetchOrder("1", SYMBOL));
  const order = { symbol: "BTCUSDT", side: "BUY", type: "LIMIT", timeInForce: "GTC", quantity: "0.001001" };
  await throws(ccxt.InvalidOrder, () => client.privatePostOrder({ ...order, price: "90000" }), "LOT_SIZE");
  const stranger = made(world.config, { ...world.config.keys[0], secret: "0".repeat(64) }, spotOnly);
  await throws(ccxt.AuthenticationError, () => stranger.privateGetAccount(), "-1022");
});

define("every kind of key signs: create and cancel an order", async (world) => {
  for (const key of world.config.keys) {
    const client = made(world.config, key, spotOnly);
    await client.loadMarkets();
    const order = await client.createOrder(SYMBOL, "limit", "buy", AMOUNT, await price(world, 0.9));
    equal((await client.cancelOrder(order.id, SYMBOL)).status, "canceled", key.label);
  }
});

define("watchTrades, watchOrderBook, watchTicker, watchOHLCV, watchBidsAsks: events", async (world) => {
  const { client } = world;
  holds((await during(client.watchTrades(SYMBOL), () => trade(world))).length > 0, "trades");
  for (let count = 0; count < 10; count += 1) {
    const book = await soon(client.watchOrderBook(SYMBOL));
    holds(book.bids[0][0] < book.asks[0][0], "not crossed");
  }
  holds((await soon(client.watchTicker(SYMBOL))).last > 0, "ticker");
  holds((await soon(client.watchOHLCV(SYMBOL, "1m"))).length > 0, "candles");
  const best = (await during(client.watchBidsAsks([SYMBOL]), () => trade(world)))[SYMBOL];
  holds(best.bid < best.ask, "best");
});

define("watchOrders, watchMyTrades, watchBalance: the account's events", async (world) => {
  const { client } = world;
  await soon(client.authenticate());
  const orders = await during(client.watchOrders(SYMBOL), () => rest(world));
  equal(orders.at(-1).status, "open", "order");
  const trades = await during(client.watchMyTrades(SYMBOL), () => trade(world));
  equal(trades.at(-1).fee.currency, "BTC", "fee");
  let balance = await during(client.watchBalance(), () => trade(world));
  const { total } = (await client.fetchBalance()).BTC;
  // Events of earlier orders may still be on their way.
  for (let count = 0; count < 10 && !near(balance.BTC.total, total); count += 1) balance = await soon(client.watchBalance());
  holds(near(balance.BTC.total, total), `balance ${balance.BTC.total}, wanted ${total}`);
  await clear(world);
});

define("createOrderWs, fetchOrderWs, editOrderWs, cancelOrderWs, fetchBalanceWs: the WebSocket API", async (world) => {
  const { client } = world;
  const order = await soon(client.createOrderWs(SYMBOL, "limit", "buy", AMOUNT, await price(world, 0.9)));
  equal([order.status, (await soon(client.fetchOrderWs(order.id, SYMBOL))).status], ["open", "open"], "order");
  const edited = await soon(client.editOrderWs(order.id, SYMBOL, "limit", "buy", AMOUNT, await price(world, 0.91)));
  equal((await soon(client.cancelOrderWs(edited.id, SYMBOL))).status, "canceled", "cancelled");
  const bought = await soon(client.createOrderWs(SYMBOL, "market", "buy", AMOUNT));
  equal([bought.status, bought.filled], ["closed", AMOUNT], "market order");
  // ccxt does not parse a spot answer here: the balances are in `info` only.
  equal((await soon(client.fetchBalanceWs())).info.balances, (await client.fetchBalance()).info.balances, "balances");
});

await run(makeWorld, ({ client }) => client.close());
