//! Where the models are that an environment's `target_metadata` collects.

use std::sync::Arc;

use super::imports::Imports;
use crate::layout::{Files, PythonModule, path};
use crate::python::models::{Model, read};

/// Option of a directory of migrations: files or directories with models, with commas between.
pub(super) const OPTION: &str = "models";

/// Files without an `env.py` that imports them which are looked into.
const MAX: usize = 300;

/// The models: those in the files that are named, else those that `env.py` imports. A Flask application's `env.py` gets
/// them at run time; they are looked for beside it.
pub(super) fn of(files: &dyn Files, root: &str, named: Option<&String>) -> Vec<Model> {
    let roots: Vec<String> = match named {
        Some(named) => named
            .split(',')
            .map(|one| one.trim().trim_end_matches('/'))
            .flat_map(|one| python_at(files, one))
            .collect(),
        None => by_themselves(files, root),
    };
    let roots: Vec<(String, Arc<PythonModule>)> = roots
        .into_iter()
        .take(MAX)
        .filter_map(|path| {
            let module = files.python(&path)?;
            Some((path, module))
        })
        .collect();
    read(roots, &Imports(files))
}

/// A Python file, or those of a directory.
fn python_at(files: &dyn Files, place: &str) -> Vec<String> {
    let place = place.trim_start_matches("./");
    if files
        .paths()
        .binary_search_by(|path| path.as_str().cmp(place))
        .is_ok()
    {
        return vec![place.to_owned()];
    }
    path::below(files.paths(), place)
        .filter(|path| path::is_python(path))
        .cloned()
        .collect()
}

fn by_themselves(files: &dyn Files, root: &str) -> Vec<String> {
    let above = if root.is_empty() {
        ""
    } else {
        path::parent(root)
    };
    let beside = [
        path::resolve(root, "env.py"),
        path::resolve(above, "env.py"),
    ];
    let env = beside
        .into_iter()
        .flatten()
        .find_map(|path| files.text(&path).map(|text| (path, text)));
    match env {
        Some((_, text)) if text.contains("current_app") => {
            let is_of_models = |path: &String| {
                let directory = path::parent(path);
                path::file_name(path) == "models.py" || path::file_name(directory) == "models"
            };
            path::below(files.paths(), above)
                .filter(|path| path::is_python(path) && is_of_models(path))
                .cloned()
                .collect()
        }
        Some((path, _)) => vec![path],
        None => Vec::new(),
    }
}
