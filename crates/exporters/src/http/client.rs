//! One request, one answer.

use std::io::Read as _;
use std::time::Duration;

use manometer_model::{Clock as _, SystemClock};
use reqwest::Method;
use reqwest::blocking::Client;
use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;
use url::{Url, form_urlencoded};

use crate::Secret;

/// How a request says who sends it.
#[derive(Debug, Clone)]
pub(crate) enum Authorization {
    None,
    /// The whole value of the header `Authorization`.
    Header(Secret),
    /// User and password.
    Basic(String, Secret),
}

/// A request, ready to be sent as often as needed.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) authorization: Authorization,
    pub(crate) body: Vec<u8>,
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    /// The beginning of the body, at most [`MOST_ANSWER_BYTES`].
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Status and what the server said about it, on one line and not too long.
    pub(crate) fn said(&self) -> String {
        const SHOWN_CHARACTERS: usize = 500;
        let text = String::from_utf8_lossy(&self.body);
        let words: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let shown: String = words.chars().take(SHOWN_CHARACTERS).collect();
        if shown.is_empty() {
            format!("HTTP {}", self.status)
        } else {
            format!("HTTP {}: {shown}", self.status)
        }
    }
}

/// Most of an answer that is read: enough for a line of complaint about each of many points.
const MOST_ANSWER_BYTES: u64 = 1024 * 1024;
const USER_AGENT: &str = concat!("manometer/", env!("CARGO_PKG_VERSION"));

/// Sends requests. The connections behind it are opened at the first one, so that an exporter which is only
/// configured costs nothing.
#[derive(Debug, Default)]
pub(crate) struct HttpClient {
    client: Option<Client>,
}

impl HttpClient {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Sends a request once; redirects are not followed, an answer counts only when it is whole.
    ///
    /// # Errors
    /// What went wrong with the connection, without the address.
    pub(crate) fn send_once(&mut self, outgoing: &Outgoing, time_left: Duration) -> Result<Answer, String> {
        let client = match &self.client {
            Some(client) => client.clone(),
            None => self.client.insert(build()?).clone(),
        };
        let mut request = client
            .request(outgoing.method.clone(), outgoing.url.clone())
            .timeout(time_left)
            .body(outgoing.body.clone());
        for (name, value) in &outgoing.headers {
            request = request.header(name, value);
        }
        request = match &outgoing.authorization {
            Authorization::None => request,
            Authorization::Header(value) => request.header("Authorization", value.reveal()),
            Authorization::Basic(user, password) => request.basic_auth(user, Some(password.reveal())),
        };
        let response = request.send().map_err(|error| explained(&error.without_url()))?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|text| wait_time(text.to_str().ok()?));
        let mut body = Vec::new();
        response
            .take(MOST_ANSWER_BYTES)
            .read_to_end(&mut body)
            .map_err(|error| format!("the answer broke off: {error}"))?;
        Ok(Answer { status, retry_after, body })
    }
}

fn build() -> Result<Client, String> {
    // A provider may have been installed by whoever else speaks TLS in this process; that one will do.
    drop(rustls::crypto::ring::default_provider().install_default());
    Client::builder()
        .user_agent(USER_AGENT)
        .redirect(Policy::none())
        .build()
        .map_err(|error| format!("failed to prepare the HTTP client: {}", explained(&error)))
}

/// An error with its causes: reqwest's own message alone says little.
fn explained(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

/// `Retry-After`: seconds, or a date.
fn wait_time(text: &str) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    let at_seconds = date.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs_f64();
    let now_seconds = SystemClock.now().as_micros() as f64 / 1e6;
    Duration::try_from_secs_f64((at_seconds - now_seconds).max(0.0)).ok()
}

/// Reads the address of a server.
///
/// # Errors
/// What is wrong with it, in words that follow its name.
pub(crate) fn parse_url(text: &str) -> Result<Url, String> {
    let shown: String = text.chars().take(200).collect();
    let url = Url::parse(text)
        .map_err(|error| format!("`{shown}` is not an address ({error}): write http://HOST:PORT"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(format!("`{shown}` is not an http:// or https:// address"));
    }
    Ok(url)
}

/// Takes user and password out of an address, so that they are sent but never shown.
pub(crate) fn split_credentials(mut url: Url) -> (Url, Authorization) {
    if url.username().is_empty() && url.password().is_none() {
        return (url, Authorization::None);
    }
    let decoded = |text: &str| percent_decoded(text);
    let authorization = Authorization::Basic(
        decoded(url.username()),
        Secret::new(url.password().map(decoded).unwrap_or_default()),
    );
    // Both only fail for addresses without a host, which are refused before.
    let is_clean = url.set_username("").is_ok() && url.set_password(None).is_ok();
    debug_assert!(is_clean, "an address with credentials has a host");
    (url, authorization)
}

fn percent_decoded(text: &str) -> String {
    // A form's value is percent-encoded too, only that its spaces may be plus signs.
    let pair = format!("v={}", text.replace('+', "%2B"));
    form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}
