//! Small drawings of letters: lines of blocks over time, bars beside numbers.

const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// What stands for a gap, which is no zero.
const GAP: char = '·';

/// A line of blocks, one a value, from 0 to the largest; at most so many letters, each the largest of its values.
pub(super) fn sparkline(values: &[Option<f64>], letters: usize) -> String {
    let per_letter = values.len().div_ceil(letters.max(1)).max(1);
    let merged: Vec<Option<f64>> =
        values.chunks(per_letter).map(|some| some.iter().flatten().copied().reduce(f64::max)).collect();
    let largest = merged.iter().flatten().copied().fold(0.0, f64::max);
    merged.iter().map(|value| value.map_or(GAP, |value| block(value, largest))).collect()
}

fn block(value: f64, largest: f64) -> char {
    let share = if largest > 0.0 { (value / largest).clamp(0.0, 1.0) } else { 0.0 };
    let position = (share * (HEIGHTS.len() - 1) as f64).round() as usize;
    HEIGHTS.get(position).copied().unwrap_or(GAP)
}

/// A bar for a value, as long as `letters` for the largest.
pub(super) fn bar(value: f64, largest: f64, letters: usize) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let share = if largest > 0.0 { (value / largest).clamp(0.0, 1.0) } else { 0.0 };
    let eighths = (share * letters as f64 * 8.0).round() as usize;
    let rest = PARTS.get(eighths % 8).copied().unwrap_or_default();
    format!("{}{rest}", "█".repeat(eighths / 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_seen_as_one_and_zero_is_not() {
        assert_eq!(sparkline(&[Some(0.0), None, Some(7.0), Some(3.5)], 10), "▁·█▅");
        assert_eq!(sparkline(&[], 10), "");
        assert_eq!(sparkline(&[Some(1.0), Some(8.0), None, Some(4.0)], 2), "█▅");
    }

    #[test]
    fn bars_are_as_long_as_their_share() {
        assert_eq!(bar(4.0, 8.0, 4), "██");
        assert_eq!(bar(1.0, 16.0, 4), "▎");
        assert_eq!(bar(1.0, 0.0, 4), "");
    }
}
