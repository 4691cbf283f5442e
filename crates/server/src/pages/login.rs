//! `GET /login`: the form. What it sends is taken by [`crate::login`].

use super::asked::Asked;
use super::layout::Section;
use super::refusal::{PageResult, render};
use super::shown::plain_text;
use super::view::login::LoginPage;

/// The form, with a word on a failed attempt.
pub(crate) async fn get(asked: Asked) -> PageResult {
    let refusal = asked
        .text("failed")
        .map(|_| "That token is not known here, has expired, was revoked, or lacks the scope `query`.");
    let next = plain_text(asked.text("next").unwrap_or("/"));
    render(&LoginPage { layout: asked.layout("Sign in", Section::Other), refusal, next })
}
