//! Changes of existing tables and columns.

use crate::python::revision::Trap;
use crate::python::text::Text;
use crate::python::value::{Args, Value};

use super::name::{ident, literal, qualified};
use super::{Emitter, Given, Result, concat, needed, optional, sqlalchemy};

/// Keywords of `alter_column` that give no SQL on PostgreSQL.
const SILENT: &[&str] = &[
    "existing_type",
    "existing_server_default",
    "existing_nullable",
    "existing_comment",
    "existing_autoincrement",
    "autoincrement",
    "insert_before",
    "insert_after",
];

/// The arguments of `Identity(..)`, if the value is one.
pub(super) fn identity<'v, 'a>(value: &'v Value<'a>) -> Option<&'v Args<'a>> {
    value
        .as_call()
        .filter(|(path, ..)| sqlalchemy(path) == Some("Identity"))
        .map(|(_, args, _)| args)
}

impl Emitter {
    pub(super) fn alter_column(&mut self, args: &mut Given<'_, '_>) -> Result<Vec<Text>> {
        let table = args.table("table_name")?;
        let column = needed(args.next("column_name"), "column_name")?;
        let schema = args.schema("schema")?;
        let nullable = args.flag("nullable")?;
        let kind = args
            .named("type_")
            .filter(|value| !matches!(value, Value::None));
        let using = args
            .named("postgresql_using")
            .filter(|value| !matches!(value, Value::None));
        let default = args
            .named("server_default")
            .filter(|value| !matches!(value, Value::Bool(false)));
        let comment = args
            .named("comment")
            .filter(|value| !matches!(value, Value::Bool(false)));
        let renamed = optional(args.named("new_column_name"), "new_column_name")?;
        for name in SILENT {
            args.named(name);
        }
        let unknown: Vec<&str> = args
            .unknown()
            .filter(|name| !super::constraint::is_dialect_keyword(name))
            .collect();
        for name in unknown {
            let meant = match name {
                "default" => "write `server_default=…`, which the database keeps",
                "type" => "write `type_=…`, with the underscore",
                "name" => "write `new_column_name=…`",
                _ => "remove it, or write the keyword that was meant",
            };
            self.problem(
                Trap::IgnoredArgument,
                format!("`alter_column` ignores `{name}=…`, and nothing is sent for it"),
                meant,
            );
        }
        let table = qualified(schema.as_ref(), &table, true);
        let alter = concat(&[
            &"ALTER TABLE ",
            &table,
            &" ALTER COLUMN ",
            &ident(&column),
            &" ",
        ]);
        let mut out = Vec::new();
        if let Some(kind) = kind {
            let kind = self.type_name(kind)?;
            let mut statement = concat(&[&alter, &"TYPE ", &kind]);
            if let Some(using) = using {
                let using = needed(Some(using), "postgresql_using")?;
                statement = concat(&[&statement, &" USING ", &using]);
            }
            out.push(statement);
        } else if using.is_some() {
            return self.refused(
                "`alter_column` refuses `postgresql_using` without `type_`",
                "give the type as well",
            );
        }
        if let Some(nullable) = nullable {
            out.push(concat(&[
                &alter,
                &if nullable {
                    "DROP NOT NULL"
                } else {
                    "SET NOT NULL"
                },
            ]));
        }
        if let Some(default) = default {
            let existing = args.args.named("existing_server_default");
            out.push(self.alter_default(&alter, default, existing)?);
        }
        if let Some(comment) = comment {
            let text = match optional(Some(comment), "comment")? {
                Some(comment) => literal(&comment),
                None => "NULL".into(),
            };
            out.push(concat(&[
                &"COMMENT ON COLUMN ",
                &table,
                &".",
                &ident(&column),
                &" IS ",
                &text,
            ]));
        }
        if let Some(renamed) = renamed {
            out.push(concat(&[
                &"ALTER TABLE ",
                &table,
                &" RENAME ",
                &ident(&column),
                &" TO ",
                &ident(&renamed),
            ]));
        }
        Ok(out)
    }

