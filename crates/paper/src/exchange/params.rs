//! Parameters of one request, from query and body. Invariant: every parameter is read, or the request is refused.

use strongroom_model::{ClientOrderId, MoneyError, Timestamp};

use super::refusal::ApiRefusal;
use crate::engine::MarketStatus;

/// More parameters than any endpoint takes.
const PARAMS_MAX: usize = 64;
/// The largest moment in milliseconds: thirteen digits.
const MS_MAX: u64 = 9_999_999_999_999;
/// Decimals that a number may have before rules of the instrument are looked at.
const DECIMALS_MAX: usize = 8;
/// Legal text of a client order id, as the venue words it.
const CLIENT_ORDER_ID_RANGE: &str = r"^[\.A-Z\:/a-z0-9_-]{1,36}$";

/// Legal text of a list of symbols, as the venue words it.
const SYMBOLS_RANGE: &str = r#"^\["[A-Z0-9-_.]{1,20}"(,"[A-Z0-9-_.]{1,20}"){0,}\]$"#;

/// Symbols that a request names.
pub(crate) struct Wanted {
    pub(crate) names: Vec<String>,
    /// Named alone: told alone, not in a list.
    pub(crate) is_single: bool,
}

struct Param {
    name: String,
    value: String,
    was_read: bool,
}

/// Decoded parameters; a name in the query wins over the same name in the body.
pub(crate) struct Params(Vec<Param>);

