//! Files nobody needs any more, and when they may go.
//!
//! A segment that was merged away is removed when no snapshot of this process holds it and no reader in
//! another process has a pin. A file that was put in place for a transaction whose `COMMIT` failed is removed
//! only after a later commit has succeeded: until then a restart might still find that transaction whole.

use parking_lot::Mutex;

/// Files waiting to be removed, named relative to the data folder.
#[derive(Debug, Default)]
pub(crate) struct Garbage {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    unread: Vec<String>,
    doubtful: Vec<String>,
    unlisted: Vec<String>,
}

impl Garbage {
    /// A merged-away segment that no snapshot holds any more.
    pub(crate) fn add_unread(&self, file: String) {
        self.state.lock().unread.push(file);
    }

    /// A file whose transaction failed at its `COMMIT`.
    pub(crate) fn add_doubtful(&self, file: String) {
        self.state.lock().doubtful.push(file);
    }

    /// A commit succeeded: whatever failed before it is undone for good.
    pub(crate) fn settle_doubts(&self) {
        let mut state = self.state.lock();
        if !state.doubtful.is_empty() {
            let settled = std::mem::take(&mut state.doubtful);
            state.unlisted.extend(settled);
        }
    }

    /// Takes the files that were never listed and may go at once.
    pub(crate) fn take_unlisted(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unlisted)
    }

    /// Puts files back that could not be removed.
    pub(crate) fn put_back_unlisted(&self, files: Vec<String>) {
        self.state.lock().unlisted.extend(files);
    }

    /// Takes the merged-away files that no snapshot holds.
    pub(crate) fn take_unread(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unread)
    }

    /// Puts files back that could not be removed yet.
    pub(crate) fn put_back_unread(&self, files: Vec<String>) {
        self.state.lock().unread.extend(files);
    }
}
