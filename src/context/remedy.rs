//! Remedies as SQL: steps that a finding offers, written the way the tool at hand runs them.

use super::Cx;
use crate::diagnostic::{NewFile, Place, Step};
use crate::effect;
use crate::layout::{Direction, Outside};
use crate::source::Span;
use crate::sql;
use crate::statement::{Kind, Name, Statement, TypeName, quoted};

/// Rows of one batch in the loops that are suggested.
const BATCH: u32 = 5_000;

/// Text to put in place of a part of a statement.
pub(crate) type Replace = (Span, String);

impl Cx<'_> {
    /// Steps from their SQL: one or more statements each, on lines of their own, with or without a `;` at the end. A
    /// step that holds `…` is a sketch.
    ///
    /// None where they could not be followed as they stand: for a statement inside of a `DO` block, and for further
    /// migrations where the script is not one of those that go forward once.
    #[must_use]
    pub fn remedy(&self, steps: impl IntoIterator<Item = (Place, String)>) -> Vec<Step> {
        let steps: Vec<Step> = steps
            .into_iter()
            .map(|(place, sql)| self.step_at(place, &sql))
            .collect();
        let nested = self.current().is_some_and(super::Step::is_nested);
        let up = self.migration().direction == Direction::Up;
        let fits = steps
            .iter()
            .all(|step| step.place == Place::Look || (!nested && (up || !step.place.is_own())));
        if fits { steps } else { Vec::new() }
    }

    fn step_at(&self, wanted: Place, text: &str) -> Step {
        let mut sql = text.trim().to_owned();
        if !sql.ends_with(';') {
            sql.push(';');
        }
        let mut step = Step {
            place: wanted,
            outside: false,
            text: sql.clone(),
            sketch: sql.contains('…'),
            sql,
            beside: None,
        };
        if wanted == Place::Look {
            return step;
        }
        let statements = sql::parse_text(&step.sql).statements;
        let refusing = statements.iter().find(|one| self.refuses(one));
        if let Some(refusing) = refusing {
            let here = self.way_out_for(refusing).is_none();
            step.place = match wanted {
                _ if self.runner().outside == Outside::Never => Place::ByHand,
                Place::Instead if !here => Place::Own,
                Place::Before if !here => Place::Earlier,
                Place::Behind if !here => Place::Later,
                place => place,
            };
            step.outside = step.place != Place::Instead;
        }
        self.write(&mut step, &statements, refusing);
        step
    }

    /// True for a statement that refuses a transaction block, such as a block of code that commits.
    fn refuses(&self, statement: &Statement) -> bool {
        let commits = matches!(statement.kind, Kind::Do)
            && statement
                .nested
                .iter()
                .any(|nested| matches!(nested.statement.kind, Kind::Transaction(_)));
        commits || effect::refuses_transaction(statement, self.before(), self.postgres()).is_some()
    }

    /// Writes a step as the tool has it, and what has to stand beside it.
    fn write(&self, step: &mut Step, statements: &[Statement], refusing: Option<&Statement>) {
        let runner = self.runner();
        let sql = &step.sql;
        let refusing = refusing.filter(|one| {
            let by_itself = runner.leaves_transaction_for;
            step.place.is_own() && !by_itself.is_some_and(|leaves| leaves(one))
        });
        match (runner.outside, refusing) {
            (Outside::Block(block), refusing) => {
                let lines = statements.iter().map(|one| python(&one.source.sql));
                let lines: Vec<String> = match refusing {
                    Some(_) => std::iter::once(block.to_owned())
                        .chain(lines.map(|line| indented(&line)))
                        .collect(),
                    None => lines.collect(),
                };
                step.text = lines.join("\n");
            }
            (Outside::Top(top), Some(_)) => step.text = format!("{top}{}{sql}", runner.opens),
            (Outside::Mark(words), Some(_)) => {
                step.text = format!("{}{words}\n{sql}", runner.opens.trim_end());
            }
            (Outside::Beside(name, text), Some(_)) => {
                let text = text.to_owned();
                step.beside = Some(NewFile { name, text });
            }
            _ => {}
        }
    }

    /// The text of a statement with parts of it replaced. The parts are found in the statement as read from that text:
    /// places in it are places of the text. None if there are no such parts.
    #[must_use]
    pub fn rewritten(
        &self,
        statement: &Statement,
        parts: impl FnOnce(&Statement) -> Option<Vec<Replace>>,
    ) -> Option<String> {
        let text = &*statement.source.sql;
        let parsed = sql::parse_text(text);
        let [own] = parsed.statements.as_slice() else {
            return None;
        };
        let mut parts = parts(own)?;
        parts.sort_by_key(|(span, _)| *span);
        let (mut out, mut at) = (String::with_capacity(text.len()), 0);
        for (span, new) in parts {
            out.push_str(text.get(at..span.start as usize)?);
            out.push_str(&new);
            at = span.end as usize;
        }
        out.push_str(text.get(at..)?);
        Some(out.trim().to_owned())
    }

    /// A loop that changes the rows of a table batch by batch, each in a transaction of its own: `assignment` for those
    /// that meet `condition`. None if no key of whole numbers tells the rows apart.
    #[must_use]
    pub fn in_batches(&self, table: &Name, assignment: &str, condition: &str) -> Option<String> {
        self.loop_over(
            table,
            &format!("UPDATE {table} SET {assignment}"),
            condition,
        )
    }

    /// The same for any change of a table's rows, which goes on with a WHERE.
    #[must_use]
    pub fn loop_over(&self, table: &Name, change: &str, condition: &str) -> Option<String> {
        let key = self.number_key(table)?;
        let condition = if condition.is_empty() {
            String::new()
        } else {
            format!(" AND {condition}")
        };
        Some(format!(
            "DO $$\n\
             DECLARE\n    \
                 done bigint := (SELECT min({key}) - 1 FROM {table});\n    \
                 top bigint := (SELECT max({key}) FROM {table});\n\
             BEGIN\n    \
                 WHILE done < top LOOP\n        \
                     {change} WHERE {key} > done AND {key} <= done + {BATCH}{condition};\n        \
                     done := done + {BATCH};\n        \
                     COMMIT;\n    \
                 END LOOP;\n\
             END $$;"
        ))
    }

    /// The column of a table's primary key, if that is one of whole numbers.
    #[must_use]
    pub fn number_key(&self, table: &Name) -> Option<String> {
        let known = self.before().table(table)?;
        let key = known.primary_key()?;
        let mut columns = known
            .columns
            .iter()
            .filter(|column| key.def.kind.mentions(&column.name));
        let (column, None) = (columns.next()?, columns.next()) else {
            return None;
        };
        let is_number =
            |ty: &TypeName| ["int2", "int4", "int8"].into_iter().any(|name| ty.is(name));
        column
            .ty
            .as_ref()
            .is_some_and(is_number)
            .then(|| quoted(&column.name))
    }
}

/// A statement as Alembic runs it.
fn python(sql: &str) -> String {
    let escaped = sql.replace('\\', "\\\\");
    if escaped.contains(['"', '\n']) {
        let escaped = escaped.replace("\"\"\"", "\\\"\\\"\\\"");
        format!("op.execute(\"\"\"\n{escaped}\n\"\"\")")
    } else {
        format!("op.execute(\"{escaped}\")")
    }
}

fn indented(text: &str) -> String {
    let lines = text.split('\n').map(|line| format!("    {line}"));
    lines.collect::<Vec<String>>().join("\n")
}
