//! The guarded HTTP client of one provider: every request passes the budget, every answer the caps.
//!
//! - A request is made only when the budget has one left, and not before the time the provider asked for.
//! - Connecting, each read and the whole request have time limits; a body is read up to a cap.
//! - Redirects are followed only to the same host, so that the token goes nowhere else. Addresses that answers name are
//!   never called: pages are asked for by number.
//! - Nothing is retried here: a fault says what happened and, where the provider said so, until when to wait.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use manometer_model::{Clock, Timestamp};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Response, StatusCode, redirect};
use serde::de::DeserializeOwned;
use url::Url;

use super::cache::{Cache, Kept};
use super::{Budget, Fault, PollError, limits};

/// How requests prove who asks. `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub enum Auth {
    /// They do not.
    None,
    /// `Authorization: Bearer …` (GitHub, TeamCity).
    Bearer(String),
    /// A header of one's own: `PRIVATE-TOKEN` (GitLab).
    Header {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// `Authorization: Basic …` (Jenkins: user and API token).
    Basic {
        /// User.
        user: String,
        /// Password or API token.
        password: String,
    },
}

impl fmt::Debug for Auth {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::None => "None",
            Self::Bearer(_) => "Bearer(…)",
            Self::Header { .. } => "Header(…)",
            Self::Basic { .. } => "Basic(…)",
        })
    }
}

/// What an [`Api`] needs to know.
#[derive(Debug, Clone)]
pub struct ApiOptions {
    /// Address of the API: `https://api.github.com`, `https://gitlab.acme.example`, `https://ci.acme.example/jenkins`.
    pub base: String,
    /// Who asks.
    pub auth: Auth,
    /// Most requests in any hour.
    pub requests_per_hour: u32,
    /// Longest time of one request.
    pub timeout: Duration,
    /// Largest body of an answer, in bytes.
    pub body_bytes: usize,
}

impl ApiOptions {
    /// The defaults for an address: 1,000 requests an hour, 30 seconds, 16 MiB.
    pub fn new(base: impl Into<String>, auth: Auth) -> Self {
        Self {
            base: base.into(),
            auth,
            requests_per_hour: 1_000,
            timeout: Duration::from_secs(30),
            body_bytes: 16 * 1024 * 1024,
        }
    }
}

/// One provider's API.
#[derive(Debug)]
pub struct Api {
    client: Client,
    base: Url,
    headers: HeaderMap,
    body_bytes: usize,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    budget: Budget,
    not_before: Option<(Timestamp, String)>,
    cache: Cache,
    requests: u64,
}

/// What the provider answered.
#[derive(Debug, Clone)]
pub struct Answer {
    path: String,
    body: Arc<[u8]>,
    /// The address of the next page, as the provider names it; a mark that there is one, never to be called.
    pub next: Option<String>,
    /// How many items there are on all pages, where the provider says so.
    pub total: Option<u64>,
}

impl Answer {
    /// Reads the body.
    ///
    /// # Errors
    /// When it is not what was expected: a body that was cut off, or an error page in front of the API.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_json::from_slice(&self.body).map_err(|error| Fault::Passing {
            message: format!("{}: the answer is not as expected: {error}", self.path),
        })
    }
}

