//! Changesets of XML, YAML and JSON changelogs.

use super::change::{self, Unknown};
use super::changeset::{Dbms, Head, Skipped, is_change};
use super::document::Element;
use super::plan::Plan;
use super::split::{self, Cut, Torn};
use super::text::{Sql, Text};
use super::{misspelt, torn};
use crate::layout::{Direction, Emptiness, File, Piece, Reading, Script, path};
use crate::source::{Fragment, Span, SpanMap};

/// Reads the changesets of a changelog.
pub(super) fn read(file: &File<'_>, root: &Element, plan: &Plan) -> Reading {
    let mut reading = Reading::default();
    for (index, element) in root.all("changeSet").enumerate() {
        let place = plan.place(file.path, index);
        let head = Head::of(element, root, file.path, place);
        match Head::skipped(element) {
            Some(Skipped::Meant) => continue,
            Some(Skipped::Misspelt(name)) => {
                reading.problems.push(misspelt(file, head.span, &name));
                continue;
            }
            None => {}
        }
        let reader = Changeset {
            file,
            plan,
            head: &head,
            element,
        };
        if sole_file(element).is_none_or(|sql| plan.resolve(file.files, file.path, sql).is_none()) {
            let mut script = head.script(file, head.direction, head.span);
            let changes: Vec<&Element> = element.children.iter().filter(|e| is_change(e)).collect();
            let lacks_way_back = reader.lower(&changes, &mut script, &mut reading);
            reader.modify(&mut script);
            reading.scripts.push(script);
            reading
                .scripts
                .extend(reader.down(lacks_way_back, &mut reading.problems));
        } else {
            reading
                .scripts
                .extend(reader.down(None, &mut reading.problems));
        }
    }
    reading
}

/// The only change of a changeset or rollback, if that is a SQL file.
pub(super) fn sole_file(element: &Element) -> Option<&Element> {
    let mut changes = element.children.iter().filter(|child| is_change(child));
    let first = changes.next().filter(|change| {
        change.name == "sqlFile"
            && change.get("path").is_some()
            && Dbms::of(change.value("dbms")).is_ours()
    })?;
    let is_only = changes.next().is_none() && element.child("modifySql").is_none();
    is_only.then_some(first)
}

/// How a `sql` or `sqlFile` is cut.
pub(super) fn cut_of(change: &Element) -> Cut {
    let splits = change.get("splitStatements").map(Text::is_true);
    Cut::of(
        splits,
        change.get("endDelimiter").map(|text| text.value.as_str()),
    )
}

struct Changeset<'a> {
    file: &'a File<'a>,
    plan: &'a Plan,
    head: &'a Head,
    element: &'a Element,
}

/// The automatic way back of changes in order; none if one of them has none.
type WayBack = Option<Vec<Vec<Fragment>>>;

