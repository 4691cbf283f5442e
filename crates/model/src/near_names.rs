//! Names near a misspelt one.

const MOST: usize = 5;

/// The candidates near `wanted`, nearest first, at most five; all of them when none is near.
pub fn near_names(wanted: &str, candidates: &[String]) -> Vec<String> {
    let lower = wanted.to_lowercase();
    let tolerance = (lower.chars().count() / 3).max(2);
    let mut near: Vec<(usize, &String)> = candidates
        .iter()
        .map(|candidate| (distance(&lower, candidate), candidate))
        .filter(|(edits, candidate)| {
            *edits <= tolerance || candidate.contains(&lower) || lower.contains(candidate.as_str())
        })
        .collect();
    near.sort();
    if near.is_empty() {
        return candidates.to_vec();
    }
    near.into_iter().take(MOST).map(|(_, candidate)| candidate.clone()).collect()
}

/// Levenshtein's distance: single letters inserted, removed or replaced.
fn distance(left: &str, right: &str) -> usize {
    let right_letters: Vec<char> = right.chars().collect();
    let mut previous: Vec<usize> = (0..=right_letters.len()).collect();
    for (row, left_letter) in left.chars().enumerate() {
        let mut current = Vec::with_capacity(previous.len());
        current.push(row + 1);
        for (column, right_letter) in right_letters.iter().enumerate() {
            let replaced = previous[column] + usize::from(left_letter != *right_letter);
            let removed = previous[column + 1] + 1;
            let inserted = current[column] + 1;
            current.push(replaced.min(removed).min(inserted));
        }
        previous = current;
    }
    previous.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<String> {
        ["runs", "runners", "tests", "metrics_pipeline"].map(str::to_owned).to_vec()
    }

    #[test]
    fn a_slip_finds_its_name() {
        assert_eq!(near_names("run", &names()), ["runs", "runners"]);
        assert_eq!(near_names("tetss", &names()), ["tests"]);
        assert_eq!(near_names("METRICS_PIPELINES", &names()), ["metrics_pipeline"]);
    }

    #[test]
    fn a_strange_name_gets_the_whole_list() {
        assert_eq!(near_names("zebra", &names()), names());
    }
}
