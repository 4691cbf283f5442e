//! Sending again: when, how often, and when to give up.

use std::time::Duration;

use super::client::{Answer, HttpClient, Outgoing};
use crate::Deadline;

/// When a request is sent again.
#[derive(Debug, Clone)]
pub(crate) struct RetryPolicy {
    /// Before the first repetition; doubled before each further one.
    pub(crate) first_pause: Duration,
    /// Longest pause that is chosen here; a server's `Retry-After` may ask for more.
    pub(crate) longest_pause: Duration,
    /// Most repetitions.
    pub(crate) most_retries: u32,
    /// Longest wait for one answer.
    pub(crate) answer_timeout: Duration,
    /// Is it worth sending again after this status?
    pub(crate) is_transient: fn(u16) -> bool,
}

/// What became of a request.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// An answer that sending again would not change.
    Answered(Answer),
    /// No such answer within deadline and retries; says the last reason.
    Undelivered(String),
}

/// Sends a request until it is answered for good, the retries are used up, or the deadline is too near.
pub(crate) fn send(
    client: &mut HttpClient,
    outgoing: &Outgoing,
    policy: &RetryPolicy,
    deadline: &Deadline,
) -> Outcome {
    let mut retries = 0;
    loop {
        let time_left = deadline.remaining();
        if time_left.is_zero() {
            return Outcome::Undelivered("there was no time left to send it".to_owned());
        }
        let (reason, asked_for) = match client.send_once(outgoing, time_left.min(policy.answer_timeout)) {
            Ok(answer) if (policy.is_transient)(answer.status) => (answer.said(), answer.retry_after),
            Ok(answer) => return Outcome::Answered(answer),
            Err(reason) => (reason, None),
        };
        if retries == policy.most_retries {
            let attempts = retries + 1;
            return Outcome::Undelivered(match attempts {
                1 => reason,
                _ => format!("{reason} (sent {attempts} times)"),
            });
        }
        let pause = asked_for.unwrap_or_else(|| policy.pause(retries));
        if !deadline.pause(pause) {
            let seconds = pause.as_secs_f64();
            return Outcome::Undelivered(format!(
                "{reason} (the next attempt would be in {seconds:.1} s, past the time given)"
            ));
        }
        retries += 1;
    }
}

impl RetryPolicy {
    /// Doubles with each retry; somewhere in the upper half of it, so that many senders do not come back at once.
    fn pause(&self, retries: u32) -> Duration {
        let doubled = self.first_pause.saturating_mul(2_u32.saturating_pow(retries)).min(self.longest_pause);
        doubled.mul_f64(0.5 + fastrand::f64() / 2.0)
    }
}
