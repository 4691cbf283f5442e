//! The settings of a session: what SET takes, and what SHOW and `current_setting` answer.
//!
//! Few have an effect here. Those without are taken where the value changes nothing of the answers, answered with a
//! warning where it might, and refused where it would have to.

use std::collections::BTreeMap;
use std::time::Duration;

use super::failure::Failure;

/// The version of PostgreSQL whose dialect and catalog clients may expect.
pub(crate) const VERSION: &str = concat!("16.6 (Manometer ", env!("CARGO_PKG_VERSION"), ")");

/// What becomes of a value that is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It is kept and shown: of no effect on answers.
    Free,
    /// Only this one value is, in any case of letters.
    Only,
    /// A duration.
    Duration,
    /// Another value is taken with a warning that it has no effect.
    Warned(&'static str),
    /// It cannot be set.
    Fixed,
}

const KNOWN: &[(&str, &str, Kind)] = &[
    ("application_name", "", Kind::Free),
    ("bytea_output", "hex", Kind::Only),
    ("client_encoding", "UTF8", Kind::Only),
    ("client_min_messages", "notice", Kind::Free),
    ("datestyle", "ISO, MDY", Kind::Warned("dates are written as ISO 8601")),
    ("default_table_access_method", "heap", Kind::Free),
    ("default_transaction_isolation", "read committed", Kind::Free),
    ("default_transaction_read_only", "on", Kind::Warned("every transaction only reads")),
    ("extra_float_digits", "1", Kind::Free),
    ("geqo", "on", Kind::Free),
    ("idle_in_transaction_session_timeout", "0", Kind::Free),
    ("idle_session_timeout", "0", Kind::Free),
    ("in_hot_standby", "off", Kind::Fixed),
    ("integer_datetimes", "on", Kind::Fixed),
    ("intervalstyle", "postgres", Kind::Warned("intervals are written in the style postgres")),
    ("is_superuser", "off", Kind::Fixed),
    ("jit", "off", Kind::Free),
    ("lc_collate", "C", Kind::Fixed),
    ("lc_ctype", "C.UTF-8", Kind::Fixed),
    ("lc_messages", "C", Kind::Free),
    ("lc_monetary", "C", Kind::Free),
    ("lc_numeric", "C", Kind::Free),
    ("lc_time", "C", Kind::Free),
    ("lock_timeout", "0", Kind::Free),
    ("max_identifier_length", "63", Kind::Fixed),
    ("max_index_keys", "32", Kind::Fixed),
    ("row_security", "off", Kind::Free),
    ("search_path", "\"$user\", public", Kind::Free),
    ("server_encoding", "UTF8", Kind::Fixed),
    ("server_version", VERSION, Kind::Fixed),
    ("server_version_num", "160006", Kind::Fixed),
    ("session_authorization", "", Kind::Fixed),
    ("standard_conforming_strings", "on", Kind::Only),
    ("statement_timeout", "0", Kind::Duration),
    ("synchronize_seqscans", "on", Kind::Free),
    ("timezone", "UTC", Kind::Warned("times are answered in UTC")),
    ("transaction_isolation", "read committed", Kind::Free),
    ("transaction_read_only", "on", Kind::Warned("every transaction only reads")),
    ("xmloption", "content", Kind::Free),
];

/// Settings a client is told of when it connects, as it spells them.
const REPORTED: &[(&str, &str)] = &[
    ("application_name", "application_name"),
    ("client_encoding", "client_encoding"),
    ("datestyle", "DateStyle"),
    ("default_transaction_read_only", "default_transaction_read_only"),
    ("in_hot_standby", "in_hot_standby"),
    ("integer_datetimes", "integer_datetimes"),
    ("intervalstyle", "IntervalStyle"),
    ("is_superuser", "is_superuser"),
    ("server_encoding", "server_encoding"),
    ("server_version", "server_version"),
    ("session_authorization", "session_authorization"),
    ("standard_conforming_strings", "standard_conforming_strings"),
    ("timezone", "TimeZone"),
];

