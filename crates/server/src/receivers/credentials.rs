//! Credentials as senders of other systems give them, made into the one form this server checks.
//!
//! | sender | form |
//! |---|---|
//! | InfluxDB 2.x | `Authorization: Token mano_…` |
//! | InfluxDB 1.x | user and password (`Authorization: Basic …`, or `u=` and `p=`): the password is the token |
//! | Prometheus | `Authorization: Bearer mano_…`, or user and password |

use axum::http::header::{AUTHORIZATION, HeaderValue};
use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Makes whatever credentials a request has a bearer token. An empty one counts as none: clients that must be
/// given something send it to open servers.
pub(super) fn as_bearer(head: &mut Parts) {
    let told = match head.headers.get(AUTHORIZATION) {
        Some(header) => header.to_str().ok().and_then(token_of_header),
        None => token_of_query(head.uri.query().unwrap_or_default()),
    };
    let Some(token) = told else { return };
    if token.is_empty() {
        head.headers.remove(AUTHORIZATION);
    } else if let Ok(mut bearer) = HeaderValue::from_str(&format!("Bearer {token}")) {
        bearer.set_sensitive(true);
        head.headers.insert(AUTHORIZATION, bearer);
    }
}

/// The token in a header; `None` for a scheme that is not known, which is left as it is and refused later.
fn token_of_header(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("token") {
        // 1.8 takes `Token user:password` as well.
        return Some(rest.rsplit(':').next().unwrap_or(rest).to_owned());
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let decoded = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
        return decoded.split_once(':').map(|(_, password)| password.to_owned());
    }
    None
}

fn token_of_query(query: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(key, _)| key == "p").map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(target: &str, header: Option<&str>) -> Option<String> {
        let mut request = axum::http::Request::get(target);
        if let Some(text) = header {
            request = request.header(AUTHORIZATION, text);
        }
        let (mut head, ()) = request.body(()).unwrap().into_parts();
        as_bearer(&mut head);
        head.headers.get(AUTHORIZATION).map(|text| text.to_str().unwrap().to_owned())
    }

    #[test]
    fn every_form_is_understood() {
        let token = Some("Bearer mano_1".to_owned());
        assert_eq!(bearer("/write", Some("Token mano_1")), token);
        assert_eq!(bearer("/write", Some("token ci:mano_1")), token);
        assert_eq!(bearer("/write", Some("Bearer mano_1")), token);
        assert_eq!(bearer("/write", Some("Basic Y2k6bWFub18x")), token);
        assert_eq!(bearer("/write?db=x&u=ci&p=mano_1", None), token);
        assert_eq!(bearer("/write", Some("Digest x")), Some("Digest x".to_owned()));
        assert_eq!(bearer("/write", Some("Basic ???")), Some("Basic ???".to_owned()));
        assert_eq!(bearer("/write", Some("Token ")), None);
        assert_eq!(bearer("/write?u=root&p=", None), None);
        assert_eq!(bearer("/write", None), None);
    }
}
