//! One request, one answer.

use std::error::Error as _;
use std::io::Read as _;
use std::time::Duration;

use reqwest::blocking::{Body, Client};
use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;
use serde_json::Value;

use super::{Server, Shipment};

/// Longer answers are cut: ours are short.
const ANSWER_BYTES: u64 = 256 * 1024;
/// What is asked of a server that is overloaded and does not say for how long.
const PAUSE_WHEN_OVERLOADED: Duration = Duration::from_secs(5);

/// What became of a shipment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The server holds it.
    Delivered,
    /// The server will never take it; its words.
    Refused(String),
    /// Not now: why, and how long the server asks to be left alone.
    NotNow {
        /// For people.
        why: String,
        /// What `Retry-After` said.
        pause: Option<Duration>,
    },
}

/// A connection to one server.
#[derive(Debug)]
pub(super) struct ServerClient {
    client: Client,
    server: Server,
}

impl ServerClient {
    pub(super) fn new(server: &Server) -> Result<Self, String> {
        // The one cryptography provider of the process; where it is set already, that is the same one.
        rustls::crypto::ring::default_provider().install_default().ok();
        let client = Client::builder()
            .redirect(Policy::none())
            .user_agent(concat!("manometer/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| format!("failed to prepare for HTTP: {}", explained(&error)))?;
        Ok(Self { client, server: server.clone() })
    }

    /// Sends a shipment, waiting no longer than `time_left`.
    pub(super) fn send(&self, shipment: &Shipment, body: Body, time_left: Duration) -> Answer {
        let mut request = self
            .client
            .post(format!("{}{}", self.server.address, shipment.path))
            .timeout(time_left)
            .header("idempotency-key", &shipment.key)
            .header("content-type", &shipment.content_type)
            .body(body);
        if let Some(encoding) = &shipment.content_encoding {
            request = request.header("content-encoding", encoding);
        }
        if let Some(token) = &self.server.token {
            request = request.bearer_auth(token);
        }
        let response = match request.send() {
            Ok(response) => response,
            Err(error) => {
                let why = format!("failed to reach {}: {}", self.server.address, explained(&error));
                return Answer::NotNow { why, pause: None };
            }
        };
        let status = response.status().as_u16();
        let pause = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.trim().parse().ok())
            .map(Duration::from_secs);
        let mut text = Vec::new();
        if let Err(error) = response.take(ANSWER_BYTES).read_to_end(&mut text) {
            let why = format!("the answer of {} broke off: {error}", self.server.address);
            return Answer::NotNow { why, pause };
        }
        self.understood(status, pause, &text)
    }

    /// Only what is clearly a Manometer server's word decides over a shipment: a proxy's page or a login form that
    /// stands in for it says nothing about what was sent.
    fn understood(&self, status: u16, pause: Option<Duration>, text: &[u8]) -> Answer {
        let answer: Option<Value> = serde_json::from_slice(text).ok();
        let has_receipt =
            answer.as_ref().is_some_and(|answer| answer.get("id").is_some_and(Value::is_string));
        let message = answer
            .as_ref()
            .filter(|answer| answer.pointer("/error/code").is_some_and(Value::is_string))
            .and_then(|answer| answer.pointer("/error/message")?.as_str());
        let address = &self.server.address;
        match (status, message) {
            (200..=299, _) if has_receipt => Answer::Delivered,
            (400 | 405 | 406 | 409 | 413 | 415 | 422, Some(message)) => {
                Answer::Refused(format!("{status}: {message}"))
            }
            (429 | 503 | 507, said) => Answer::NotNow {
                why: format!("{address} answered {status}: {}", said.unwrap_or("it is overloaded")),
                pause: Some(pause.unwrap_or(PAUSE_WHEN_OVERLOADED)),
            },
            (_, Some(message)) => {
                Answer::NotNow { why: format!("{address} answered {status}: {message}"), pause }
            }
            (_, None) => {
                let why = format!("{address} answered {status}, and not as a Manometer server does");
                Answer::NotNow { why, pause }
            }
        }
    }
}

/// An error with its causes, which say more than itself.
fn explained(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut innermost = error.source();
    let mut text = None;
    while let Some(cause) = innermost {
        text = Some(cause.to_string());
        innermost = cause.source();
    }
    text.unwrap_or_else(|| error.to_string())
}
