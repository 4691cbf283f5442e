//! A server at the other end of `--server`: requests with the token, refusals as errors people understand.

use std::time::Duration;

use reqwest::blocking::{Client, RequestBuilder, Response};
use serde_json::Value;

use crate::args::RemoteArgs;
use crate::exit::{server, usage};

/// A server to talk to.
#[derive(Debug)]
pub(crate) struct Remote {
    address: String,
    token: Option<String>,
    client: Client,
}

impl Remote {
    /// The server named by the arguments, if any.
    ///
    /// # Errors
    /// When its address is no http address.
    pub(crate) fn from_args(arguments: &RemoteArgs) -> anyhow::Result<Option<Self>> {
        let Some(address) = &arguments.server else { return Ok(None) };
        if !address.starts_with("http://") && !address.starts_with("https://") {
            return Err(usage(format!(
                "--server: `{address}` is not an address such as http://127.0.0.1:8420"
            )));
        }
        // The one cryptography provider of the process; where it is set already, that is the same one.
        rustls::crypto::ring::default_provider().install_default().ok();
        let client = Client::builder()
            .connect_timeout(Duration::from_secs(10))
            .timeout(None)
            .user_agent(concat!("manometer/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Some(Self {
            address: address.trim_end_matches('/').to_owned(),
            token: arguments.token.clone(),
            client,
        }))
    }

    /// The server's address, without a slash at its end.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Begins a GET of a path.
    #[cfg(feature = "server")]
    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.authorized(self.client.get(format!("{}{path}", self.address)))
    }

    /// Begins a POST to a path.
    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.authorized(self.client.post(format!("{}{path}", self.address)))
    }

    fn authorized(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Posts JSON and gives the answer's body.
    ///
    /// # Errors
    /// When the server is away or refuses.
    pub(crate) fn post_json(&self, path: &str, body: &Value) -> anyhow::Result<Response> {
        self.send(self.post(path).header("content-type", "application/json").body(body.to_string()))
    }

    /// Sends a request.
    ///
    /// # Errors
    /// When the server is away or refuses; the message is the server's own.
    pub(crate) fn send(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let response = request.send().map_err(|error| {
            let cause =
                std::error::Error::source(&error).map_or_else(String::new, |source| format!(": {source}"));
            server(format!("failed to reach {}{cause}", self.address))
        })?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let text = response.text().unwrap_or_default();
        let message = serde_json::from_str::<Value>(&text)
            .ok()
            .and_then(|answer| answer.pointer("/error/message").and_then(Value::as_str).map(str::to_owned))
            .unwrap_or(text);
        let refusal = format!("{} answered {status}: {}", self.address, message.trim());
        // A query or report that is wrong in itself is a wrong call, whoever says so; and so is a name nobody knows.
        Err(if matches!(status.as_u16(), 400 | 404 | 413 | 415 | 422) {
            usage(refusal)
        } else {
            server(refusal)
        })
    }
}
