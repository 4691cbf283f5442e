//! One struct a page: what its template shows, ready to be shown. Handlers make them from answers.

pub(crate) mod ask;
pub(crate) mod compare;
pub(crate) mod completeness;
pub(crate) mod failures;
pub(crate) mod found_tests;
pub(crate) mod login;
pub(crate) mod problem;
pub(crate) mod run;
pub(crate) mod service;
pub(crate) mod services;
pub(crate) mod slowest;
pub(crate) mod sql;
pub(crate) mod test;
pub(crate) mod trend;

use crate::pages::links;
use crate::pages::shown::Count;

/// One of several addresses of the same page: a time range, a page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    /// What it says.
    pub(crate) label: String,
    /// Where it leads.
    pub(crate) url: String,
    /// Is it the one shown?
    pub(crate) current: bool,
}

/// Days a page can look back.
pub(crate) const RANGES: [u32; 3] = [7, 30, 90];

/// The choice of time ranges for the page at `path` with its other `pairs`.
pub(crate) fn range_choices(path: &str, pairs: &[(&str, Option<&str>)], current_days: u32) -> Vec<Choice> {
    let mut ranges = RANGES.to_vec();
    if !ranges.contains(&current_days) {
        ranges.push(current_days);
        ranges.sort_unstable();
    }
    ranges
        .into_iter()
        .map(|days| {
            let days_text = days.to_string();
            let mut all_pairs = pairs.to_vec();
            all_pairs.push(("days", Some(&days_text)));
            Choice {
                label: format!("{days} days"),
                url: links::with_query(path, &all_pairs),
                current: days == current_days,
            }
        })
        .collect()
}

/// Where a page of a longer list stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Pager {
    /// What is shown: `1–50 of 1,204`.
    pub(crate) shown: String,
    /// The page before, nearer to now.
    pub(crate) newer: Option<String>,
    /// The page after.
    pub(crate) older: Option<String>,
}

impl Pager {
    /// Page `page` (from 0) of a list of `total` rows, `size` to a page, at `path` with its other `pairs`.
    pub(crate) fn new(path: &str, pairs: &[(&str, Option<&str>)], page: u32, size: u32, total: u64) -> Self {
        let first = u64::from(page) * u64::from(size);
        let end = (first + u64::from(size)).min(total);
        let address = |number: u32| {
            let number_text = number.to_string();
            let mut all_pairs = pairs.to_vec();
            if number > 0 {
                all_pairs.push(("page", Some(&number_text)));
            }
            links::with_query(path, &all_pairs)
        };
        let shown = if first < end {
            format!("{}–{} of {}", Count(first + 1), Count(end), Count(total))
        } else {
            format!("none of {} on this page", Count(total))
        };
        Self {
            shown,
            newer: page.checked_sub(1).map(address),
            older: (end < total && first < total).then(|| address(page + 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_a_list_lead_to_their_neighbours_only() {
        let first = Pager::new("/service", &[("project", Some("p"))], 0, 50, 120);
        assert_eq!((first.shown.as_str(), first.newer), ("1–50 of 120", None));
        assert_eq!(first.older.as_deref(), Some("/service?project=p&page=1"));
        let last = Pager::new("/service", &[("project", Some("p"))], 2, 50, 120);
        assert_eq!((last.shown.as_str(), last.older), ("101–120 of 120", None));
        assert_eq!(last.newer.as_deref(), Some("/service?project=p&page=1"));
        assert_eq!(Pager::new("/", &[], 9, 50, 120).shown, "none of 120 on this page");
    }

    #[test]
    fn a_range_of_its_own_is_offered_beside_the_usual_ones() {
        let choices = range_choices("/", &[("project", None)], 14);
        let labels: Vec<&str> = choices.iter().map(|choice| choice.label.as_str()).collect();
        assert_eq!(labels, ["7 days", "14 days", "30 days", "90 days"]);
        assert!(choices[1].current);
        assert_eq!(choices[0].url, "/?days=7");
    }
}
