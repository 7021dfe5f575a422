//! Which file of the project an import in another one loads.

use std::sync::Arc;

use crate::layout::{Files, path};
use crate::python::Modules;
use crate::python::tree::Module;

/// The project's files as Python sees them.
pub struct Imports<'f>(pub &'f dyn Files);

impl Modules for Imports<'_> {
    fn find(&self, from: &str, level: u32, module: &str) -> Option<(String, Arc<Module>)> {
        let path = locate(self.0.paths(), from, level, module)?;
        let module = self.0.python(&path)?;
        Some((path, module))
    }
}

/// The path of a module. Where Python looks depends on how the tool is started, which no file tells: an absolute import
/// is looked for from the importing file's directory up, in each directory and in its `src`; the nearest is taken.
fn locate(paths: &[String], from: &str, level: u32, module: &str) -> Option<String> {
    let place = module.replace('.', "/");
    let in_directory = |directory: &str| {
        let base = path::join(directory, &place);
        let module = if place.is_empty() {
            None
        } else {
            Some(format!("{base}.py"))
        };
        let package = path::join(base.trim_end_matches('/'), "__init__.py");
        module
            .into_iter()
            .chain([package])
            .find(|candidate| paths.binary_search(candidate).is_ok())
    };
    let mut directory = path::parent(from);
    if level > 0 {
        for _ in 1..level {
            directory = (!directory.is_empty()).then(|| path::parent(directory))?;
        }
        return in_directory(directory);
    }
    loop {
        let found = in_directory(directory).or_else(|| in_directory(&path::join(directory, "src")));
        if found.is_some() || directory.is_empty() {
            return found.filter(|found| found != from);
        }
        directory = path::parent(directory);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_found_where_python_would_look() {
        let mut paths: Vec<String> = [
            "app/__init__.py",
            "app/models.py",
            "app/db/types.py",
            "app/migrations/versions/a.py",
            "app/migrations/versions/b.py",
            "app/migrations/helpers/__init__.py",
            "src/lib/util.py",
        ]
        .map(str::to_owned)
        .to_vec();
        paths.sort();
        let from = "app/migrations/versions/a.py";
        for (level, module, expected) in [
            (0, "app.models", Some("app/models.py")),
            (0, "app", Some("app/__init__.py")),
            (0, "models", Some("app/models.py")),
            (0, "lib.util", Some("src/lib/util.py")),
            (1, "b", Some("app/migrations/versions/b.py")),
            (2, "helpers", Some("app/migrations/helpers/__init__.py")),
            (3, "db.types", Some("app/db/types.py")),
            (3, "", Some("app/__init__.py")),
            (9, "x", None),
            (0, "missing", None),
            (0, "a", None),
        ] {
            assert_eq!(
                locate(&paths, from, level, module).as_deref(),
                expected,
                "{level} {module}"
            );
        }
    }
}
