//! The operations of `alembic_utils`: functions, views, triggers, policies, extensions and grants as objects.

use crate::python::text::Text;
use crate::python::value::{Args, Value};

use super::{Emitter, Given, Part, Result, concat, fail, flag, needed};

/// What is done with an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Create,
    Replace,
    Drop,
}

/// A name in double quotes, as the library writes every name.
pub(super) fn quoted(name: &Text) -> Text {
    concat(&[&"\"", name, &"\""])
}

/// A name without the double quotes that it may be given in.
fn bare(name: &Text) -> Text {
    name.trim(None, true, true).trim(Some("\""), true, true)
}

/// A definition without the semicolon behind it.
fn body(args: &Args<'_>) -> Result<Text> {
    let text = needed(args.get(2, "definition"), "definition")?;
    Ok(text
        .trim(None, true, true)
        .trim(Some(";"), false, true)
        .trim(None, true, true))
}

impl Emitter {
    pub(super) fn entity(&mut self, args: &mut Given<'_, '_>, action: Action) -> Result<Vec<Text>> {
        let Some(target) = args.next("target") else {
            return fail("no entity was given");
        };
        let cascade = if action == Action::Drop
            && flag(args.args.get(1, "cascade"), "cascade")? == Some(true)
        {
            " CASCADE"
        } else {
            ""
        };
        let Some((path, entity, _)) = target
            .as_call()
            .filter(|(path, ..)| path.starts_with("alembic_utils."))
        else {
            return fail(format!("the entity is not known: {}", target.describe()));
        };
        let schema = bare(&needed(entity.get(0, "schema"), "schema")?);
        let class = path.rsplit('.').next().unwrap_or(path);
        if class == "PGGrantTable" {
            return grant(&schema, entity, action);
        }
        let signature = bare(&needed(entity.get(1, "signature"), "signature")?);
        let full = concat(&[&quoted(&schema), &".", &quoted(&signature)]);
        match class {
            "PGFunction" => function(&schema, &signature, entity, action, cascade),
            "PGView" => self.view(&full, entity, action, cascade),
            "PGMaterializedView" => self.materialized_view(&full, entity, action, cascade),
            "PGTrigger" => trigger(&schema, &signature, entity, action, cascade),
            "PGPolicy" => policy(&signature, entity, action, cascade),
            "PGExtension" => match action {
                Action::Create => Ok(vec![concat(&[
                    &"CREATE EXTENSION ",
                    &quoted(&signature),
                    &" WITH SCHEMA ",
                    &quoted(&schema),
                ])]),
                Action::Drop => Ok(vec![concat(&[
                    &"DROP EXTENSION ",
                    &quoted(&signature),
                    &cascade,
                ])]),
                Action::Replace => fail("alembic_utils cannot replace an extension"),
            },
            _ => fail(format!("`{path}` is not followed")),
        }
    }

    fn view(
        &mut self,
        name: &Text,
        entity: &Args<'_>,
        action: Action,
        cascade: &str,
    ) -> Result<Vec<Text>> {
        if action == Action::Drop {
            return Ok(vec![concat(&[&"DROP VIEW ", name, &cascade.to_owned()])]);
        }
        let body = self.bind_text(&body(entity)?, None);
        let create = concat(&[&"VIEW ", name, &" AS ", &body]);
        Ok(vec![if action == Action::Create {
            concat(&[&"CREATE ", &create])
        } else {
            // Should the columns not fit, the view is dropped and made anew.
            concat(&[
                &"do $$ begin CREATE OR REPLACE ",
                &create,
                &"; exception when others then DROP VIEW IF EXISTS ",
                name,
                &"; CREATE ",
                &create,
                &"; end; $$ language 'plpgsql'",
            ])
        }])
    }

