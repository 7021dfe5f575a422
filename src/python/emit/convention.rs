//! Names that SQLAlchemy makes: by the project's naming convention or its built-in one, shortened where too long.

use crate::python::text::Text;

use super::md5::md5;
use super::{Emitter, Result, fail};

/// Longest identifier of PostgreSQL, in bytes; SQLAlchemy counts characters.
const MAX_NAME: usize = 63;

/// Kinds and templates of a `MetaData(naming_convention=…)`: `("uq", "uq_%(table_name)s_%(column_0_name)s")`.
pub type Convention = [(String, String)];

/// What a name is for; its keys in a convention, the class's name first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Index,
    Unique,
    Check,
    ForeignKey,
    PrimaryKey,
    /// Has no key of its own.
    Exclude,
}

impl Kind {
    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Index => &["Index", "ix"],
            Self::Unique => &["UniqueConstraint", "uq"],
            Self::Check => &["CheckConstraint", "ck"],
            Self::ForeignKey => &["ForeignKeyConstraint", "fk"],
            Self::PrimaryKey => &["PrimaryKeyConstraint", "pk"],
            Self::Exclude => &[],
        }
    }
}

/// What the tokens of a template are filled with.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct About<'t> {
    pub(super) columns: &'t [Text],
    /// Table and columns that a foreign key points to.
    pub(super) referred: Option<(&'t Text, &'t [Text])>,
}

impl Emitter {
    /// The name of a constraint or index of the table at hand, given the name that the revision writes.
    pub(super) fn name(
        &mut self,
        kind: Kind,
        given: Option<Text>,
        about: About<'_>,
    ) -> Result<Option<Text>> {
        if given.as_ref().is_some_and(Text::is_final) {
            return given.map(|name| self.shortened(name)).transpose();
        }
        let template = match &self.convention {
            // Without a convention of the project, SQLAlchemy's own names indexes.
            None => (kind == Kind::Index).then(|| "ix_%(column_0_label)s".to_owned()),
            Some(convention) => kind.keys().iter().find_map(|key| {
                let found = convention.iter().find(|(known, _)| known == key);
                found.map(|(_, template)| template.clone())
            }),
        };
        match (template, given) {
            (Some(template), given) if given.is_none() || template.contains("constraint_name") => {
                let name = self.fill(&template, given.as_ref(), about)?;
                self.shortened(name.into_final()).map(Some)
            }
            (_, Some(given)) => self.shortened(given).map(Some),
            (_, None) => Ok(None),
        }
    }

    fn fill(&mut self, template: &str, given: Option<&Text>, about: About<'_>) -> Result<Text> {
        let mut out = Text::default();
        let mut rest = template;
        while let Some(at) = rest.find('%') {
            out.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('%') {
                out.push_str("%");
                rest = after;
                continue;
            }
            let token = rest
                .strip_prefix('(')
                .and_then(|rest| rest.split_once(")s"));
            let Some((token, after)) = token else {
                return fail("the naming convention is not followed");
            };
            match (token, given) {
                ("constraint_name", Some(given)) => out.push(given),
                ("constraint_name", None) => {
                    return fail(
                        "the naming convention holds `%(constraint_name)s`, and the constraint has no name",
                    );
                }
                _ => match self.token(token, about) {
                    Some(text) => out.push_str(&text),
                    // A function of the project.
                    None => {
                        self.approximate = true;
                        out.push_str(super::UNKNOWN_TYPE);
                    }
                },
            }
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }

    /// `column_0_name`, `column_0_N_label`, `referred_table_name` …; `None` for others.
    fn token(&self, token: &str, about: About<'_>) -> Option<String> {
        match token {
            "table_name" => return Some(self.table.as_str().to_owned()),
            "referred_table_name" => return Some(about.referred?.0.as_str().to_owned()),
            _ => {}
        }
        let (columns, rest) = match token.strip_prefix("referred_") {
            Some(rest) => (about.referred?.1, rest),
            None => (about.columns, token),
        };
        let rest = rest.strip_prefix("column_")?;
        let (place, what) = rest.rsplit_once('_')?;
        let shown = |column: &Text| match what {
            "name" | "key" => Some(column.as_str().to_owned()),
            "label" => {
                let schema = self
                    .schema
                    .as_ref()
                    .map(|schema| format!("{}_", schema.as_str().replace('.', "_")))
                    .unwrap_or_default();
                Some(format!(
                    "{schema}{}_{}",
                    self.table.as_str(),
                    column.as_str()
                ))
            }
            _ => None,
        };
        if let Some(first) = place.strip_suffix('N') {
            let (first, separator) = match first.strip_suffix('_') {
                Some(first) => (first, "_"),
                None => (first, ""),
            };
            first.parse::<usize>().ok()?;
            let all: Option<Vec<String>> = columns.iter().map(shown).collect();
            return Some(all?.join(separator));
        }
        let place: usize = place.parse().ok()?;
        match columns.get(place) {
            Some(column) => shown(column),
            None => Some(String::new()),
        }
    }

    /// The name, cut and marked with a hash where it is too long and made by a convention; a longer one that was
    /// written out is refused.
    fn shortened(&mut self, name: Text) -> Result<Text> {
        let text = name.as_str();
        if text.chars().count() <= MAX_NAME {
            return Ok(name);
        }
        if !name.is_final() {
            let message = format!(
                "the name `{text}` is longer than {MAX_NAME} characters, and SQLAlchemy refuses it"
            );
            return self.refused(message, "give it a shorter name");
        }
        let kept: String = text.chars().take(MAX_NAME - 8).collect();
        let hash = md5(text.as_bytes());
        let end: String = hash[14..]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Ok(Text::from(format!("{kept}_{end}")).into_final())
    }
}