/// Most bytes of one value, and most settings with a name of the client's own.
const VALUE_BYTES: usize = 4096;
const OWN_SETTINGS: usize = 100;

/// The settings of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    values: BTreeMap<String, String>,
}

/// What came of setting a value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Done.
    Done,
    /// It has no effect, for this reason.
    Warned(String),
}

impl Settings {
    /// The defaults, for a user.
    pub(super) fn new(user: &str) -> Self {
        let mut values: BTreeMap<String, String> =
            KNOWN.iter().map(|(name, value, _)| ((*name).to_owned(), (*value).to_owned())).collect();
        values.insert("session_authorization".to_owned(), user.to_owned());
        Self { values }
    }

    /// Sets a value; without one, the default.
    pub(super) fn set(&mut self, name: &str, value: Option<&str>) -> Result<Outcome, Failure> {
        let found = KNOWN.iter().find(|(known, ..)| *known == name);
        let Some((_, default, kind)) = found else { return self.set_own(name, value) };
        let Some(value) = value else {
            if *kind != Kind::Fixed {
                self.values.insert(name.to_owned(), (*default).to_owned());
            }
            return Ok(Outcome::Done);
        };
        if value.len() > VALUE_BYTES {
            return Err(Failure::error(
                "22023",
                format!("the value of `{name}` is longer than {VALUE_BYTES} bytes"),
            ));
        }
        match kind {
            Kind::Free => {
                self.values.insert(name.to_owned(), value.to_owned());
            }
            Kind::Duration => {
                let milliseconds = milliseconds(value).ok_or_else(|| {
                    let message = format!(
                        "`{value}` is no duration for `{name}`: milliseconds, or 500ms, 5s, 2min, 1h"
                    );
                    Failure::error("22023", message)
                })?;
                self.values.insert(name.to_owned(), milliseconds.to_string());
            }
            Kind::Only if is_same(name, value, default) => {}
            Kind::Only => {
                return Err(Failure::error(
                    "22023",
                    format!("`{name}` is always `{default}`; `{value}` is not to be had"),
                ));
            }
            Kind::Warned(_) if is_same(name, value, default) => {}
            Kind::Warned(why) => return Ok(Outcome::Warned(format!("`{name}` stays `{default}`: {why}"))),
            Kind::Fixed => {
                return Err(Failure::error("55P02", format!("parameter \"{name}\" cannot be changed")));
            }
        }
        Ok(Outcome::Done)
    }