    fn materialized_view(
        &mut self,
        name: &Text,
        entity: &Args<'_>,
        action: Action,
        cascade: &str,
    ) -> Result<Vec<Text>> {
        if action == Action::Drop {
            let cascade = cascade.to_owned();
            return Ok(vec![concat(&[&"DROP MATERIALIZED VIEW ", name, &cascade])]);
        }
        let body = self.bind_text(&body(entity)?, None);
        let filled = flag(entity.get(3, "with_data"), "with_data")? != Some(false);
        let create = concat(&[
            &"CREATE MATERIALIZED VIEW ",
            name,
            &" AS ",
            &body,
            &if filled {
                " WITH DATA"
            } else {
                " WITH NO DATA"
            },
        ]);
        Ok(if action == Action::Create {
            vec![create]
        } else {
            let drop = concat(&[&"DROP MATERIALIZED VIEW IF EXISTS ", name]);
            vec![drop, create]
        })
    }
}

fn function(
    schema: &Text,
    signature: &Text,
    entity: &Args<'_>,
    action: Action,
    cascade: &str,
) -> Result<Vec<Text>> {
    let text = signature.as_str();
    let Some(open) = text.find('(') else {
        return fail("the signature of a function needs parentheses");
    };
    let name = concat(&[
        &quoted(schema),
        &".",
        &quoted(&signature.slice(0, open).trim(None, true, true)),
    ]);
    if action == Action::Drop {
        // The library looks for the word, wherever it stands, and takes what is in front of it.
        let parameters: Vec<String> = text[open + 1..]
            .rsplit_once(')')
            .map_or("", |(inside, _)| inside)
            .split(',')
            .map(|parameter| {
                let end = parameter
                    .to_ascii_lowercase()
                    .find("default")
                    .unwrap_or(parameter.len());
                parameter[..end].trim().to_owned()
            })
            .collect();
        return Ok(vec![concat(&[
            &"DROP FUNCTION ",
            &name,
            &"(",
            &parameters.join(", "),
            &")",
            &cascade.to_owned(),
        ])]);
    }
    let head = if action == Action::Create {
        "CREATE FUNCTION "
    } else {
        "CREATE OR REPLACE FUNCTION "
    };
    let arguments = signature.slice(open, text.len());
    // Colons are escaped for it: nothing in a body is a bind parameter. In PL/pgSQL, those that are already stay so.
    let mut body = body(entity)?;
    let words: Vec<&str> = body.as_str().split_whitespace().collect();
    let words = words.join(" ").to_lowercase().replace('\'', "");
    if words.contains("language plpgsql") {
        body = body.replace("\\:", &Text::from(":"));
    }
    Ok(vec![concat(&[&head, &name, &arguments, &" ", &body])])
}

fn on_entity(entity: &Args<'_>) -> Result<Text> {
    let table = needed(entity.get(3, "on_entity"), "on_entity")?;
    let table = table.replace("\"", &Text::default());
    Ok(if table.as_str().contains('.') {
        table
    } else {
        concat(&[&"public.", &table])
    })
}

fn trigger(
    schema: &Text,
    name: &Text,
    entity: &Args<'_>,
    action: Action,
    cascade: &str,
) -> Result<Vec<Text>> {
    let table = on_entity(entity)?;
    let name = quoted(name);
    let dropped = |guard: &str, cascade: &str| {
        concat(&[
            &"DROP TRIGGER ",
            &guard.to_owned(),
            &name,
            &" ON ",
            &table,
            &cascade.to_owned(),
        ])
    };
    if action == Action::Drop {
        return Ok(vec![dropped("", cascade)]);
    }
    let definition = body(entity)?;
    let Some((event, rest)) = word_on(&definition) else {
        return fail("the definition of a trigger needs `ON`");
    };
    // The table is written anew, in the schema of the trigger.
    let end = rest
        .as_str()
        .find(char::is_whitespace)
        .unwrap_or(rest.as_str().len());
    let target = rest.slice(0, end);
    let dot = target.as_str().find('.').map_or(0, |dot| dot + 1);
    let target = target.slice(dot, target.as_str().len());
    let constraint = flag(entity.get(4, "is_constraint"), "is_constraint")? == Some(true);
    let create = concat(&[
        &if constraint {
            "CREATE CONSTRAINT TRIGGER "
        } else {
            "CREATE TRIGGER "
        },
        &name,
        &" ",
        &event,
        &" ON ",
        schema,
        &".",
        &target,
        &rest.slice(end, rest.as_str().len()),
    ]);
    Ok(if action == Action::Create {
        vec![create]
    } else {
        vec![dropped("IF EXISTS ", ""), create]
    })
}

