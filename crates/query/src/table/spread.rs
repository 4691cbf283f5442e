//! Shares work out among partitions.

/// Spreads pieces, each with what it weighs, over at most so many groups, at least one: the next one goes where least
/// is so far. Groups weigh about the same when the heaviest pieces come first.
pub(super) fn spread<T>(pieces: Vec<(u64, T)>, most_groups: usize) -> Vec<Vec<T>> {
    let mut groups: Vec<(u64, Vec<T>)> = Vec::new();
    groups.resize_with(most_groups.clamp(1, pieces.len().max(1)), || (0, Vec::new()));
    for (weight, piece) in pieces {
        if let Some((sum, group)) = groups.iter_mut().min_by_key(|(sum, _)| *sum) {
            *sum += weight;
            group.push(piece);
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_as_many_as_pieces_at_most_and_weigh_about_the_same() {
        assert_eq!(spread(vec![(9, 'a'), (5, 'b'), (4, 'c'), (1, 'd')], 2), [vec!['a', 'd'], vec!['b', 'c']]);
        assert_eq!(spread(vec![(1, 'a')], 4), [vec!['a']]);
        assert_eq!(spread(vec![(1, 'a'), (2, 'b')], 0), [vec!['a', 'b']]);
        assert_eq!(spread(Vec::<(u64, char)>::new(), 4), [Vec::<char>::new()]);
    }
}
