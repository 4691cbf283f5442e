//! What a delivery tells, as records.

use manometer_model::records::{Deployment, Job, Run};
use manometer_model::{Problems, Record};

use crate::rules::last_segment;

/// Which delivery this is, as far as its headers tell: read before it is believed, so nothing but names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// The event in the provider's words: `workflow_job`.
    pub event: String,
    /// What tells deliveries of one source apart and stays the same when one is sent again. `None`: the provider has no
    /// such thing, the hash of the body decides.
    pub key: Option<String>,
}

/// A delivery, decoded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decoded {
    /// The event with its action: `workflow_job.completed`.
    pub event: String,
    /// Is it an event that means something here? Others are counted and answered with success.
    pub known: bool,
    /// Repository it is about: `github.com/acme/shop`.
    pub project: Option<String>,
    /// Runs, jobs, deployments, commits, runners: observations that merge, so that order and repetition do not matter.
    pub entities: Vec<Record>,
    /// Steps and the like: each group is stored once.
    pub facts: Vec<FactGroup>,
    /// Values that could not be used, each naming its field.
    pub problems: Problems,
}

/// Facts that are stored together and once: whoever tells them again, another hook or a reconciler, has no effect.
#[derive(Debug, Clone, PartialEq)]
pub struct FactGroup {
    /// `steps/github/github.com/acme/shop/RUN/ATTEMPT/JOB`
    pub natural_key: String,
    /// The facts.
    pub records: Vec<Record>,
}

/// Why a verified delivery cannot be decoded at all.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// There is no body.
    #[error("the body is empty")]
    Empty,
    /// Larger than any webhook should be.
    #[error("the body has {bytes} bytes, webhooks of more than {most} are not read")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        most: usize,
    },
    /// Nested deeper than any payload is.
    #[error("the body is nested deeper than {most} levels")]
    TooDeep {
        /// The limit.
        most: usize,
    },
    /// It is no JSON.
    #[error("the body is no JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    /// A form without the field the payload should be in.
    #[error("the body is a form without a field `{field}`: send JSON, or the payload in that field")]
    NoPayload {
        /// The field.
        field: &'static str,
    },
}

impl Decoded {
    /// Adds the facts of one group, unless there are none.
    pub(crate) fn add_facts(&mut self, natural_key: String, records: Vec<Record>) {
        if !records.is_empty() {
            self.facts.push(FactGroup { natural_key, records });
        }
    }

    /// Takes out of the observations every service that is no more than the project's last segment, and puts it into
    /// observations of their own, without status and time, which are the weakest there are: what an upload or a label
    /// says of the service then stands, whichever comes first.
    pub(crate) fn set_assumed_services_apart(&mut self) {
        let mut assumed: Vec<Record> = Vec::new();
        for entity in &mut self.entities {
            let (service, project) = match entity {
                Record::Run(row) => (&mut row.service, &row.project),
                Record::Job(row) => (&mut row.service, &row.project),
                Record::Deployment(row) => (&mut row.service, &row.project),
                _ => continue,
            };
            if service.is_none() || service.as_deref() != last_segment(project) {
                continue;
            }
            let service = service.take();
            let weakest = match entity {
                Record::Run(row) => Record::from(Run {
                    provider: row.provider.clone(),
                    project: row.project.clone(),
                    run_id: row.run_id.clone(),
                    attempt: row.attempt,
                    service,
                    ..Run::default()
                }),
                Record::Job(row) => Record::from(Job {
                    provider: row.provider.clone(),
                    project: row.project.clone(),
                    run_id: row.run_id.clone(),
                    run_attempt: row.run_attempt,
                    job_id: row.job_id.clone(),
                    service,
                    ..Job::default()
                }),
                Record::Deployment(row) => Record::from(Deployment {
                    provider: row.provider.clone(),
                    project: row.project.clone(),
                    deployment_id: row.deployment_id.clone(),
                    service,
                    ..Deployment::default()
                }),
                _ => continue,
            };
            if !assumed.contains(&weakest) {
                assumed.push(weakest);
            }
        }
        self.entities.append(&mut assumed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assumed_service_never_outranks_one_that_was_told() {
        let run = |service: &str| Run {
            provider: "github".into(),
            project: "github.com/acme/shop".into(),
            run_id: "1".into(),
            attempt: 1,
            status: Some(manometer_model::Status::Completed),
            service: Some(service.into()),
            ..Run::default()
        };
        let mut decoded =
            Decoded { entities: vec![run("shop").into(), run("payments").into()], ..Decoded::default() };
        decoded.set_assumed_services_apart();
        let services: Vec<_> = decoded
            .entities
            .iter()
            .map(|entity| match entity {
                Record::Run(row) => (row.service.as_deref(), row.status.is_some()),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(services, [(None, true), (Some("payments"), true), (Some("shop"), false)]);
    }
}