/// The text in front of the first word ON and behind it.
fn word_on(text: &Text) -> Option<(Text, Text)> {
    let all = text.as_str();
    let is_space = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_whitespace);
    let bytes = all.as_bytes();
    let at = (1..bytes.len().saturating_sub(2)).find(|&at| {
        bytes[at..at + 2].eq_ignore_ascii_case(b"on")
            && is_space(bytes.get(at - 1))
            && is_space(bytes.get(at + 2))
    })?;
    let before = text.slice(0, at).trim(None, true, true);
    let behind = text.slice(at + 2, all.len()).trim(None, true, true);
    Some((before, behind))
}

fn policy(name: &Text, entity: &Args<'_>, action: Action, cascade: &str) -> Result<Vec<Text>> {
    let table = on_entity(entity)?;
    let dropped = |guard: &str, cascade: &str| {
        concat(&[
            &"DROP POLICY ",
            &guard.to_owned(),
            name,
            &" ON ",
            &table,
            &cascade.to_owned(),
        ])
    };
    if action == Action::Drop {
        return Ok(vec![dropped("", cascade)]);
    }
    let create = concat(&[
        &"CREATE POLICY ",
        name,
        &" ON ",
        &table,
        &" ",
        &body(entity)?,
    ]);
    Ok(if action == Action::Create {
        vec![create]
    } else {
        vec![dropped("IF EXISTS ", ""), create]
    })
}

fn grant(schema: &Text, entity: &Args<'_>, action: Action) -> Result<Vec<Text>> {
    let table = bare(&needed(entity.get(1, "table"), "table")?);
    let role = bare(&needed(entity.get(2, "role"), "role")?);
    let privilege = match entity.get(3, "grant") {
        Some(Value::Str(text)) => (**text).clone(),
        Some(value) => match value.as_path().and_then(|path| path.rsplit('.').next()) {
            Some(name) => Text::from(name),
            None => return fail(format!("the privilege is not known: {}", value.describe())),
        },
        None => return fail("the privilege is missing"),
    };
    let on = concat(&[&quoted(schema), &".", &quoted(&table)]);
    let revoke = concat(&[
        &"REVOKE ",
        &privilege,
        &" ON ",
        &on,
        &" FROM ",
        &quoted(&role),
    ]);
    if action == Action::Drop {
        return Ok(vec![revoke]);
    }
    let mut columns = match entity.get(4, "columns") {
        None | Some(Value::None) => Vec::new(),
        columns => super::names(columns, "columns")?,
    };
    columns.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    let columns = if columns.is_empty() {
        Text::default()
    } else {
        concat(&[&" (", &super::join(&columns, ", "), &")"])
    };
    let option = if flag(entity.get(5, "with_grant_option"), "with_grant_option")? == Some(true) {
        " WITH GRANT OPTION"
    } else {
        ""
    };
    let create = concat(&[
        &"GRANT ",
        &privilege,
        &columns,
        &" ON ",
        &on,
        &" TO ",
        &quoted(&role),
        &option,
    ]);
    Ok(if action == Action::Create {
        vec![create]
    } else {
        vec![revoke, create]
    })
}

