//! REST to one venue. Invariant: a signed request leaves byte for byte as it was signed, once, to the one endpoint
//! that the line was opened to, or it does not leave.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect;
use strongroom_model::{Method, SignedRequest, Timestamp};
use url::Url;

use crate::tls::{TlsError, Trust, client_config};
use crate::trouble::{NoAnswer, NotSent, SendError, innermost, why_not_connected};
use crate::{Endpoint, EndpointError, PinBoard};

/// Longest body of an answer, bytes.
pub const ANSWER_LEN_MAX: usize = 8 * 1_024 * 1_024;
/// Most headers of an answer that are kept.
const HEADERS_KEPT_MAX: usize = 100;
/// Longest header value that is kept, bytes.
const HEADER_LEN_MAX: usize = 1_024;
/// Time for name, TCP and TLS together.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// A connection without requests is closed after this long: shorter than venues keep theirs.
const IDLE_MAX: Duration = Duration::from_secs(30);
/// Connections without requests that are kept.
const IDLE_CONNECTIONS_MAX: usize = 4;

/// What a venue answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status, redirects included: they are not followed.
    pub status: u16,
    /// Names in lower case, values as far as they are text; at most 100.
    pub headers: Vec<(String, String)>,
    /// The whole body, at most [`ANSWER_LEN_MAX`] bytes.
    pub body: Vec<u8>,
    /// By our clock, before the connection was looked for.
    pub sent_at: Timestamp,
    /// `sent_at` plus the monotonic time until the answer's head arrived.
    pub answered_at: Timestamp,
    /// The address that answered.
    pub peer: Option<SocketAddr>,
}

impl Answer {
    /// The first header of this name, which is given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Connections to one base URL; clones share them.
#[derive(Clone, Debug)]
pub struct Line {
    client: Arc<Mutex<reqwest::Client>>,
    tls: rustls::ClientConfig,
    base: Url,
    endpoint: Endpoint,
    board: Arc<PinBoard>,
}

/// Why no line was opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The base URL.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The authorities.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl OpenError {
    /// As the cause says.
    pub const fn advice(&self) -> strongroom_model::Advice {
        match self {
            Self::Endpoint(error) => error.advice(),
            Self::Tls(error) => error.advice(),
        }
    }
}

impl Line {
    /// Prepares connections to `base_url`, such as `https://api.binance.com`. Connects at the first request.
    pub fn open(base_url: &str, trust: &Trust, board: Arc<PinBoard>) -> Result<Self, OpenError> {
        let unreadable = || EndpointError::Unreadable(base_url.to_owned());
        let base = Url::parse(base_url).map_err(|_| unreadable())?;
        let endpoint = Endpoint::of(&base)?;
        if base.scheme() != "https"
            || base.path() != "/"
            || base.query().is_some()
            || base.fragment().is_some()
            || !base.username().is_empty()
        {
            return Err(unreadable().into());
        }
        let tls = client_config(&endpoint, trust, &board)?;
        let client = Arc::new(Mutex::new(client(&tls)?));
        Ok(Self { client, tls, base, endpoint, board })
    }

    /// Ends the connections that are open and idle: the next request makes a new one, whose key is judged anew. Requests that
    /// are on their way are answered.
    pub fn hang_up(&self) -> Result<(), OpenError> {
        let new = client(&self.tls)?;
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    /// Where the line leads.
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Sends a signed request, unchanged and once; waits for the whole answer at most `timeout`.
    pub async fn send(&self, request: &SignedRequest, timeout: Duration) -> Result<Answer, SendError> {
        let url = self.url(&request.path, &request.query)?;
        let mut headers = HeaderMap::new();
        let name = HeaderName::try_from(request.key_header.as_str()).map_err(|_| would_change("key header"))?;
        let mut key = HeaderValue::try_from(request.api_key.as_str()).map_err(|_| would_change("API key"))?;
        key.set_sensitive(true);
        headers.insert(name, key);
        if !request.body.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        }
        self.exchange(request.method, url, headers, request.body.clone(), timeout).await
    }

    /// Reads something public.
    pub async fn get(&self, path: &str, query: &str, timeout: Duration) -> Result<Answer, SendError> {
        self.exchange(Method::Get, self.url(path, query)?, HeaderMap::new(), String::new(), timeout).await
    }

    /// The URL, if its parser leaves path and query as they are: it re-encodes what it does not like.
    fn url(&self, path: &str, query: &str) -> Result<Url, SendError> {
        let mut url = self.base.clone();
        url.set_path(path);
        url.set_query(if query.is_empty() { None } else { Some(query) });
        if url.path() != path {
            return Err(would_change("path"));
        }
        if url.query().unwrap_or_default() != query {
            return Err(would_change("query"));
        }
        Ok(url)
    }

    async fn exchange(&self, method: Method, url: Url, headers: HeaderMap, body: String, timeout: Duration) -> Result<Answer, SendError> {
        let method = match method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Delete => reqwest::Method::DELETE,
            // A socket's message is not for this line.
            Method::Socket => return Err(would_change("form")),
        };
        let client = self.client.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut request = client.request(method, url).headers(headers).timeout(timeout);
        if !body.is_empty() {
            request = request.body(body);
        }
        // Built apart from being sent: what cannot be built was certainly not sent.
        let request = request.build().map_err(|_| would_change("form"))?;
        let (sent_at, start) = (self.board.now(), Instant::now());
        let mut response = client.execute(request).await.map_err(|error| self.failed(error))?;
        let answered_at = after(sent_at, start.elapsed());
        let status = response.status().as_u16();
        let peer = response.remote_addr();
        let headers = kept(response.headers());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| broken(&error))? {
            if body.len() + chunk.len() > ANSWER_LEN_MAX {
                return Err(SendError::NoAnswer(NoAnswer::TooLong(ANSWER_LEN_MAX)));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, headers, body, sent_at, answered_at, peer })
    }

    fn failed(&self, error: reqwest::Error) -> SendError {
        // Without the URL, whose query holds a signature.
        let error = error.without_url();
        if !error.is_connect() {
            return broken(&error);
        }
        let why = why_not_connected(self.endpoint.to_string(), &error);
        if !matches!(why, NotSent::Pin(_) | NotSent::Certificate { .. }) {
            self.board.note_trouble(&self.endpoint, why.to_string());
        }
        SendError::NotSent(why)
    }
}

fn client(tls: &rustls::ClientConfig) -> Result<reqwest::Client, TlsError> {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls.clone())
        .https_only(true)
        .http1_only()
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false)
        .tcp_nodelay(true)
        .connect_timeout(CONNECT_MAX)
        .pool_idle_timeout(IDLE_MAX)
        .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
        .user_agent(concat!("strongroom/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| TlsError::Setup(innermost(&error)))
}

fn would_change(what: &'static str) -> SendError {
    SendError::NotSent(NotSent::WouldChange(what))
}

fn broken(error: &reqwest::Error) -> SendError {
    SendError::NoAnswer(if error.is_timeout() { NoAnswer::TimedOut } else { NoAnswer::Broken(innermost(error)) })
}

fn after(at: Timestamp, elapsed: Duration) -> Timestamp {
    Timestamp::from_us(at.us().saturating_add(i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX)))
}

fn kept(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |(name, value): (&HeaderName, &HeaderValue)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()));
    headers.iter().filter_map(text).filter(|(_, value)| value.len() <= HEADER_LEN_MAX).take(HEADERS_KEPT_MAX).collect()
}
