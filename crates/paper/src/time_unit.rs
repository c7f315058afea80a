//! Times in microseconds for clients that ask for them (`rest-api.md`, `X-MBX-TIME-UNIT`; `timeUnit` of WebSockets). Invariant: only
//! fields that hold a moment are changed, and each by the same factor.

use serde_json::Value;

/// Unit of the times in answers and events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum TimeUnit {
    /// As everything is made.
    #[default]
    Millisecond,
    /// A thousand times as much.
    Microsecond,
}

/// Fields of answers that hold a moment.
const ANSWER_TIMES: &[&str] = &[
    "time",
    "updateTime",
    "transactTime",
    "transactionTime",
    "workingTime",
    "trailingTime",
    "serverTime",
    "openTime",
    "closeTime",
    "authorizedSince",
    "connectedSince",
    "createTime",
    "T",
];
/// Fields of events that hold a moment; `t` only in a candle, where it is no trade's number.
const EVENT_TIMES: &[&str] = &["E", "T", "O", "W", "D"];
const FACTOR: i64 = 1_000;

impl TimeUnit {
    /// From a client's word; `None` for another one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "MILLISECOND" | "millisecond" => Some(Self::Millisecond),
            "MICROSECOND" | "microsecond" => Some(Self::Microsecond),
            _ => None,
        }
    }

    /// From the query of a WebSocket's address; `None` for an unknown word.
    pub(crate) fn of_query(query: &str) -> Option<Self> {
        match form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "timeUnit") {
            Some((_, word)) => Self::parse(&word),
            None => Some(Self::Millisecond),
        }
    }

    /// An answer's body in this unit. Candles in rows have their moments first and seventh.
    pub(crate) fn answer(self, body: Vec<u8>, path: &str) -> Vec<u8> {
        if self == Self::Millisecond {
            return body;
        }
        let Ok(mut value) = serde_json::from_slice(&body) else { return body };
        if path.to_ascii_lowercase().ends_with("klines") {
            scale_rows(&mut value);
        } else {
            scale(&mut value, &|name, fields| is_answer_time(name, fields));
        }
        serde_json::to_vec(&value).unwrap_or(body)
    }

    /// A frame of a WebSocket in this unit.
    pub(crate) fn frame(self, text: String) -> String {
        if self == Self::Millisecond {
            return text;
        }
        let Ok(mut value) = serde_json::from_str::<Value>(&text) else { return text };
        scale(&mut value, &|name, fields| match fields.contains_key("e") {
            // A balance's `u` is a moment, a depth update's a number.
            true if name == "u" => fields["e"] == "outboundAccountPosition",
            true => EVENT_TIMES.contains(&name) && !(name == "O" && fields["O"].is_array()) || (name == "C" && fields["C"].is_i64()),
            false => is_answer_time(name, fields) || (fields.contains_key("i") && matches!(name, "t" | "T")),
        });
        if let Some(result) = value.get_mut("result") {
            scale_rows(result);
        }
        value.to_string()
    }
}

/// A trade of a list has its time in `time` or `T`.
fn is_answer_time(name: &str, _: &serde_json::Map<String, Value>) -> bool {
    ANSWER_TIMES.contains(&name)
}

fn scale(value: &mut Value, is_time: &impl Fn(&str, &serde_json::Map<String, Value>) -> bool) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| scale(value, is_time)),
        Value::Object(fields) => {
            let times: Vec<String> =
                fields.iter().filter(|(name, value)| value.is_i64() && is_time(name, fields)).map(|(name, _)| name.clone()).collect();
            for (name, value) in fields {
                if times.contains(name) {
                    multiply(value);
                } else {
                    scale(value, is_time);
                }
            }
        }
        _ => {}
    }
}

/// Rows of candles: twelve values, the first and the seventh moments.
fn scale_rows(value: &mut Value) {
    for row in value.as_array_mut().into_iter().flatten() {
        if let Some(row) = row.as_array_mut().filter(|row| row.len() == 12) {
            multiply(&mut row[0]);
            multiply(&mut row[6]);
        }
    }
}

fn multiply(value: &mut Value) {
    // -1 says that there is none.
    if let Some(ms) = value.as_i64().filter(|ms| *ms > 0) {
        *value = ms.saturating_mul(FACTOR).into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_nothing_else() {
        let answer = |path, text: &str| String::from_utf8(TimeUnit::Microsecond.answer(text.as_bytes().to_vec(), path)).unwrap();
        let rows = [
            (
                "/api/v3/order",
                r#"{"orderId":7,"time":12,"workingTime":-1,"price":"1"}"#,
                r#"{"orderId":7,"time":12000,"workingTime":-1,"price":"1"}"#,
            ),
            (
                "/api/v3/klines",
                r#"[[1,"1","1","1","1","1",2,"1",3,"1","1","0"]]"#,
                r#"[[1000,"1","1","1","1","1",2000,"1",3,"1","1","0"]]"#,
            ),
            ("/api/v3/trades", r#"[{"id":5,"time":9}]"#, r#"[{"id":5,"time":9000}]"#),
        ];
        for (path, before, after) in rows {
            assert_eq!(answer(path, before), after, "{path}");
        }
        let frame = |text: &str| TimeUnit::Microsecond.frame(text.to_owned());
        let rows = [
            (r#"{"e":"trade","E":5,"t":7,"T":4}"#, r#"{"e":"trade","E":5000,"t":7,"T":4000}"#),
            (
                r#"{"stream":"x","data":{"e":"kline","E":1,"k":{"t":2,"T":3,"i":"1m","n":9}}}"#,
                r#"{"stream":"x","data":{"e":"kline","E":1000,"k":{"t":2000,"T":3000,"i":"1m","n":9}}}"#,
            ),
            (r#"{"e":"outboundAccountPosition","E":5,"u":6}"#, r#"{"e":"outboundAccountPosition","E":5000,"u":6000}"#),
            (r#"{"e":"depthUpdate","E":5,"U":6,"u":7}"#, r#"{"e":"depthUpdate","E":5000,"U":6,"u":7}"#),
            (r#"{"id":1,"status":200,"result":{"serverTime":3}}"#, r#"{"id":1,"status":200,"result":{"serverTime":3000}}"#),
        ];
        for (before, after) in rows {
            assert_eq!(frame(before), after);
        }
        assert_eq!(TimeUnit::Millisecond.frame(r#"{"E":1}"#.to_owned()), r#"{"E":1}"#);
    }
}
