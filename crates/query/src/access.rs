//! Whose rows a query may see.

use std::collections::BTreeSet;

/// Which projects a query may see. It is enforced inside the tables, so no SQL gets around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Every row of every table.
    All,
    /// Only rows whose `project` is in the set; rows without a project are not visible.
    Projects(BTreeSet<String>),
}

impl Access {
    /// Access to the named projects alone.
    pub fn projects<I, S>(names: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        Self::Projects(names.into_iter().map(Into::into).collect())
    }

    /// May rows of this project be seen? A row without a project is `None`.
    pub fn may_see(&self, project: Option<&str>) -> bool {
        match self {
            Self::All => true,
            Self::Projects(allowed) => project.is_some_and(|name| allowed.contains(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_without_a_project_is_seen_by_full_access_only() {
        assert!(Access::All.may_see(None));
        assert!(!Access::projects(["shop"]).may_see(None));
        assert!(!Access::projects([""]).may_see(None));
        assert!(Access::projects(["shop"]).may_see(Some("shop")));
        assert!(!Access::projects(["shop"]).may_see(Some("Shop")));
    }
}
