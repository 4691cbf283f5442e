//! Where runs begin.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, downcast_primitive_array};
use datafusion::arrow::datatypes::DataType;

/// Finds the rows that differ from the one before them; the space it works in stays for the next batch.
#[derive(Debug, Default)]
pub(super) struct Starts {
    differs: Vec<bool>,
    starts: Vec<u32>,
}

impl Starts {
    /// The first rows of the runs of these columns, ascending. Rows of one run agree in every column; those of two runs
    /// beside each other may agree too. `None` where runs are so short that they do not pay, or a column is of a type that
    /// is not looked at.
    pub(super) fn of(&mut self, columns: &[ArrayRef]) -> Option<&[u32]> {
        let rows = columns.first()?.len();
        self.differs.clear();
        self.differs.resize(rows, false);
        *self.differs.first_mut()? = true;
        for column in columns {
            if !mark(column, &mut self.differs) {
                return None;
            }
        }
        let count = self.differs.iter().filter(|differs| **differs).count();
        if count > rows / 2 {
            return None;
        }
        self.starts.clear();
        self.starts.reserve(count);
        let rows = u32::try_from(rows).ok()?;
        self.starts.extend((0..rows).zip(&self.differs).filter(|(_, differs)| **differs).map(|(row, _)| row));
        Some(&self.starts)
    }
}

/// Marks the rows whose value is another than the one before; says whether it can.
fn mark(column: &ArrayRef, differs: &mut [bool]) -> bool {
    downcast_primitive_array! {
        // Numbers that are not equal to themselves begin a run each.
        column => mark_unequal(column.values(), differs),
        // Texts of one dictionary lie in one place, so equal ones have equal views.
        DataType::Utf8View => mark_unequal(column.as_string_view().views(), differs),
        DataType::Boolean => mark_unequal(&column.as_boolean().values().iter().collect::<Vec<_>>(), differs),
        DataType::Null => {}
        _ => return false
    }
    if let Some(nulls) = column.nulls().filter(|nulls| nulls.null_count() > 0) {
        // What lies beneath a null means nothing: another there is one too many, and does no harm.
        let valid: Vec<bool> = nulls.iter().collect();
        mark_unequal(&valid, differs);
    }
    true
}

fn mark_unequal<T: PartialEq>(values: &[T], differs: &mut [bool]) {
    let pairs = values.iter().zip(values.iter().skip(1));
    for (differs, (before, value)) in differs.iter_mut().skip(1).zip(pairs) {
        *differs |= before != value;
    }
}