/// What `alembic_postgresql_enum` does for `op.sync_enum_values`: a new type takes the place of the old one in each
/// column.
impl Emitter {
    pub(super) fn sync_enum(&mut self, args: &mut Given<'_, '_>) -> Result<Vec<Text>> {
        let schema = needed(args.next("enum_schema"), "enum_schema")?;
        let name = needed(args.next("enum_name"), "enum_name")?;
        let labels = super::names(args.next("new_values"), "new_values")?;
        let columns = super::items(args.next("affected_columns"), "affected_columns")?;
        let renamed = match args.next("enum_values_to_rename") {
            None => Vec::new(),
            pairs => super::items(pairs, "enum_values_to_rename")?
                .iter()
                .map(renamed_pair)
                .collect::<Result<Vec<_>>>()?,
        };
        let indexes = match args.next("indexes_to_recreate") {
            None | Some(Value::None) => Vec::new(),
            indexes => super::items(indexes, "indexes_to_recreate")?,
        };
        let full = concat(&[&quoted(&schema), &".", &quoted(&name)]);
        let old = concat(&[&"\"", &name, &"_old\""]);
        let old_full = concat(&[&quoted(&schema), &".", &old]);
        let labels: Vec<Text> = labels
            .iter()
            .map(|label| concat(&[&"'", label, &"'"]))
            .collect();
        let mut out = vec![
            concat(&[&"ALTER TYPE ", &full, &" RENAME TO ", &old]),
            concat(&[
                &"CREATE TYPE ",
                &full,
                &" AS ENUM (",
                &super::join(&labels, ", "),
                &")",
            ]),
        ];
        for (operator, function) in OPERATORS {
            let function = concat(&[&quoted(&schema), &".", function]);
            out.push(comparison(&function, operator, &full, &old_full, &renamed));
            out.push(concat(&[
                &"CREATE OPERATOR ",
                &quoted(&schema),
                &".",
                operator,
                &" (leftarg = ",
                &full,
                &", rightarg = ",
                &old_full,
                &", procedure = ",
                &function,
                &")",
            ]));
        }
        let mut again = Vec::new();
        for index in &indexes {
            let Some((_, index, _)) = index.as_call() else {
                return fail("an index is not known");
            };
            let index_name = needed(index.get(0, "name"), "name")?;
            let parts: Vec<Text> = index_name
                .split(".")
                .iter()
                .map(|part| quoted(&bare(part)))
                .collect();
            out.push(concat(&[
                &"DROP INDEX IF EXISTS ",
                &super::join(&parts, "."),
            ]));
            let definition = needed(index.get(1, "definition"), "definition")?;
            let definition = self.bind_text(&definition, None);
            again.push(renamed.iter().fold(definition, |text, (before, after)| {
                let pattern = |prefix: &str, label: &Text| {
                    concat(&[&"'", label, &"'::", &prefix.to_owned(), &name])
                };
                let in_schema = format!("{}.", schema.as_str());
                text.replace(pattern("", before).as_str(), &pattern("", after))
                    .replace(
                        pattern(&in_schema, before).as_str(),
                        &pattern(&in_schema, after),
                    )
            }));
        }
        for column in &columns {
            self.sync_column(column, &schema, &name, &full, &renamed, &mut out)?;
        }
        for (operator, function) in OPERATORS {
            out.push(concat(&[
                &"DROP OPERATOR IF EXISTS ",
                &quoted(&schema),
                &".",
                operator,
                &" (",
                &full,
                &", ",
                &old_full,
                &")",
            ]));
            out.push(concat(&[
                &"DROP FUNCTION ",
                &quoted(&schema),
                &".",
                function,
                &"(new_enum_val ",
                &full,
                &", old_enum_val ",
                &old_full,
                &")",
            ]));
        }
        out.push(concat(&[&"DROP TYPE ", &old_full]));
        out.extend(again);
        Ok(out)
    }