impl Changeset<'_> {
    /// Adds what changes do to a script.
    fn lower(&self, changes: &[&Element], script: &mut Script, reading: &mut Reading) -> WayBack {
        let mut back: WayBack = Some(Vec::new());
        for change in changes {
            let down = self.lower_one(change, script, reading);
            back = back.zip(down).map(|(mut all, down)| {
                all.push(down);
                all
            });
        }
        back
    }

    fn lower_one(
        &self,
        change: &Element,
        script: &mut Script,
        reading: &mut Reading,
    ) -> Option<Vec<Fragment>> {
        if !Dbms::of(change.value("dbms")).is_ours() {
            if let Some(name) = Dbms::of(change.value("dbms")).misspelt() {
                reading
                    .problems
                    .push(misspelt(self.file, change.head, name));
            }
            return Some(Vec::new());
        }
        let fragments = |all: Vec<Sql>| all.into_iter().map(Sql::finish).collect::<Vec<_>>();
        let named = format!("`{}`", change.name);
        match change.name.as_str() {
            "sql" => {
                if let Some(text) = change.text_or("sql") {
                    self.push_sql(text, &cut_of(change), script, reading);
                }
            }
            "sqlFile" | "createProcedure" | "createView" => {
                let view = change.name == "createView";
                let text = match change.get("path").filter(|_| change.text.is_none()) {
                    Some(path) => self.text_of(change, path, script),
                    None => change
                        .text_or(match change.name.as_str() {
                            "createProcedure" => "procedureText",
                            _ => "selectQuery",
                        })
                        .cloned(),
                };
                if let Some(text) = text {
                    if view {
                        let sql = create_view(change, &text);
                        script.pieces.push(self.head.piece(sql));
                        script
                            .pieces
                            .extend(view_remarks(change).map(|sql| self.head.piece(sql)));
                    } else {
                        let how = if change.name == "sqlFile" {
                            cut_of(change)
                        } else {
                            Cut::Whole
                        };
                        self.push_sql(&text, &how, script, reading);
                    }
                }
                return view.then(|| drop_view(change));
            }
            "loadData" | "loadUpdateData" => {
                let file = change.value("file").unwrap_or_default();
                let reason = format!("{named} writes the rows of `{file}`, which is not read");
                script.not_analysed.push((change.head, reason));
            }
            "customChange" | "executeCommand" => {
                let reason = format!("{named} runs a program; its SQL is not seen");
                script.not_analysed.push((change.head, reason));
            }
            "dropAllForeignKeyConstraints" => {
                let reason =
                    format!("{named} drops what the database has, which is not known here");
                script.not_analysed.push((change.head, reason));
            }
            "stop" => {
                let reason = "Liquibase stops here".to_owned();
                script.not_analysed.push((change.head, reason));
            }
            _ => {
                return match change::lower(change) {
                    Ok(lowered) => {
                        let pieces = fragments(lowered.up);
                        script
                            .pieces
                            .extend(pieces.into_iter().map(|sql| self.head.piece(sql)));
                        lowered.down.map(fragments)
                    }
                    Err(unknown) => {
                        let reason = match unknown {
                            Unknown::Lacks(name) => format!("{named} without `{name}`"),
                            Unknown::Type => {
                                format!("{named} is no change type that is known here")
                            }
                        };
                        script.not_analysed.push((change.head, reason));
                        None
                    }
                };
            }
        }
        None
    }

    /// The text of a SQL file; all of it stands for the change that names it.
    fn text_of(&self, change: &Element, path: &Text, script: &mut Script) -> Option<Text> {
        let found = self.plan.resolve(self.file.files, self.file.path, change);
        let text = found.and_then(|found| self.file.files.text(&found));
        let Some(text) = text else {
            let reason = format!("`{}` was not found or cannot be read", path.value);
            script.not_analysed.push((change.head, reason));
            return None;
        };
        let text = Text {
            value: text.trim_start_matches('\u{feff}').to_owned(),
            map: SpanMap::generated(change.head),
            span: change.head,
        };
        Some(self.plan.fill(&text))
    }

    fn push_sql(&self, text: &Text, how: &Cut, script: &mut Script, reading: &mut Reading) {
        let (parts, cuts) = split::cut(text, how);
        for part in parts {
            let piece = Piece {
                send: part.send,
                ..self.head.piece(part.sql.into_fragment())
            };
            script.pieces.push(piece);
        }
        let help = "say `splitStatements=\"false\"` and write it in a `sql` of its own, or set an `endDelimiter` that does not stand in it";
        reading
            .problems
            .extend(cuts.iter().map(|cut: &Torn| torn(self.file, cut, help)));
    }

    /// Does to a script what `modifySql` asks for.
    fn modify(&self, script: &mut Script) {
        for modify in self.element.all("modifySql") {
            if !Dbms::of(modify.value("dbms")).is_ours() {
                continue;
            }
            for one in &modify.children {
                match one.name.as_str() {
                    "append" | "prepend" => {
                        let Some(value) = one.given("value") else {
                            continue;
                        };
                        for piece in &mut script.pieces {
                            let own = Text {
                                value: piece.fragment.sql.to_string(),
                                map: piece.fragment.map.clone(),
                                span: self.head.span,
                            };
                            let whole = piece.fragment.map.to_file(Span::new(0, own.value.len()));
                            let sql = Sql::new(whole);
                            piece.fragment = if one.name == "append" {
                                sql.text(&own).text(value)
                            } else {
                                sql.text(value).text(&own)
                            }
                            .finish();
                        }
                    }
                    "replace" => {
                        let (Some(from), Some(to)) = (one.get("replace"), one.given("with")) else {
                            continue;
                        };
                        for piece in &mut script.pieces {
                            if piece.fragment.sql.contains(&from.value) {
                                let sql = piece.fragment.sql.replace(&from.value, &to.value);
                                let whole = piece
                                    .fragment
                                    .map
                                    .to_file(Span::new(0, piece.fragment.sql.len()));
                                piece.fragment = Fragment {
                                    sql: sql.into(),
                                    map: SpanMap::generated(whole),
                                };
                            }
                        }
                    }
                    "dbms" => {}
                    _ => {
                        let reason = format!(
                            "`{}` changes the SQL in a way that is not followed",
                            one.name
                        );
                        script.not_analysed.push((one.head, reason));
                        for piece in &mut script.pieces {
                            piece.conditional = true;
                        }
                    }
                }
            }
        }
    }

    /// The way back: what the changeset says, else what Liquibase makes by itself.
    fn down(
        &self,
        automatic: WayBack,
        problems: &mut Vec<crate::layout::Problem>,
    ) -> Option<Script> {
        let own: Vec<&Element> = self.element.all("rollback").collect();
        let attribute = self.element.get("rollback");
        let Some(span) = own
            .first()
            .map(|rollback| rollback.head)
            .or(attribute.map(|text| text.span))
        else {
            let mut script = self.head.script(self.file, Direction::Down, self.head.span);
            let back = automatic?;
            let pieces = back.into_iter().rev().flatten();
            script.pieces = pieces.map(|sql| self.head.piece(sql)).collect();
            return Some(script);
        };
        let mut script = self.head.script(self.file, Direction::Down, span);
        let mut reading = Reading::default();
        let mut is_elsewhere = false;
        for rollback in &own {
            if let Some(id) = rollback.get("changeSetId") {
                let reason = format!("the way back is to run changeset `{}` again", id.value);
                script.not_analysed.push((rollback.head, reason));
            }
            if let Some(sql) = sole_file(rollback) {
                if own.len() == 1
                    && self
                        .plan
                        .resolve(self.file.files, self.file.path, sql)
                        .is_some()
                {
                    is_elsewhere = true;
                    continue;
                }
            }
            if let Some(text) = &rollback.text {
                self.push_sql(text, &Cut::Usual, &mut script, &mut reading);
            }
            // YAML and JSON may hold the one change as a value.
            if let Some(text) = rollback.get("sql") {
                self.push_sql(text, &Cut::Usual, &mut script, &mut reading);
            }
            let changes: Vec<&Element> = rollback.children.iter().collect();
            self.lower(&changes, &mut script, &mut reading);
        }
        if let Some(text) = attribute {
            self.push_sql(text, &Cut::Usual, &mut script, &mut reading);
        }
        problems.extend(reading.problems);
        (!is_elsewhere).then_some(script)
    }
}

