//! The definitions of all objects of a database, as the server prints them. Majors print some views differently.

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::session::Session;
use crate::probe::{Ask as _, Refused, RefusedKind};
use crate::snapshot::SchemaObject;

const SQL: &str = include_str!("queries/catalog.sql");

/// One object.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Object {
    /// `table`, `column`, `index` …
    pub(super) kind: String,
    /// Its full name, quoted where SQL needs it.
    pub(super) name: String,
    /// How PostgreSQL prints it; none while somebody keeps its table locked.
    pub(super) definition: Option<String>,
}

/// All of them, sorted by kind and name.
pub(super) fn read(session: &mut Session) -> Result<Vec<Object>, Refused> {
    let rows = session.ask(None, SQL, None)?;
    let mut objects: Vec<Object> = serde_json::from_str(&rows).map_err(|error| Refused {
        kind: RefusedKind::Other,
        message: format!("its answer is not the expected one: {error}"),
    })?;
    objects.sort_by(|a, b| (&a.kind, &a.name).cmp(&(&b.kind, &b.name)));
    Ok(objects)
}

/// What a snapshot holds of them: definitions may contain constants, their hashes do not tell which.
pub(super) fn hashed(objects: &[Object]) -> Vec<SchemaObject> {
    objects
        .iter()
        .map(|object| SchemaObject {
            kind: object.kind.clone(),
            name: object.name.clone(),
            fingerprint: object.definition.as_deref().map(|text| hash([text])),
        })
        .collect()
}

/// One hash for all; none if one of them is not known.
pub(super) fn fingerprint(objects: &[SchemaObject]) -> Option<String> {
    let all: Option<Vec<&str>> = objects
        .iter()
        .flat_map(|object| {
            [
                Some(object.kind.as_str()),
                Some(object.name.as_str()),
                object.fingerprint.as_deref(),
            ]
        })
        .collect();
    all.map(hash)
}

/// The first 16 bytes of the SHA-256 of texts, each with its end.
fn hash<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut digest = Sha256::new();
    for text in texts {
        digest.update(text);
        digest.update([0]);
    }
    digest.finalize()[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
