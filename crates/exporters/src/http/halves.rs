//! Requests of which one item can spoil all: cut in halves until the items to blame stand alone.

/// What became of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Every item was taken, refused or given up; that is accounted for.
    Settled,
    /// None was taken because of some: fewer at once may fare better.
    Spoilt,
}

/// Most requests one batch is cut into.
const MOST_REQUESTS: u32 = 256;

/// Sends `items`, in halves where that helps. `attempt` sends some of them; `is_last` tells it that they will not
/// be cut any further, so it has to settle them.
pub(crate) fn send_in_halves<T>(items: &[T], attempt: &mut dyn FnMut(&[T], bool) -> Part) {
    let mut requests_left = MOST_REQUESTS;
    let mut waiting = vec![items];
    while let Some(part) = waiting.pop() {
        requests_left = requests_left.saturating_sub(1);
        let is_last = part.len() < 2 || (requests_left as usize) < waiting.len() + 2;
        if attempt(part, is_last) == Part::Spoilt && !is_last {
            let (first, second) = part.split_at(part.len() / 2);
            waiting.push(second);
            waiting.push(first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(items: &[u32], is_bad: fn(u32) -> bool) -> (Vec<u32>, Vec<u32>, u32) {
        let (mut good, mut bad, mut requests) = (Vec::new(), Vec::new(), 0);
        send_in_halves(items, &mut |part, is_last| {
            requests += 1;
            match part.iter().any(|item| is_bad(*item)) {
                false => good.extend_from_slice(part),
                true if is_last => bad.extend_from_slice(part),
                true => return Part::Spoilt,
            }
            Part::Settled
        });
        (good, bad, requests)
    }

    #[test]
    fn one_bad_item_among_thousands_costs_itself_alone() {
        let items: Vec<u32> = (0..5_000).collect();
        let (good, bad, requests) = taken(&items, |item| item == 3_210);
        assert_eq!((good.len(), bad), (4_999, vec![3_210]));
        assert!(requests < 30, "{requests}");
        assert!(good.is_sorted());
    }

    #[test]
    fn a_server_that_refuses_everything_is_not_asked_for_ever() {
        let items: Vec<u32> = (0..5_000).collect();
        let (good, bad, requests) = taken(&items, |_| true);
        assert_eq!((good.len(), bad.len()), (0, 5_000));
        assert!(requests <= MOST_REQUESTS + 1, "{requests}");
    }
}
