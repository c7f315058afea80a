//! Requests to the paper venue. Invariant: whatever is asked, in whatever order, it answers, and no money is made or lost.

use strongroom_model::Timestamp;
use strongroom_paper::exchange::{Account, ApiKey, Config, Exchange, LOOPBACK, Market, Request, Rights};
use strongroom_venues::binance::{SigningKey, VerifyingKey};

pub(crate) const NOW_MS: i64 = 1_800_000_000_000;
pub(crate) const REQUESTS_MAX: usize = 24;
/// Two accounts, so that orders meet.
pub(crate) const KEYS: [&str; 2] = ["alicealicealicealice", "bobbobbobbobbobbob"];
pub(crate) const SECRET: &[u8] = b"secretsecretsecret";

/// What a line's first letter asks for.
const ENDPOINTS: &[(u8, &str, &str)] = &[
    (b'p', "POST", "/api/v3/order"),
    (b't', "POST", "/api/v3/order/test"),
    (b'g', "GET", "/api/v3/order"),
    (b'd', "DELETE", "/api/v3/order"),
    (b'o', "GET", "/api/v3/openOrders"),
    (b'x', "DELETE", "/api/v3/openOrders"),
    (b'a', "GET", "/api/v3/allOrders"),
    (b'm', "GET", "/api/v3/myTrades"),
    (b'b', "GET", "/api/v3/account"),
    (b'c', "POST", "/api/v3/order/cancelReplace"),
    (b'e', "PUT", "/api/v3/order/amend/keepPriority"),
    (b'l', "POST", "/api/v3/orderList/oco"),
    (b'n', "POST", "/api/v3/orderList/oto"),
    (b'u', "POST", "/api/v3/orderList/otoco"),
    (b'z', "DELETE", "/api/v3/orderList"),
    (b'w', "GET", "/api/v3/orderList"),
    (b's', "POST", "/api/v3/sor/order"),
    (b'v', "GET", "/api/v3/myPreventedMatches"),
    (b'i', "GET", "/api/v3/exchangeInfo"),
    (b'h', "GET", "/api/v3/depth"),
    (b'r', "GET", "/api/v3/trades"),
    (b'q', "GET", "/api/v3/aggTrades"),
    (b'k', "GET", "/api/v3/klines"),
    (b'y', "GET", "/api/v3/ticker/24hr"),
];
/// Endpoints that take no signature begin here.
const FIRST_PUBLIC: u8 = b'i';

