//! Names of files that bundlers write, without the hash that changes with every build.

/// What stands for a hash.
const HASH: &str = "[hash]";

/// Length of the hash in the names of Rollup and Vite.
const ROLLUP_LENGTH: usize = 8;

/// A name with each of the given hashes taken out.
pub(super) fn without(name: &str, hashes: &[String]) -> String {
    let mut plain = name.to_owned();
    for hash in hashes.iter().filter(|hash| hash.len() >= 4) {
        plain = plain.replace(hash.as_str(), HASH);
    }
    plain
}

/// `assets/index-BHthyjrg.js` as `assets/index-[hash].js`: what Rollup puts before the ending, eight characters of
/// base64url after `-` or `.`, of which one is no lowercase letter.
pub(super) fn without_rollup_hash(name: &str) -> String {
    let folder = name.rfind('/').map_or(0, |slash| slash + 1);
    let dots = name.match_indices('.').map(|(dot, _)| dot).filter(|dot| *dot >= folder);
    for end in dots.chain([name.len()]) {
        let Some(start) = end.checked_sub(ROLLUP_LENGTH) else { continue };
        let (Some(before), Some(hash), Some(after)) =
            (name.get(folder..start), name.get(start..end), name.get(end..))
        else {
            continue;
        };
        if before.ends_with(['-', '.']) && is_hash(hash) {
            let kept = name.get(..start).unwrap_or_default();
            return format!("{kept}{HASH}{after}");
        }
    }
    name.to_owned()
}

fn is_hash(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        && text.bytes().any(|byte| !byte.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_with_every_build_is_taken_out() {
        let hashes = ["147aaa5f9ec0a7e4cbdd".to_owned(), "x".to_owned()];
        assert_eq!(without("main.147aaa5f9ec0a7e4cbdd.js.map", &hashes), "main.[hash].js.map");
        assert_eq!(without("index.js", &hashes), "index.js");
        for (name, plain) in [
            ("assets/index-BHthyjrg.js", "assets/index-[hash].js"),
            ("assets/stock-D_ATLcKa.js", "assets/stock-[hash].js"),
            ("assets/index-a-bCdE12.css", "assets/index-[hash].css"),
            ("assets/index.BHthyjrg.js.map", "assets/index.[hash].js.map"),
            ("cart-checkout.js", "cart-checkout.js"),
            ("v-1.2-BHthyjrg/a.js", "v-1.2-BHthyjrg/a.js"),
            ("BHthyjrg.js", "BHthyjrg.js"),
            ("äöüäöü-äöü.js", "äöüäöü-äöü.js"),
        ] {
            assert_eq!(without_rollup_hash(name), plain);
        }
    }
}