impl Api {
    /// A client of the API.
    ///
    /// # Errors
    /// When the address is none, or a secret holds what no header can.
    pub fn new(options: ApiOptions, clock: Arc<dyn Clock>) -> Result<Self, PollError> {
        let refuse = |reason: String| PollError::Settings { reason };
        let mut base = Url::parse(&options.base)
            .map_err(|error| refuse(format!("`{}` is no address: {error}", options.base)))?;
        if !matches!(base.scheme(), "https" | "http") || base.host().is_none() {
            return Err(refuse(format!("`{}` is no http:// or https:// address", options.base)));
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let headers = headers_of(&options.auth).ok_or_else(|| {
            refuse(format!("the credentials for {} hold characters that no header can carry", options.base))
        })?;
        // The one cryptography provider of the process; where it is set already, that is the same one.
        rustls::crypto::ring::default_provider().install_default().ok();
        let client = Client::builder()
            .user_agent(concat!("manometer/", env!("CARGO_PKG_VERSION")))
            .timeout(options.timeout)
            .connect_timeout(options.timeout.min(Duration::from_secs(10)))
            .redirect(redirect::Policy::custom(same_host_only))
            .build()
            .map_err(|error| refuse(format!("no client for {}: {error}", options.base)))?;
        let state = State {
            budget: Budget::per_hour(options.requests_per_hour),
            not_before: None,
            cache: Cache::default(),
            requests: 0,
        };
        Ok(Self { client, base, headers, body_bytes: options.body_bytes, clock, state: Mutex::new(state) })
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The address of the API.
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// Requests made so far.
    pub fn requests(&self) -> u64 {
        self.with_state(|state| state.requests)
    }

    /// Requests that may be made at this moment.
    pub fn budget_left(&self) -> u32 {
        let now = self.now();
        self.with_state(|state| state.budget.left(now))
    }

    /// Asks for a path with its query, relative to the base. What did not change since it was last asked for is taken
    /// from memory, on the provider's word.
    ///
    /// # Errors
    /// What kept the answer away.
    pub async fn get(&self, path: &str) -> Result<Answer, Fault> {
        let kept = self.with_state(|state| state.cache.get(path).cloned());
        let etag = kept.as_ref().and_then(|kept| HeaderValue::from_str(&kept.etag).ok());
        let response = self.send(Method::GET, path, etag).await?;
        if response.status() == StatusCode::NOT_MODIFIED
            && let Some(Kept { body, next, total, .. }) = kept
        {
            return Ok(Answer { path: path.to_owned(), body, next, total });
        }
        let header = |name: &str| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let (etag, total) = (header("etag"), header("x-total").and_then(|total| total.parse().ok()));
        let next = header("link").as_deref().and_then(next_of).or_else(|| header("x-next-page"));
        let next = next.filter(|next| !next.is_empty());
        let body: Arc<[u8]> = self.body(path, response).await?.into();
        if let Some(etag) = etag {
            let kept = Kept { etag, body: Arc::clone(&body), next: next.clone(), total };
            self.with_state(|state| state.cache.put(path, kept));
        }
        Ok(Answer { path: path.to_owned(), body, next, total })
    }

    /// Asks the provider to do something.
    ///
    /// # Errors
    /// What kept it from being done.
    pub async fn post(&self, path: &str) -> Result<(), Fault> {
        self.send(Method::POST, path, None).await.map(drop)
    }

    /// Sends a request and sorts out the answers that are none.
    async fn send(&self, method: Method, path: &str, etag: Option<HeaderValue>) -> Result<Response, Fault> {
        let url =
            self.base.join(path).ok().filter(|url| url.host() == self.base.host()).ok_or_else(|| {
                Fault::Refused { status: 0, message: format!("{path}: is no path of {}", self.base) }
            })?;
        self.admit()?;
        let mut request = self.client.request(method, url).headers(self.headers.clone());
        if let Some(etag) = etag {
            request = request.header(reqwest::header::IF_NONE_MATCH, etag);
        }
        let response = request.send().await.map_err(|error| passing(path, &error))?;
        self.heed(path, response)
    }

    /// Is a request allowed now?
    fn admit(&self) -> Result<(), Fault> {
        let now = self.now();
        self.with_state(|state| {
            if let Some((until, reason)) = state.not_before.clone().filter(|(until, _)| *until > now) {
                return Err(Fault::Wait { until, reason });
            }
            state.budget.take(now).map_err(|until| Fault::Wait {
                until,
                reason: "the budget of requests an hour is used up".to_owned(),
            })?;
            state.requests += 1;
            Ok(())
        })
    }

    /// Notes the limits an answer states, and turns answers that are none into faults.
    fn heed(&self, path: &str, response: Response) -> Result<Response, Fault> {
        let now = self.now();
        let status = response.status();
        let used_up = limits::used_up_until(response.headers(), now);
        if let Some(until) = used_up {
            let reason = "the provider's own limit is nearly used up".to_owned();
            self.with_state(|state| state.not_before = Some((until, reason)));
        }
        let asked = limits::retry_after(response.headers(), now);
        let is_limited = status == StatusCode::TOO_MANY_REQUESTS
            || status == StatusCode::FORBIDDEN && (asked.is_some() || used_up.is_some());
        if is_limited || status == StatusCode::SERVICE_UNAVAILABLE && asked.is_some() {
            let until = asked.or(used_up).unwrap_or_else(|| now.plus_seconds(60.0));
            let reason = format!("the provider asked to wait ({status})");
            self.with_state(|state| state.not_before = Some((until, reason.clone())));
            return Err(Fault::Wait { until, reason });
        }
        match status {
            StatusCode::NOT_MODIFIED => Ok(response),
            StatusCode::NOT_FOUND | StatusCode::GONE => Err(Fault::Gone { path: path.to_owned() }),
            status if status.is_success() => Ok(response),
            status if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => {
                Err(Fault::Passing { message: format!("{path}: {status}") })
            }
            status => Err(Fault::Refused { status: status.as_u16(), message: format!("{path}: {status}") }),
        }
    }

    async fn body(&self, path: &str, mut response: Response) -> Result<Vec<u8>, Fault> {
        let too_large = || Fault::Passing {
            message: format!("{path}: the answer is larger than {} bytes", self.body_bytes),
        };
        if response.content_length().is_some_and(|length| length > self.body_bytes as u64) {
            return Err(too_large());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| passing(path, &error))? {
            if body.len() + chunk.len() > self.body_bytes {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn with_state<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn same_host_only(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let origin = attempt.previous().first().map(Url::origin);
    if origin == Some(attempt.url().origin()) && attempt.previous().len() <= 3 {
        attempt.follow()
    } else {
        attempt.stop()
    }
}

fn headers_of(auth: &Auth) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert(reqwest::header::ACCEPT, HeaderValue::from_static("application/json"));
    let (name, value) = match auth {
        Auth::None => return Some(headers),
        Auth::Bearer(token) => (AUTHORIZATION, format!("Bearer {token}")),
        Auth::Header { name, value } => (HeaderName::from_bytes(name.as_bytes()).ok()?, value.clone()),
        Auth::Basic { user, password } => {
            let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
            (AUTHORIZATION, format!("Basic {pair}"))
        }
    };
    let mut value = HeaderValue::from_str(&value).ok()?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Some(headers)
}

/// What went wrong with a request, without its address: that may be long, and the path says enough.
fn passing(path: &str, error: &reqwest::Error) -> Fault {
    let kind = if error.is_timeout() {
        "took too long"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the answer broke off"
    };
    let cause = std::error::Error::source(error).map(|cause| format!(" ({cause})")).unwrap_or_default();
    Fault::Passing { message: format!("{path}: {kind}{cause}") }
}

/// The address under `rel="next"` of a `Link` header.
fn next_of(link: &str) -> Option<String> {
    let part = link.split(',').find(|part| part.contains("rel=\"next\"") || part.contains("rel=next"))?;
    let address = part.split(';').next()?.trim();
    address.strip_prefix('<')?.strip_suffix('>').map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use manometer_model::SystemClock;

    #[test]
    fn the_next_page_is_found_among_links() {
        let link = "<https://a/?page=1>; rel=\"prev\", <https://a/?page=3&cursor=v1_2>; rel=\"next\"";
        assert_eq!(next_of(link).as_deref(), Some("https://a/?page=3&cursor=v1_2"));
        assert_eq!(next_of("<https://a/?page=1>; rel=\"prev\""), None);
        assert_eq!(next_of("next"), None);
    }

    #[test]
    fn wrong_settings_are_refused_and_secrets_are_never_shown() {
        let api = |base: &str, auth| Api::new(ApiOptions::new(base, auth), Arc::new(SystemClock)).map(drop);
        for base in ["", "api.github.com", "ftp://a.example", "http://"] {
            assert!(api(base, Auth::None).is_err(), "{base}");
        }
        let error = api("https://a.example", Auth::Bearer("sec\nret".to_owned())).unwrap_err().to_string();
        assert!(!error.contains("ret\"") && !error.contains("sec"), "{error}");
        let auth = Auth::Basic { user: "ada".to_owned(), password: "secret".to_owned() };
        assert!(!format!("{auth:?}").contains("secret"));
    }
}