impl Params {
    pub(crate) fn parse(query: &str, body: &[u8]) -> Result<Self, ApiRefusal> {
        let mut params: Vec<Param> = Vec::with_capacity(12);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if params.len() >= PARAMS_MAX {
                return Err(ApiRefusal::parameters_beyond());
            }
            if params.iter().any(|param| param.name == name) {
                return Err(ApiRefusal::duplicate_parameter());
            }
            params.push(Param { name: name.into_owned(), value: value.into_owned(), was_read: false });
        }
        let in_query = params.len();
        for (name, value) in form_urlencoded::parse(body) {
            if params.len() >= PARAMS_MAX {
                return Err(ApiRefusal::parameters_beyond());
            }
            if params[in_query..].iter().any(|param| param.name == name) {
                return Err(ApiRefusal::duplicate_parameter());
            }
            let was_read = params[..in_query].iter().any(|param| param.name == name);
            params.push(Param { name: name.into_owned(), value: value.into_owned(), was_read });
        }
        Ok(Self(params))
    }

    /// From the `params` of a WebSocket API request: texts as they are, everything else by its JSON.
    pub(crate) fn of_json(params: &serde_json::Map<String, serde_json::Value>) -> Result<Self, ApiRefusal> {
        if params.len() > PARAMS_MAX {
            return Err(ApiRefusal::parameters_beyond());
        }
        let param = |(name, value): (&String, &serde_json::Value)| Param { name: name.clone(), value: text(value), was_read: false };
        Ok(Self(params.iter().map(param).collect()))
    }

    /// Names and values, as a query would carry them.
    pub(crate) fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.0.iter().map(|param| (&param.name, &param.value))).finish()
    }

    /// Names and values sorted by name, not encoded, without the signature: what a WebSocket API request is signed over
    /// (`web-socket-api.md`, “SIGNED request security”).
    pub(crate) fn signed_text(&self) -> String {
        let mut pairs: Vec<(&str, &str)> = self.0.iter().map(|param| (param.name.as_str(), param.value.as_str())).collect();
        pairs.retain(|(name, _)| *name != "signature");
        pairs.sort_unstable();
        pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    }

    /// A parameter that may be left out; sent empty it is refused.
    pub(crate) fn optional(&mut self, name: &str) -> Result<Option<&str>, ApiRefusal> {
        match self.0.iter_mut().find(|param| param.name == name) {
            Some(param) if param.value.is_empty() => Err(ApiRefusal::empty(name)),
            Some(param) => {
                param.was_read = true;
                Ok(Some(&param.value))
            }
            None => Ok(None),
        }
    }

    pub(crate) fn needed(&mut self, name: &str) -> Result<&str, ApiRefusal> {
        match self.0.iter_mut().find(|param| param.name == name && !param.value.is_empty()) {
            Some(param) => {
                param.was_read = true;
                Ok(&param.value)
            }
            None => Err(ApiRefusal::missing(name)),
        }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|param| param.name == name)
    }

    pub(crate) fn integer(&mut self, name: &str) -> Result<Option<u64>, ApiRefusal> {
        let Some(text) = self.optional(name)? else { return Ok(None) };
        if !is_digits(text) {
            return Err(ApiRefusal::illegal(name, "^[0-9]{1,20}$"));
        }
        text.parse().map(Some).map_err(|_| ApiRefusal::overflow(name))
    }

    pub(crate) fn limit(&mut self, usual: usize, max: usize) -> Result<usize, ApiRefusal> {
        let limit = self.integer("limit")?.map_or(usual, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(limit.clamp(1, max))
    }

    /// Milliseconds, or microseconds when there are more than thirteen digits.
    pub(crate) fn moment(&mut self, name: &str) -> Result<Option<Timestamp>, ApiRefusal> {
        let Some(number) = self.integer(name)? else { return Ok(None) };
        let signed = i64::try_from(number).map_err(|_| ApiRefusal::overflow(name))?;
        Ok(Some(if number > MS_MAX { Timestamp::from_us(signed) } else { Timestamp::from_ms(signed) }))
    }

    /// `startTime` and `endTime`, which may be at most so many hours apart.
    pub(crate) fn span(&mut self, hours_max: i64) -> Result<(Option<Timestamp>, Option<Timestamp>), ApiRefusal> {
        let (start, end) = (self.moment("startTime")?, self.moment("endTime")?);
        if let (Some(start), Some(end)) = (start, end)
            && end.ms().saturating_sub(start.ms()) > hours_max.saturating_mul(3_600_000)
        {
            return Err(ApiRefusal::too_long(hours_max));
        }
        Ok((start, end))
    }

    /// Lets a parameter count under another name; whether it was sent.
    pub(crate) fn rename(&mut self, before: &str, after: &str) -> bool {
        let found = self.0.iter_mut().find(|param| param.name == before);
        found.map(|param| after.clone_into(&mut param.name)).is_some()
    }

    pub(crate) fn flag(&mut self, name: &str) -> Result<bool, ApiRefusal> {
        match self.optional(name)?.map(str::to_ascii_lowercase).as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(ApiRefusal::illegal(name, "true|false")),
        }
    }

    /// A decimal with at most eight decimals.
    pub(crate) fn decimal<T>(&mut self, name: &str, parse: fn(&str) -> Result<T, MoneyError>) -> Result<Option<T>, ApiRefusal> {
        let Some(text) = self.optional(name)? else { return Ok(None) };
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        if !is_digits(whole) || !is_digits(part) {
            return Err(ApiRefusal::illegal(name, r"^([0-9]{1,20})(\.[0-9]{1,20})?$"));
        }
        if text.split_once('.').is_some_and(|(_, decimals)| decimals.trim_end_matches('0').len() > DECIMALS_MAX) {
            return Err(ApiRefusal::precision(name));
        }
        parse(text).map(Some).map_err(|_| ApiRefusal::overflow(name))
    }

    pub(crate) fn client_order_id(&mut self, name: &str) -> Result<Option<String>, ApiRefusal> {
        let Some(text) = self.optional(name)? else { return Ok(None) };
        ClientOrderId::parse(text).map_err(|_| ApiRefusal::illegal(name, CLIENT_ORDER_ID_RANGE))?;
        Ok(Some(text.to_owned()))
    }

    /// Names in `symbol` or `symbols`; `None` when neither was sent.
    pub(crate) fn symbols(&mut self) -> Result<Option<Wanted>, ApiRefusal> {
        match (self.has("symbol"), self.has("symbols")) {
            (true, true) => Err(ApiRefusal::combination()),
            (true, false) => Ok(Some(Wanted { names: vec![self.needed("symbol")?.to_owned()], is_single: true })),
            (false, true) => {
                let text = self.needed("symbols")?;
                let list: Result<Vec<String>, _> = serde_json::from_str(text);
                // No spaces and no escapes: what is meant is written in one way only.
                let is_plain = |names: &Vec<String>| serde_json::to_string(names).is_ok_and(|plain| plain == text);
                let names = list.ok().filter(|names| !names.is_empty() && is_plain(names));
                let names = names.ok_or_else(|| ApiRefusal::illegal("symbols", SYMBOLS_RANGE))?;
                if names.iter().enumerate().any(|(at, name)| names[..at].contains(name)) {
                    return Err(ApiRefusal::duplicate_symbols());
                }
                Ok(Some(Wanted { names, is_single: false }))
            }
            (false, false) => Ok(None),
        }
    }

    /// Status that symbols must have to be told.
    pub(crate) fn symbol_status(&mut self) -> Result<Option<MarketStatus>, ApiRefusal> {
        match self.optional("symbolStatus")? {
            None => Ok(None),
            Some("TRADING") => Ok(Some(MarketStatus::Trading)),
            Some("HALT") => Ok(Some(MarketStatus::Halt)),
            Some("BREAK") => Ok(Some(MarketStatus::Break)),
            Some(_) => Err(ApiRefusal::symbol_status()),
        }
    }

    /// Reads a parameter that has no meaning for the operation itself.
    pub(crate) fn pass_over(&mut self, name: &str) {
        self.0.iter_mut().filter(|param| param.name == name).for_each(|param| param.was_read = true);
    }

    /// Refuses what nobody asked for.
    pub(crate) fn finish(&self) -> Result<(), ApiRefusal> {
        let read = self.0.iter().filter(|param| param.was_read).count();
        if read == self.0.len() { Ok(()) } else { Err(ApiRefusal::unread(read, self.0.len())) }
    }
}

fn is_digits(text: &str) -> bool {
    (1..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// A JSON value as a parameter's text.
fn text(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