    /// A name with a point is the client's own; any other that is not known is an error.
    fn set_own(&mut self, name: &str, value: Option<&str>) -> Result<Outcome, Failure> {
        if !name.contains('.') {
            return Err(unknown(name));
        }
        match value {
            None => {
                self.values.remove(name);
            }
            Some(value) => {
                let is_new = !self.values.contains_key(name);
                let too_many = is_new && self.values.len() >= KNOWN.len() + OWN_SETTINGS;
                if too_many || name.len() + value.len() > VALUE_BYTES {
                    return Err(Failure::error("53400", "too many or too long settings of the client's own"));
                }
                self.values.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(Outcome::Done)
    }

    /// The value of a setting.
    pub(super) fn get(&self, name: &str) -> Result<&str, Failure> {
        self.values.get(name).map(String::as_str).ok_or_else(|| unknown(name))
    }

    /// All of them.
    pub(super) fn all(&self) -> &BTreeMap<String, String> {
        &self.values
    }

    /// Back to the defaults, but for the user.
    pub(super) fn reset(&mut self) {
        let user = self.values.get("session_authorization").cloned().unwrap_or_default();
        *self = Self::new(&user);
    }

    /// The longest a statement may run, where the client said so.
    pub(super) fn statement_timeout(&self) -> Option<Duration> {
        let milliseconds: u64 = self.values.get("statement_timeout")?.parse().ok()?;
        (milliseconds > 0).then(|| Duration::from_millis(milliseconds))
    }

    /// What a client is told at its start.
    pub(super) fn reported(&self) -> impl Iterator<Item = (&'static str, &str)> {
        REPORTED.iter().map(|(name, spelt)| (*spelt, self.values.get(*name).map_or("", String::as_str)))
    }

    /// How a client spells a setting it is told of; `None` for one it is not told of.
    pub(super) fn report_name(name: &str) -> Option<&'static str> {
        REPORTED.iter().find(|(known, _)| *known == name).map(|(_, spelt)| *spelt)
    }
}

fn unknown(name: &str) -> Failure {
    let shown: String = name.chars().take(64).collect();
    Failure::error("42704", format!("unrecognized configuration parameter \"{shown}\""))
}

fn is_same(name: &str, value: &str, default: &str) -> bool {
    let plain = |text: &str| text.to_lowercase().replace(['-', '_', ' ', '\''], "");
    let (given, own) = (plain(value), plain(default));
    given == own
        || match name {
            "timezone" => matches!(
                given.as_str(),
                "utc" | "gmt" | "etc/utc" | "etc/gmt" | "zulu" | "0" | "gmt+0" | "gmt0"
            ),
            "datestyle" => given == "iso" || given.starts_with("iso,"),
            "client_encoding" => matches!(given.as_str(), "utf8" | "unicode"),
            "standard_conforming_strings" | "default_transaction_read_only" | "transaction_read_only" => {
                matches!(given.as_str(), "on" | "true" | "yes" | "1")
            }
            _ => false,
        }
}

/// A duration as PostgreSQL writes it, in milliseconds.
fn milliseconds(text: &str) -> Option<u64> {
    let trimmed = text.trim();
    let digits = trimmed.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at_checked(digits)?;
    let number: u64 = number.parse().ok()?;
    let factor = match unit.trim() {
        "us" => return Some(number.div_ceil(1000)),
        "" | "ms" => 1,
        "s" => 1000,
        "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(factor).filter(|milliseconds| i32::try_from(*milliseconds).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_read_in_every_unit() {
        let mut settings = Settings::new("grafana");
        for (text, milliseconds) in
            [("5000", 5000), ("5s", 5000), ("250 ms", 250), ("2min", 120_000), ("1h", 3_600_000)]
        {
            settings.set("statement_timeout", Some(text)).unwrap();
            assert_eq!(settings.statement_timeout(), Some(Duration::from_millis(milliseconds)), "{text}");
        }
        for wrong in ["-1", "soon", "5 weeks", "99999999999999999999", "30d"] {
            assert_eq!(settings.set("statement_timeout", Some(wrong)).unwrap_err().code, "22023", "{wrong}");
        }
        settings.set("statement_timeout", Some("0")).unwrap();
        assert_eq!(settings.statement_timeout(), None);
    }

    #[test]
    fn what_has_no_effect_is_said() {
        let mut settings = Settings::new("x");
        assert_eq!(settings.set("timezone", Some("GMT")).unwrap(), Outcome::Done);
        assert!(matches!(settings.set("timezone", Some("Europe/Berlin")).unwrap(), Outcome::Warned(_)));
        assert_eq!(settings.get("timezone").unwrap(), "UTC");
        assert_eq!(settings.set("client_encoding", Some("utf-8")).unwrap(), Outcome::Done);
        assert_eq!(settings.set("client_encoding", Some("LATIN1")).unwrap_err().code, "22023");
        assert_eq!(settings.set("server_version", Some("9")).unwrap_err().code, "55P02");
        assert_eq!(settings.set("no_such_thing", Some("1")).unwrap_err().code, "42704");
        assert_eq!(settings.set("my.own", Some("1")).unwrap(), Outcome::Done);
        assert_eq!(settings.get("my.own").unwrap(), "1");
    }
}