    fn alter_default(
        &mut self,
        alter: &Text,
        default: &Value<'_>,
        existing: Option<&Value<'_>>,
    ) -> Result<Text> {
        let computed = |value: &Value<'_>| {
            value
                .as_call()
                .is_some_and(|(path, ..)| sqlalchemy(path) == Some("Computed"))
        };
        if computed(default) || existing.is_some_and(computed) {
            return self.refused(
                "an existing column cannot become a generated one, nor the reverse, and Alembic refuses it",
                "drop the column and add it anew",
            );
        }
        let was_identity = existing.and_then(identity);
        match (default, identity(default), was_identity) {
            (Value::None, _, Some(_)) => Ok(concat(&[alter, &"DROP IDENTITY"])),
            (_, Some(now), Some(before)) => self.alter_identity(alter, now, before),
            (_, Some(now), None) => {
                if !matches!(existing, Some(Value::None)) {
                    // Without this argument Alembic before 1.20 compares with nothing and prints no action at all.
                    self.problem(
                        Trap::Refused,
                        "`server_default=sa.Identity()` without `existing_server_default` is a broken statement before Alembic 1.20",
                        "add `existing_server_default=None`",
                    );
                    self.approximate = true;
                }
                Ok(concat(&[alter, &"ADD ", &self.identity_clause(now)?]))
            }
            (Value::None, ..) => Ok(concat(&[alter, &"DROP DEFAULT"])),
            _ => Ok(concat(&[
                alter,
                &"SET DEFAULT ",
                &self.server_default(default)?,
            ])),
        }
    }

    fn alter_identity(&mut self, alter: &Text, now: &Args<'_>, before: &Args<'_>) -> Result<Text> {
        let mut out = alter.clone();
        let truth = |args: &Args<'_>| {
            args.get(0, "always")
                .and_then(Value::truth)
                .unwrap_or(false)
        };
        // Alembic walks the changed attributes by name.
        for name in [
            "always",
            "cache",
            "cycle",
            "increment",
            "maxvalue",
            "minvalue",
            "nomaxvalue",
            "nominvalue",
            "start",
        ] {
            if name == "always" {
                if truth(now) != truth(before) {
                    out.push_str(if truth(now) {
                        "SET GENERATED ALWAYS "
                    } else {
                        "SET GENERATED BY DEFAULT "
                    });
                }
                continue;
            }
            let (new, old) = (now.named(name), before.named(name));
            let same = match (new, old) {
                (Some(new), Some(old)) => new.equals(old) == Some(true),
                (None, None) => true,
                _ => false,
            };
            if let (false, Some(new)) = (same, new) {
                let only = Args {
                    kw: vec![(name.to_owned(), new.clone())],
                    ..Args::default()
                };
                out.push_str(&format!("SET {} ", self.sequence_options(&only, 2)));
            }
        }
        Ok(out)
    }

    /// `GENERATED .. AS IDENTITY (..)`.
    pub(super) fn identity_clause(&mut self, args: &Args<'_>) -> Result<String> {
        let always = super::flag(args.get(0, "always"), "always")? == Some(true);
        let word = if always { "ALWAYS" } else { "BY DEFAULT" };
        let options = self.sequence_options(args, 2);
        Ok(if options.is_empty() {
            format!("GENERATED {word} AS IDENTITY")
        } else {
            format!("GENERATED {word} AS IDENTITY ({options})")
        })
    }

    pub(super) fn drop_column(&mut self, args: &mut Given<'_, '_>) -> Result<Vec<Text>> {
        let table = args.table("table_name")?;
        let column = needed(args.next("column_name"), "column_name")?;
        let schema = args.schema("schema")?;
        let guard = if args.flag("if_exists")? == Some(true) {
            "IF EXISTS "
        } else {
            ""
        };
        let table = qualified(schema.as_ref(), &table, true);
        Ok(vec![concat(&[
            &"ALTER TABLE ",
            &table,
            &" DROP COLUMN ",
            &guard,
            &ident(&column),
        ])])
    }

    pub(super) fn drop_table(&mut self, args: &mut Given<'_, '_>) -> Result<Vec<Text>> {
        let table = args.table("table_name")?;
        let schema = args.schema("schema")?;
        let guard = if args.flag("if_exists")? == Some(true) {
            "IF EXISTS "
        } else {
            ""
        };
        Ok(vec![concat(&[
            &"DROP TABLE ",
            &guard,
            &qualified(schema.as_ref(), &table, false),
        ])])
    }

    pub(super) fn rename_table(&mut self, args: &mut Given<'_, '_>) -> Result<Vec<Text>> {
        let table = needed(args.next("old_table_name"), "old_table_name")?;
        let renamed = needed(args.next("new_table_name"), "new_table_name")?;
        let schema = args.schema("schema")?;
        let table = qualified(schema.as_ref(), &table, true);
        Ok(vec![concat(&[
            &"ALTER TABLE ",
            &table,
            &" RENAME TO ",
            &ident(&renamed),
        ])])
    }

    pub(super) fn table_comment(
        &mut self,
        args: &mut Given<'_, '_>,
        create: bool,
    ) -> Result<Vec<Text>> {
        let table = args.table("table_name")?;
        let comment = if create {
            optional(args.next("comment"), "comment")?
        } else {
            None
        };
        let schema = args.schema("schema")?;
        let table = qualified(schema.as_ref(), &table, false);
        let text = comment.map_or_else(|| Text::from("NULL"), |comment| literal(&comment));
        Ok(vec![concat(&[
            &"COMMENT ON TABLE ",
            &table,
            &" IS ",
            &text,
        ])])
    }
}
