//! `/login`: handing over a token, where the server wants one.

use askama::Template;

use crate::pages::layout::{Layout, Section};

/// The page.
#[derive(Debug, Template)]
#[template(path = "login.html")]
pub(crate) struct LoginPage {
    pub(crate) layout: Layout,
    /// Why the last attempt failed.
    pub(crate) refusal: Option<&'static str>,
    /// Where to go afterwards, a path of this server.
    pub(crate) next: String,
}
