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

/// Operating system and processor, where the labels of a runner or a job name them: `ubuntu-24.04-arm`, `self-hosted`,
/// `Linux`, `X64`. Only whole words count: a `machine` is no `mac`.
pub(crate) fn of_labels(labels: &[String]) -> (Option<String>, Option<String>) {
    let words = || labels.iter().flat_map(|label| label.split(['-', '/'])).map(str::to_ascii_lowercase);
    let system = |word: String| match word.as_str() {
        "linux" | "ubuntu" | "debian" => Some("linux"),
        "windows" => Some("windows"),
        "macos" | "osx" | "darwin" => Some("macos"),
        _ => None,
    };
    let processor = |word: String| match word.as_str() {
        "x64" | "amd64" | "x86_64" => Some("x86_64"),
        "arm64" | "aarch64" | "arm" => Some("aarch64"),
        _ => None,
    };
    (words().find_map(system).map(str::to_owned), words().find_map(processor).map(str::to_owned))
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

    #[test]
    fn labels_name_systems_and_processors_by_whole_words() {
        let of =
            |labels: &[&str]| of_labels(&labels.iter().map(|label| (*label).to_owned()).collect::<Vec<_>>());
        let known = |os: &str, arch: &str| (Some(os.to_owned()), Some(arch.to_owned()));
        assert_eq!(of(&["ubuntu-24.04-arm"]), known("linux", "aarch64"));
        assert_eq!(of(&["self-hosted", "Windows", "X64"]), known("windows", "x86_64"));
        assert_eq!(of(&["machine", "armory", "win"]), (None, None));
    }
}
