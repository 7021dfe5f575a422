//! `op.execute` and `connection.execute`.

use crate::python::text::Text;
use crate::python::value::Value;

use super::expr::{Scope, bind_values};
use super::name::ident;
use super::types::drop_sequence;
use super::{Emitter, Given, Result, concat, fail, flag, needed, sqlalchemy};

impl Emitter {
    /// `verbatim` is set for `exec_driver_sql`, which reads no bind parameters.
    pub(super) fn execute(
        &mut self,
        args: &mut Given<'_, '_>,
        verbatim: bool,
    ) -> Result<Vec<Text>> {
        let Some(mut statement) = args.next("sqltext").or_else(|| args.named("statement")) else {
            return fail("no SQL was given");
        };
        if statement.as_text().is_some() || matches!(statement, Value::Template(_)) {
            let text = self.sql_text(Some(statement), "sqltext")?;
            return Ok(vec![if verbatim {
                text
            } else {
                self.bind_text(&text, None)
            }]);
        }
        let mut values = Vec::new();
        for parameters in args.rest() {
            values.extend(bind_values(&crate::python::value::Args {
                pos: vec![parameters.clone()],
                ..Default::default()
            }));
        }
        // `text(..).bindparams(..)`, `.execution_options(..)`
        while let Some((base, method, chained)) = statement.as_method() {
            match method {
                "bindparams" | "params" => values.extend(bind_values(chained)),
                "execution_options" | "columns" => {}
                _ => break,
            }
            statement = base;
        }
        if let Some((path, inner, _)) = statement.as_call() {
            match sqlalchemy(path) {
                Some("text" | "TextClause") => {
                    let text = self.sql_text(inner.get(0, "text"), "text")?;
                    return Ok(vec![self.bind_text(&text, Some(&values))]);
                }
                // DDL text is formatted with `%`: only the doubled sign is of interest here.
                Some("DDL") => {
                    return Ok(vec![
                        needed(inner.get(0, "statement"), "statement")?
                            .replace("%%", &Text::from("%")),
                    ]);
                }
                Some(word @ ("CreateSequence" | "DropSequence")) => {
                    let Some((_, sequence, _)) = inner.get(0, "element").and_then(Value::as_call)
                    else {
                        return fail("the sequence is not known");
                    };
                    let statement = if word == "CreateSequence" {
                        self.create_sequence(sequence)?
                    } else {
                        drop_sequence(sequence)?
                    };
                    return Ok(vec![statement]);
                }
                Some(word @ ("CreateSchema" | "DropSchema")) => {
                    let name = ident(&needed(inner.get(0, "name"), "name")?);
                    let set =
                        |name: &str| flag(inner.named(name), name).map(|set| set == Some(true));
                    let create = word == "CreateSchema";
                    let guard = match (create, set("if_not_exists")?, set("if_exists")?) {
                        (true, true, _) => "IF NOT EXISTS ",
                        (false, _, true) => "IF EXISTS ",
                        _ => "",
                    };
                    let cascade = if !create && set("cascade")? {
                        " CASCADE"
                    } else {
                        ""
                    };
                    let head = if create {
                        "CREATE SCHEMA "
                    } else {
                        "DROP SCHEMA "
                    };
                    return Ok(vec![concat(&[&head, &guard, &name, &cascade])]);
                }
                _ => {}
            }
        }
        self.core_statement(statement)
    }

    /// `update(..)`, `insert(..)`, `delete(..)` and `select(..)` built from objects.
    fn core_statement(&mut self, statement: &Value<'_>) -> Result<Vec<Text>> {
        let text = self.dml(statement, Scope::Qualified)?;
        Ok(vec![text])
    }
}
