//! Files the pages need: compiled into the binary, served under an address that holds a hash of their content,
//! so that browsers may keep them for good and never show an old one.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest as _, Sha256};

struct Asset {
    name: &'static str,
    media_type: &'static str,
    content: &'static str,
}

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

static ASSETS: &[Asset] = &[
    Asset {
        name: "manometer.css",
        media_type: STYLE,
        content: concat!(
            include_str!("../../assets/css/base.css"),
            include_str!("../../assets/css/parts.css"),
            include_str!("../../assets/css/pages.css"),
        ),
    },
    Asset { name: "theme.js", media_type: SCRIPT, content: include_str!("../../assets/theme.js") },
    Asset { name: "manometer.js", media_type: SCRIPT, content: include_str!("../../assets/manometer.js") },
    Asset { name: "charts.js", media_type: SCRIPT, content: include_str!("../../assets/charts.js") },
    Asset { name: "sql.js", media_type: SCRIPT, content: include_str!("../../assets/sql.js") },
    Asset { name: "logo.svg", media_type: "image/svg+xml", content: include_str!("../../assets/logo.svg") },
    Asset {
        name: "uplot.js",
        media_type: SCRIPT,
        content: include_str!("../../assets/vendor/uplot/uPlot.iife.min.js"),
    },
    Asset {
        name: "uplot.css",
        media_type: STYLE,
        content: include_str!("../../assets/vendor/uplot/uPlot.min.css"),
    },
];

/// The assets' hashes, in the order of [`ASSETS`].
static HASHES: LazyLock<Vec<String>> = LazyLock::new(|| {
    ASSETS.iter().map(|asset| hex::encode(Sha256::digest(asset.content)).chars().take(12).collect()).collect()
});

/// The address of an asset. A name that does not exist gives an address that answers 404; a test renders every
/// page and follows every address.
pub(crate) fn address(name: &str) -> String {
    let hash = ASSETS.iter().position(|asset| asset.name == name).and_then(|position| HASHES.get(position));
    format!("/assets/{}/{name}", hash.map_or("none", String::as_str))
}

/// `GET /assets/{hash}/{name}`: the file. Under a hash that is not its own (an old page, a new binary) it is
/// served too, but not to be kept.
pub(crate) async fn get(Path((hash, name)): Path<(String, String)>) -> Response {
    let found = ASSETS.iter().zip(HASHES.iter()).find(|(asset, _)| asset.name == name);
    let Some((asset, current_hash)) = found else {
        return (StatusCode::NOT_FOUND, "no such asset\n").into_response();
    };
    let keep = if *current_hash == hash { "public, max-age=31536000, immutable" } else { "no-cache" };
    ([(header::CONTENT_TYPE, asset.media_type), (header::CACHE_CONTROL, keep)], asset.content).into_response()
}

/// `GET /favicon.ico`: browsers ask for it whatever the page says.
pub(crate) async fn favicon() -> Response {
    get(Path((String::new(), "logo.svg".to_owned()))).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_change_with_content_and_unknown_names_are_not_found() {
        let hashes: std::collections::BTreeSet<_> = HASHES.iter().collect();
        assert_eq!(hashes.len(), ASSETS.len());
        assert!(address("nothing.js").contains("/none/"));
    }

    #[tokio::test]
    async fn a_current_asset_is_kept_for_good_and_an_old_address_is_not() {
        let hash = HASHES[0].clone();
        let current = get(Path((hash, "manometer.css".to_owned()))).await;
        assert_eq!(current.headers()[header::CONTENT_TYPE], STYLE);
        assert!(current.headers()[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
        let old = get(Path(("0123".to_owned(), "manometer.css".to_owned()))).await;
        assert_eq!(old.headers()[header::CACHE_CONTROL], "no-cache");
        assert_eq!(
            get(Path(("x".to_owned(), "../Cargo.toml".to_owned()))).await.status(),
            StatusCode::NOT_FOUND
        );
    }
}
