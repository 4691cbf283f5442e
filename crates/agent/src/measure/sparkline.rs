//! A row of small bars.

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Draws `values` (time they cover, height) as at most `width` bars, the highest of which is full. Each bar stands
/// for the same stretch of time and shows the highest value in it.
pub fn sparkline(values: &[(f64, f64)], width: usize) -> String {
    let total: f64 = values.iter().map(|(length, _)| length).sum();
    let highest = values.iter().map(|(_, height)| *height).fold(0.0, f64::max);
    if !total.is_finite() || total <= 0.0 || width == 0 {
        return String::new();
    }
    let bars = width.min(values.len());
    let mut heights = vec![0.0_f64; bars];
    let mut begin = 0.0;
    for (length, height) in values {
        let end = begin + length;
        let first = (begin / total * bars as f64).floor() as usize;
        let last = (end / total * bars as f64).ceil() as usize;
        for bar in heights.iter_mut().take(last.max(first + 1)).skip(first) {
            *bar = bar.max(*height);
        }
        begin = end;
    }
    heights
        .iter()
        .map(|height| {
            let share = if highest > 0.0 { height / highest } else { 0.0 };
            let level = (share * (BARS.len() - 1) as f64).round() as usize;
            BARS.get(level).copied().unwrap_or(BARS[0])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stand_for_equal_times_and_the_highest_is_full() {
        assert_eq!(sparkline(&[(1.0, 0.0), (1.0, 50.0), (1.0, 100.0)], 4), "▁▅█");
        assert_eq!(sparkline(&[(1.0, 100.0), (3.0, 50.0)], 2), "█▅");
        assert_eq!(sparkline(&[(1.0, 1.0), (1.0, 8.0), (1.0, 1.0), (1.0, 1.0)], 2), "█▂");
        assert_eq!(sparkline(&[(1.0, 0.0)], 10), "▁");
        assert_eq!(sparkline(&[], 10), "");
        assert_eq!(sparkline(&[(f64::NAN, 1.0)], 10), "");
    }
}
