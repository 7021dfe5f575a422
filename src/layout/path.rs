//! Paths inside a project: relative to its root, with `/`, the root itself empty.

/// The name without its directory.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// The directory of a path; empty for what lies in the root.
pub(super) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// A name in a directory as a path.
pub(super) fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() {
        name.to_owned()
    } else {
        format!("{directory}/{name}")
    }
}

/// The name without its last extension.
pub(super) fn stem(file: &str) -> &str {
    file.rsplit_once('.').map_or(file, |(stem, _)| stem)
}

/// The SQL files that lie in a directory itself.
pub(super) fn sql_in(paths: &[String], directory: &str) -> Vec<String> {
    below(paths, directory)
        .filter(|path| parent(path) == directory && is_sql(path))
        .cloned()
        .collect()
}

/// True if `path` is `directory` or lies below it.
pub(super) fn is_inside(path: &str, directory: &str) -> bool {
    directory.is_empty()
        || path
            .strip_prefix(directory)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The files below a directory; paths are sorted, so these stand together.
pub(super) fn below<'a>(paths: &'a [String], directory: &str) -> impl Iterator<Item = &'a String> {
    let prefix = if directory.is_empty() {
        String::new()
    } else {
        format!("{directory}/")
    };
    let first = paths.partition_point(|path| *path < prefix);
    paths[first..]
        .iter()
        .take_while(move |path| path.starts_with(&prefix))
}

/// `relative` as seen from `base`, without `.` and `..`. None if it leaves the project or is absolute.
pub(super) fn resolve(base: &str, relative: &str) -> Option<String> {
    let relative = relative.replace('\\', "/");
    if relative.starts_with('/') || relative.as_bytes().get(1) == Some(&b':') {
        return None;
    }
    let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The file's extension, lower case.
pub(super) fn extension(path: &str) -> Option<String> {
    let (stem, extension) = file_name(path).rsplit_once('.')?;
    (!stem.is_empty()).then(|| extension.to_ascii_lowercase())
}

/// True for a name that ends in `.sql`, in any case.
pub(super) fn is_sql(path: &str) -> bool {
    extension(path).is_some_and(|extension| extension == "sql")
}

/// True for a name that ends in `.py`; Python knows no other case.
pub(super) fn is_python(path: &str) -> bool {
    file_name(path)
        .rsplit_once('.')
        .is_some_and(|(_, extension)| extension == "py")
}

/// The directories of the paths and all directories above them, sorted, each once, the root included.
pub(super) fn directories<'a>(paths: impl IntoIterator<Item = &'a String>) -> Vec<&'a str> {
    let mut all = std::collections::BTreeSet::from([""]);
    for path in paths {
        let mut directory = parent(path);
        while all.insert(directory) {
            directory = parent(directory);
        }
    }
    all.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_are_resolved_inside_the_project() {
        assert_eq!(resolve("a/b", "./c"), Some("a/b/c".to_owned()));
        assert_eq!(resolve("a/b", "../c/"), Some("a/c".to_owned()));
        assert_eq!(resolve("a", "."), Some("a".to_owned()));
        assert_eq!(resolve("", ".."), None);
        assert_eq!(resolve("", "/etc"), None);
        assert_eq!(resolve("", "C:\\x"), None);
    }

    #[test]
    fn a_directory_is_inside_itself_and_not_inside_its_namesake() {
        assert!(is_inside("a/b", "a/b"));
        assert!(is_inside("a/b/c", "a/b"));
        assert!(is_inside("a", ""));
        assert!(!is_inside("a/bc", "a/b"));
    }

    #[test]
    fn directories_include_those_that_hold_only_directories() {
        let paths = ["a/b/c.sql".to_owned(), "d.sql".to_owned()];
        assert_eq!(directories(&paths), ["", "a", "a/b"]);
    }
}