/// Lines: a letter, `1` or `2` for who asks, parameters. A stretch of orders that meet, and reads.
pub fn seeds() -> Vec<Vec<u8>> {
    [
        "p1symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000&newClientOrderId=a\n\
         p2symbol=BTCUSDT&side=SELL&type=LIMIT&timeInForce=IOC&quantity=0.02&price=49000&newOrderRespType=FULL\n\
         p1symbol=BTCUSDT&side=BUY&type=LIMIT_MAKER&quantity=0.01&price=40000&newClientOrderId=b\n\
         p2symbol=BTCUSDT&side=SELL&type=MARKET&quantity=0.001\n\
         p2symbol=BTCUSDT&side=BUY&type=MARKET&quoteOrderQty=100\n\
         g1symbol=BTCUSDT&origClientOrderId=a\nd1symbol=BTCUSDT&origClientOrderId=b\nx1symbol=BTCUSDT\nb1\no1\n",
        "a1symbol=BTCUSDT&limit=10\nm1symbol=BTCUSDT&orderId=1\nm2symbol=BTCUSDT&fromId=0&limit=5\n",
        "l1symbol=BTCUSDT&side=SELL&quantity=0.01&aboveType=LIMIT_MAKER&abovePrice=70000&belowType=STOP_LOSS_LIMIT&\
         belowStopPrice=40000&belowPrice=39000&belowTimeInForce=GTC&listClientOrderId=l\n\
         n1symbol=BTCUSDT&workingType=LIMIT&workingSide=BUY&workingPrice=50000&workingQuantity=0.01&workingTimeInForce=GTC&\
         pendingType=MARKET&pendingSide=SELL&pendingQuantity=0.01\np2symbol=BTCUSDT&side=SELL&type=MARKET&quantity=0.02\n\
         w1listClientOrderId=l\nz1symbol=BTCUSDT&listClientOrderId=l\n",
        "p1symbol=BTCUSDT&side=SELL&type=STOP_LOSS&quantity=0.01&trailingDelta=100&newClientOrderId=t\n\
         p1symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.02&price=40000&icebergQty=0.01&newClientOrderId=a\n\
         e1symbol=BTCUSDT&origClientOrderId=a&newQty=0.015\n\
         c1symbol=BTCUSDT&cancelOrigClientOrderId=a&cancelReplaceMode=ALLOW_FAILURE&side=BUY&type=LIMIT_MAKER&quantity=0.01&price=41000\n\
         p1symbol=BTCUSDT&side=SELL&type=LIMIT&timeInForce=FOK&quantity=0.01&price=41000&selfTradePreventionMode=EXPIRE_BOTH\nv1symbol=BTCUSDT&limit=3\n",
        "i1symbols=[\"BTCUSDT\"]\nh1symbol=BTCUSDT&limit=5\nr1symbol=BTCUSDT\nq1symbol=BTCUSDT&fromId=1\n\
         k1symbol=BTCUSDT&interval=1m&limit=3&startTime=1\ny1symbol=ETHUSDT&type=MINI\ny1\n",
    ]
    .map(Vec::from)
    .to_vec()
}

/// Asks line by line, then counts the money.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut exchange = venue();
    for (line, at_ms) in text.lines().take(REQUESTS_MAX).zip(NOW_MS..) {
        ask(&mut exchange, line, at_ms);
    }
    count(&mut exchange);
}

/// Two funded accounts on an empty market.
pub(crate) fn venue() -> Exchange {
    let key = |api_key: &&str| ApiKey::new(*api_key, VerifyingKey::hmac(SECRET), Rights::Trade);
    let mut config = Config::standard(1, Market::Empty);
    config.accounts = KEYS.iter().map(|api_key| Account::funded(vec![key(api_key)])).collect();
    Exchange::new(config, Timestamp::from_ms(NOW_MS))
}

/// No money was made or lost.
pub(crate) fn count(exchange: &mut Exchange) {
    drop(exchange.advance(Timestamp::from_ms(NOW_MS + 200)));
    for (asset, deposited, held) in exchange.audit() {
        assert_eq!(deposited, held, "{asset}");
    }
}

fn ask(exchange: &mut Exchange, line: &str, at_ms: i64) {
    let (Some(letter), Some(who), Some(params)) = (line.as_bytes().first(), line.as_bytes().get(1), line.get(2..)) else { return };
    let Some((_, method, path)) = ENDPOINTS.iter().find(|(known, ..)| known == letter) else { return };
    let first_public = ENDPOINTS.iter().position(|(known, ..)| *known == FIRST_PUBLIC).unwrap_or(ENDPOINTS.len());
    let is_public = ENDPOINTS.iter().skip(first_public).any(|(known, ..)| known == letter);
    let api_key = (!is_public).then(|| KEYS[usize::from(*who) % KEYS.len()]);
    let query = if is_public {
        params.to_owned()
    } else {
        let separator = if params.is_empty() { "" } else { "&" };
        let payload = format!("{params}{separator}timestamp={at_ms}&recvWindow=5000");
        let signature = SigningKey::Hmac(SECRET).sign(payload.as_bytes()).unwrap_or_default();
        format!("{payload}&signature={signature}")
    };
    let request = Request { method, path, query: &query, body: b"", api_key, address: LOOPBACK };
    let response = exchange.rest(Timestamp::from_ms(at_ms), request);
    assert!((200..500).contains(&response.status), "{} {path}?{query}", response.status);
    serde_json::from_slice::<serde_json::Value>(&response.body).expect("an answer is JSON");
}
