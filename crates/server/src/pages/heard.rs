//! A day without runs: was there nothing to hear, or was nothing heard?
//!
//! An answer knows a service's runs of a day or nothing. Where other services of the same project ran on that
//! day, their reports arrived and this service rested: that is a zero. Where none did, nobody knows.

use std::collections::BTreeMap;

use manometer_query::answers::{ServiceLine, ServicesAnswer};

/// The days on which each project was heard of.
#[derive(Debug, Default)]
pub(crate) struct Heard<'a> {
    days: BTreeMap<&'a str, Vec<bool>>,
}

impl<'a> Heard<'a> {
    /// From the answer about all services.
    pub(crate) fn of(answer: &'a ServicesAnswer) -> Self {
        let mut days: BTreeMap<&str, Vec<bool>> = BTreeMap::new();
        for line in &answer.services {
            let project = days.entry(&line.project).or_default();
            project.resize(project.len().max(line.runs_per_day.len()), false);
            for (heard, runs) in project.iter_mut().zip(&line.runs_per_day) {
                *heard |= runs.is_some();
            }
        }
        Self { days }
    }

    /// Runs of a service on each day; `None` where nothing was heard of its whole project.
    pub(crate) fn runs(&self, line: &ServiceLine) -> Vec<Option<u64>> {
        let project = self.days.get(line.project.as_str());
        let is_heard = |day: usize| project.and_then(|days| days.get(day)).copied().unwrap_or(false);
        line.runs_per_day.iter().enumerate().map(|(day, runs)| runs.or(is_heard(day).then_some(0))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(project: &str, runs: [Option<u64>; 3]) -> ServiceLine {
        ServiceLine { project: project.to_owned(), runs_per_day: runs.to_vec(), ..ServiceLine::default() }
    }

    #[test]
    fn a_service_rests_where_its_project_is_heard_and_is_unknown_where_it_is_not() {
        let services = vec![
            line("shop", [Some(4), Some(2), None]),
            line("shop", [Some(1), None, None]),
            line("mobile", [None, None, Some(9)]),
        ];
        let answer = ServicesAnswer { services, ..ServicesAnswer::default() };
        let heard = Heard::of(&answer);
        assert_eq!(heard.runs(&answer.services[1]), [Some(1), Some(0), None]);
        assert_eq!(heard.runs(&answer.services[2]), [None, None, Some(9)]);
        assert_eq!(heard.runs(&line("nowhere", [None; 3])), [None; 3]);
    }
}