fn create_view(change: &Element, text: &Text) -> Fragment {
    let trimmed = text.trimmed();
    if change.is_on("fullDefinition") {
        return trimmed.into_fragment();
    }
    let replace = if change.is_on("replaceIfExists") {
        "CREATE OR REPLACE VIEW "
    } else {
        "CREATE VIEW "
    };
    let mut sql = Sql::new(change.head).add(replace);
    if let Some(name) = change.get("viewName") {
        sql = sql.qualified(change.get("schemaName"), name);
    }
    sql.add(" AS ").text(&trimmed).finish()
}

fn view_remarks(change: &Element) -> Option<Fragment> {
    let sql = Sql::new(change.head)
        .add("COMMENT ON VIEW ")
        .qualified(change.get("schemaName"), change.get("viewName")?);
    Some(sql.add(" IS ").literal(change.get("remarks")?).finish())
}

fn drop_view(change: &Element) -> Vec<Fragment> {
    let name = change.get("viewName").into_iter();
    name.map(|name| {
        let sql = Sql::new(change.head).add("DROP VIEW ");
        sql.qualified(change.get("schemaName"), name).finish()
    })
    .collect()
}

/// The script of a SQL file that is the only change of a changeset.
pub(super) fn of_file(
    file: &File<'_>,
    head: &Head,
    direction: Direction,
    how: &Cut,
    plan: &Plan,
) -> Reading {
    let whole = Text::copied(&file.source.text, Span::new(0, file.source.text.len()));
    let text = plan.fill(&whole);
    let mut script = head.script(file, direction, file.source.first_line());
    let (parts, cuts) = split::cut(&text, how);
    if parts.is_empty() {
        script.emptiness = crate::layout::text::blank(&text.value).or(Some(Emptiness::Blank(None)));
    }
    for part in parts {
        script.pieces.push(Piece {
            send: part.send,
            ..head.piece(part.sql.into_fragment())
        });
    }
    if script.description.is_empty() {
        script.description = crate::layout::name::title(path::stem(file.name()));
    }
    let help = "say `splitStatements=\"false\"` where the changelog names the file, or set an `endDelimiter` that does not stand in it";
    Reading {
        problems: cuts.iter().map(|cut| torn(file, cut, help)).collect(),
        ..Reading::script(script)
    }
}