    fn sync_column(
        &mut self,
        column: &Value<'_>,
        schema: &Text,
        name: &Text,
        full: &Text,
        renamed: &[(Text, Text)],
        out: &mut Vec<Text>,
    ) -> Result<()> {
        let pair;
        let args = match (column.as_call(), column) {
            (Some((_, args, _)), _) => args,
            // The older form: its default is asked of the database.
            (None, Value::Tuple(parts)) => {
                self.approximate = true;
                pair = Args {
                    pos: parts.items.iter().take(2).cloned().collect(),
                    kw: parts
                        .items
                        .get(2)
                        .map(|kind| ("column_type".to_owned(), kind.clone()))
                        .into_iter()
                        .collect(),
                    open: None,
                };
                &pair
            }
            _ => return fail(format!("a column is not known: {}", column.describe())),
        };
        let table = needed(args.get(0, "table_name"), "table_name")?;
        let column = quoted(&needed(args.get(1, "column_name"), "column_name")?);
        let table = match args.get(2, "table_schema") {
            None => concat(&[&quoted(schema), &".", &quoted(&table)]),
            Some(Value::None) => quoted(&table),
            other => concat(&[
                &quoted(&needed(other, "table_schema")?),
                &".",
                &quoted(&table),
            ]),
        };
        let is_array = args
            .get(3, "column_type")
            .and_then(Value::as_path)
            .is_some_and(|path| path.ends_with(".ARRAY"));
        let alter = concat(&[&"ALTER TABLE ", &table, &" ALTER COLUMN ", &column, &" "]);
        let default = super::optional(args.get(4, "existing_server_default"), "default")?;
        if default.is_some() {
            out.push(concat(&[&alter, &"DROP DEFAULT"]));
        }
        let using = if is_array {
            let cast = concat(&[&column, &"::text[]"]);
            let cast = renamed.iter().fold(cast, |cast, (before, after)| {
                concat(&[
                    &"array_replace(",
                    &cast,
                    &", '",
                    before,
                    &"', '",
                    after,
                    &"')",
                ])
            });
            concat(&[&cast, &"::", full, &"[]"])
        } else if renamed.is_empty() {
            concat(&[&column, &"::text::", full])
        } else {
            let cases = renamed.iter().map(|(before, after)| {
                concat(&[
                    &"WHEN ",
                    &column,
                    &"::text = '",
                    before,
                    &"' THEN '",
                    after,
                    &"'::",
                    full,
                ])
            });
            let cases = super::join(&cases.collect::<Vec<_>>(), " ");
            concat(&[
                &"CASE ",
                &cases,
                &" ELSE ",
                &column,
                &"::text::",
                full,
                &" END",
            ])
        };
        let brackets = if is_array { "[]" } else { "" };
        out.push(concat(&[
            &alter, &"TYPE ", full, &brackets, &" USING ", &using,
        ]));
        if let Some(default) = default {
            let default = renamed_default(&default, schema, name, renamed);
            out.push(concat(&[&alter, &"SET DEFAULT ", &default]));
        }
        Ok(())
    }
}

/// Operators between the new type and the old one, and the functions behind them.
const OPERATORS: [(&&str, &&str); 2] = [(&"!=", &"new_old_not_equals"), (&"=", &"new_old_equals")];

fn comparison(
    function: &Text,
    operator: &&str,
    new: &Text,
    old: &Text,
    renamed: &[(Text, Text)],
) -> Text {
    let value = if renamed.is_empty() {
        Text::from("old_enum_val::text")
    } else {
        let cases = renamed.iter().map(|(before, after)| {
            concat(&[
                &"WHEN old_enum_val::text = '",
                before,
                &"' THEN '",
                after,
                &"'",
            ])
        });
        let cases = super::join(&cases.collect::<Vec<_>>(), " ");
        concat(&[&"CASE ", &cases, &" ELSE old_enum_val::text END"])
    };
    concat(&[
        &"CREATE FUNCTION ",
        function,
        &"(new_enum_val ",
        new,
        &", old_enum_val ",
        old,
        &") RETURNS boolean AS $$ SELECT new_enum_val::text ",
        operator as &dyn Part,
        &" ",
        &value,
        &"; $$ LANGUAGE SQL IMMUTABLE",
    ])
}

fn renamed_pair(value: &Value<'_>) -> Result<(Text, Text)> {
    match super::items(Some(value), "enum_values_to_rename")?.as_slice() {
        [before, after] => Ok((
            needed(Some(before), "label")?,
            needed(Some(after), "label")?,
        )),
        _ => fail("a renamed label is a pair"),
    }
}

/// The column's default with the type's new name behind it, as the library rewrites it.
fn renamed_default(default: &Text, schema: &Text, name: &Text, renamed: &[(Text, Text)]) -> Text {
    let text = default.as_str();
    let is_array = text.ends_with("[]");
    let end = text.find("::").unwrap_or(text.len().saturating_sub(1));
    let value = renamed
        .iter()
        .fold(default.slice(0, end), |value, (before, after)| {
            let single = |label: &Text| concat(&[&"'", label, &"'"]);
            value
                .replace(single(before).as_str(), &single(after))
                .replace(quoted(before).as_str(), &quoted(after))
        });
    let full = if schema.is_empty() {
        name.clone()
    } else {
        concat(&[schema, &".", name])
    };
    concat(&[&value, &"::", &full, &if is_array { "[]" } else { "" }])
}
