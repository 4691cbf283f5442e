//! The time a question is about, as a range of `at`, and how it falls into buckets.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Between, BinaryExpr, Expr, Operator, col, lit};
use manometer_model::Bucket;

use super::fitting::{is_at, nanos_of};
use crate::table::AT;

/// Moments from `start` up to but without `end`, in microseconds since 1970. The least and the greatest number stand
/// for no bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Range {
    pub(super) start: i64,
    pub(super) end: i64,
}

impl Range {
    pub(super) const ALL: Self = Self { start: i64::MIN, end: i64::MAX };

    pub(super) const fn is_empty(self) -> bool {
        self.start >= self.end
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self { start: self.start.max(other.start), end: self.end.min(other.end) }
    }

    /// Its first and its last moment.
    pub(super) const fn first_and_last(self) -> (i64, i64) {
        (self.start, if self.end == i64::MAX { i64::MAX } else { self.end - 1 })
    }

    /// Are all of these moments in it? `last` is one of them.
    pub(super) const fn holds(self, first: i64, last: i64) -> bool {
        self.start <= first && (last < self.end || self.end == i64::MAX)
    }

    /// Is any of these moments in it?
    pub(super) const fn meets(self, first: i64, last: i64) -> bool {
        (first < self.end || self.end == i64::MAX) && self.start <= last
    }

    /// The buckets that lie in it whole.
    pub(super) const fn whole_buckets(self, bucket: Bucket) -> Self {
        let down = bucket.start_of(self.end);
        let floor = bucket.start_of(self.start);
        let up = if floor == self.start { floor } else { floor.saturating_add(bucket.micros()) };
        Self {
            start: if self.start == i64::MIN { i64::MIN } else { up },
            end: if self.end == i64::MAX { i64::MAX } else { down },
        }
    }

    /// What of it is outside of another range: before it, after it.
    pub(super) fn outside_of(self, inner: Self) -> impl Iterator<Item = Self> {
        let (before, after) = if inner.is_empty() {
            (self, Self { start: 0, end: 0 })
        } else {
            let before = Self { start: self.start, end: self.end.min(inner.start) };
            (before, Self { start: self.start.max(inner.end), end: self.end })
        };
        [before, after].into_iter().filter(|part| !part.is_empty())
    }

    /// `at` is in it; `None` when that is always so.
    pub(super) fn as_filter(self) -> Option<Expr> {
        let moment = |micros| lit(ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into())));
        let from = (self.start != i64::MIN).then(|| col(AT).gt_eq(moment(self.start)));
        let until = (self.end != i64::MAX).then(|| col(AT).lt(moment(self.end)));
        match (from, until) {
            (Some(from), Some(until)) => Some(from.and(until)),
            (from, until) => from.or(until),
        }
    }
}

/// The range a condition restricts `at` to, exactly; `None` for any other condition.
pub(super) fn range_of(condition: &Expr) -> Option<Range> {
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            Some(range_of(left)?.and(range_of(right)?))
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match (left.as_ref(), right.as_ref()) {
            (time, Expr::Literal(moment, _)) if is_at(time) => compared(*op, nanos_of(moment)?),
            (Expr::Literal(moment, _), time) if is_at(time) => compared(op.swap()?, nanos_of(moment)?),
            _ => None,
        },
        Expr::Between(Between { expr, negated: false, low, high }) if is_at(expr) => {
            let (Expr::Literal(low, _), Expr::Literal(high, _)) = (low.as_ref(), high.as_ref()) else {
                return None;
            };
            let from = compared(Operator::GtEq, nanos_of(low)?)?;
            Some(from.and(compared(Operator::LtEq, nanos_of(high)?)?))
        }
        _ => None,
    }
}

/// The moments for which `at OP nanos` is true.
fn compared(operator: Operator, nanos: i128) -> Option<Range> {
    let micros = |whole: i128| i64::try_from(whole.clamp(i128::from(i64::MIN), i128::from(i64::MAX))).ok();
    let floor = nanos.div_euclid(1_000);
    let is_whole = nanos.rem_euclid(1_000) == 0;
    let ceiling = if is_whole { floor } else { floor + 1 };
    let all = Range::ALL;
    Some(match operator {
        Operator::GtEq => Range { start: micros(ceiling)?, ..all },
        Operator::Gt => Range { start: micros(floor + 1)?, ..all },
        Operator::Lt => Range { end: micros(ceiling)?, ..all },
        Operator::LtEq => Range { end: micros(floor + 1)?, ..all },
        Operator::Eq if is_whole => Range { start: micros(floor)?, end: micros(floor + 1)? },
        Operator::Eq => Range { start: 0, end: 0 },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = Bucket::Hour.micros();

    fn moment(nanos: i64) -> Expr {
        lit(ScalarValue::TimestampNanosecond(Some(nanos), None))
    }

    #[test]
    fn comparisons_with_parts_of_a_microsecond_are_exact() {
        let cases = [
            (col(AT).gt_eq(moment(1_500)), 2, i64::MAX),
            (col(AT).gt(moment(1_500)), 2, i64::MAX),
            (col(AT).gt(moment(2_000)), 3, i64::MAX),
            (col(AT).lt(moment(1_500)), i64::MIN, 2),
            (col(AT).lt(moment(2_000)), i64::MIN, 2),
            (col(AT).lt_eq(moment(2_000)), i64::MIN, 3),
            (col(AT).eq(moment(2_000)), 2, 3),
            (moment(2_000).lt_eq(col(AT)), 2, i64::MAX),
            (col(AT).between(moment(1_000), moment(2_000)), 1, 3),
        ];
        for (condition, start, end) in cases {
            assert_eq!(range_of(&condition), Some(Range { start, end }), "{condition}");
        }
        assert!(range_of(&col(AT).eq(moment(1_500))).is_some_and(Range::is_empty));
    }

    #[test]
    fn what_is_no_range_is_none() {
        for condition in [
            col(AT).not_eq(moment(0)),
            col("first_at").gt(moment(0)),
            col(AT).gt(moment(0)).or(col(AT).lt(moment(0))),
            col(AT).gt(moment(0)).and(col("branch").eq(lit("main"))),
            col(AT).not_between(moment(0), moment(1)),
        ] {
            assert_eq!(range_of(&condition), None, "{condition}");
        }
    }

    #[test]
    fn whole_buckets_and_what_is_left_at_the_ends_make_the_range() {
        let range = Range { start: 10, end: 3 * HOUR + 5 };
        let inner = range.whole_buckets(Bucket::Hour);
        assert_eq!(inner, Range { start: HOUR, end: 3 * HOUR });
        let left: Vec<Range> = range.outside_of(inner).collect();
        assert_eq!(left, [Range { start: 10, end: HOUR }, Range { start: 3 * HOUR, end: 3 * HOUR + 5 }]);
        assert_eq!(inner.whole_buckets(Bucket::Hour), inner);
        assert_eq!(Range::ALL.whole_buckets(Bucket::Day), Range::ALL);
        let short = Range { start: 10, end: 20 };
        let none = short.whole_buckets(Bucket::Hour);
        assert!(none.is_empty());
        assert_eq!(short.outside_of(none).collect::<Vec<_>>(), [short]);
    }
}
