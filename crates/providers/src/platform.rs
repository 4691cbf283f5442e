//! The names of operating systems and processors, brought to one form: `linux`, `windows`, `macos`; `x86_64`,
//! `aarch64`.

/// The operating system, as the tables name it.
pub(crate) fn os(name: &str) -> Option<String> {
    let lower = name.trim().to_ascii_lowercase();
    let known = match lower.as_str() {
        "" => return None,
        text if text.starts_with("linux") || text.starts_with("ubuntu") || text.starts_with("debian") => {
            "linux"
        }
        text if text.starts_with("windows") => "windows",
        text if text.starts_with("mac") || text.starts_with("darwin") || text.starts_with("osx") => "macos",
        other => other,
    };
    Some(known.to_owned())
}

/// The processor, as the tables name it.
pub(crate) fn arch(name: &str) -> Option<String> {
    let lower = name.trim().to_ascii_lowercase();
    let known = match lower.as_str() {
        "" => return None,
        "amd64" | "x64" | "x86-64" => "x86_64",
        "arm64" => "aarch64",
        other => other,
    };
    Some(known.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_has_one_name() {
        assert_eq!(os("Linux, version 6.8").as_deref(), Some("linux"));
        assert_eq!(os("darwin").as_deref(), Some("macos"));
        assert_eq!(os("freebsd").as_deref(), Some("freebsd"));
        assert_eq!(arch("amd64").as_deref(), Some("x86_64"));
        assert_eq!((os(" "), arch("")), (None, None));
    }
}
